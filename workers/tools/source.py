"""Where a state is read from: the folder of an embedded run, or the topics of a Kafka deployment."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from config.kafka import KafkaSettings
from pipeline.errors import SettingsError, StateError
from workers.tools.catalogue import Catalogue
from workers.tools.feed import Feed, Progress, StateFeed
from workers.tools.material import Material, gather
from workers.tools.records import DeskChange

ALL_ARTICLES = 1 << 28


class Source(Protocol):
    """A state that can be read, from its beginning, as often as one likes."""

    @property
    def title(self) -> str:
        """What to call it on a page."""
        ...

    @property
    def empty(self) -> str:
        """What to say, and to do, when it holds no articles."""
        ...

    def open(self) -> Feed:
        """Begin to read; raises :class:`pipeline.errors.SamewireError` when it cannot be."""
        ...


@dataclass(frozen=True, slots=True)
class FolderSource:
    """The state folder of an embedded run."""

    folder: Path

    @property
    def title(self) -> str:
        """The folder's name; one named just `state` is told apart by the one above."""
        folder = self.folder.resolve()
        return f"{folder.parent.name}/{folder.name}" if folder.name == "state" else folder.name

    @property
    def empty(self) -> str:
        """How to fill it."""
        return (
            f"{self.folder} holds no articles yet; cluster some with "
            f"`samewire run --input FILE --output FILE --state {self.folder}`"
        )

    def open(self) -> Feed:
        """Raises :class:`StateError` when there is no state."""
        return StateFeed(self.folder)


@dataclass(frozen=True, slots=True)
class TopicSource:
    """The changelog topic of a Kafka deployment."""

    kafka: KafkaSettings

    @property
    def title(self) -> str:
        """The topic's name."""
        return self.kafka.topics.changelog

    @property
    def empty(self) -> str:
        """How to fill it."""
        topics = self.kafka.topics
        return (
            f"topic {topics.changelog} holds no articles yet; put some into {topics.articles}, "
            "and check that `samewire sign` and `samewire match` run"
        )

    def open(self) -> Feed:
        """Raises :class:`workers.kafka.errors.WorkerError` when the broker or the topic is not there."""
        from workers.kafka.reader import open_reader
        from workers.tools.topic_feed import TopicFeed

        return TopicFeed(open_reader(self.kafka, self.kafka.topics.changelog))


def choose(state: Path | None, kafka: bool, settings: KafkaSettings) -> Source:
    """Return the source that a command's options name; raises :class:`SettingsError`."""
    if state is not None and kafka:
        raise SettingsError("--state and --kafka are two places to read from; give one of them")
    if state is not None:
        return FolderSource(state)
    if kafka:
        return TopicSource(settings)
    raise SettingsError(
        "there is nothing to read from; add --state DIR for a folder, or --kafka with --config FILE for the topics "
        "of a deployment"
    )


def load(
    source: Source,
    on_progress: Progress,
    *,
    max_articles: int = ALL_ARTICLES,
    with_texts: bool = True,
    also: Callable[[DeskChange], None] = lambda _told: None,
) -> Catalogue:
    """Read a source to its present end; ``also`` sees every record. Raises :class:`StateError` when it is empty."""
    catalogue = Catalogue(max_articles, with_texts)
    with closing(source.open()) as feed:
        for told in feed.poll():
            catalogue.apply(told.change, told.desk)
            also(told)
            on_progress(*feed.progress)
    # where every article was killed there is still something to say about them
    if not len(catalogue) and next(catalogue.kills(), None) is None:
        raise StateError(source.empty)
    return catalogue


def collect(
    source: Source, wanted: Collection[str], on_progress: Progress
) -> dict[tuple[int, int], Material]:
    """Read a source once more for what it holds of the ``wanted`` articles, by :attr:`Entry.key`."""
    found: dict[tuple[int, int], Material] = {}
    with closing(source.open()) as feed:
        for told in feed.poll():
            found |= gather((told,), wanted)
            on_progress(*feed.progress)
    return found
