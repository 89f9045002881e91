"""Changes out of a Kafka deployment's changelog topic: the state of all its desks, live."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.changelog import decode
from pipeline.errors import StateError
from workers.kafka.reader import TopicReader
from workers.tools.records import DeskChange


class TopicFeed:
    """A changelog topic as a :class:`workers.tools.feed.Feed`."""

    def __init__(self, reader: TopicReader) -> None:
        self.name = reader.topic
        self._reader = reader

    @property
    def restarts(self) -> int:
        """How often the topic turned out to be made anew."""
        return self._reader.restarts

    @property
    def progress(self) -> tuple[int, int]:
        """Offsets read, and offsets in the topic."""
        return self._reader.progress

    def poll(self) -> Iterator[DeskChange]:
        """Yield the changes since the last call; raises :class:`StateError` for what is no changelog record."""
        for record in self._reader.poll():
            try:
                change, _ = decode(record.value or b"")
            except StateError as error:
                raise StateError(
                    f"{record.topic}[{record.partition}] at offset {record.offset}: {error}; check that "
                    "kafka.topics.changelog names the matchers' changelog, and that only they write to it"
                ) from error
            yield DeskChange(record.partition, change)

    def close(self) -> None:
        """Close the connection."""
        self._reader.close()
