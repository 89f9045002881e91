"""Polled records gathered into batches that are bounded by count, bytes and time."""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from kafka import TopicPartition

from config.kafka import BatchSettings
from workers.kafka.records import Record


@dataclass(frozen=True, slots=True)
class Batch:
    """The input of one transaction."""

    records: Sequence[Record]
    offsets: Mapping[TopicPartition, int]
    """The next offset to read, by partition: what the transaction commits."""


class BatchBuffer:
    """Records read but not yet processed, by partition and in order."""

    def __init__(self, settings: BatchSettings) -> None:
        self._settings = settings
        self._queues: dict[TopicPartition, deque[Record]] = {}
        self._first_at_seconds = 0.0
        self.records = 0
        self.size_bytes = 0

    def add(self, polled: Mapping[TopicPartition, Sequence[Record]], now_seconds: float) -> None:
        """Append what a poll returned."""
        for at, records in polled.items():
            if not records:
                continue
            if not self.records:
                self._first_at_seconds = now_seconds
            self._queues.setdefault(at, deque()).extend(records)
            self.records += len(records)
            self.size_bytes += sum(map(_size_bytes, records))

    @property
    def full(self) -> bool:
        """Whether polling for more must wait."""
        return (
            self.records >= self._settings.buffered_records
            or self.size_bytes >= 2 * self._settings.size_bytes
        )

    def wait_seconds(self, now_seconds: float) -> float:
        """How long the batch may still wait for company; zero when it is due. Infinite when empty."""
        if not self.records:
            return float("inf")
        if self.records >= self._settings.records or self.size_bytes >= self._settings.size_bytes:
            return 0.0
        return max(0.0, self._first_at_seconds + self._settings.seconds - now_seconds)

    def take(self, now_seconds: float, limit: int | None = None) -> Batch:
        """Remove the next batch, at least one record and at most `limit` of them.

        A single record larger than the byte bound forms a batch of its own.
        """
        limit = min(limit or self._settings.records, self._settings.records)
        taken: list[Record] = []
        taken_bytes = 0
        offsets: dict[TopicPartition, int] = {}
        for at in list(self._queues):
            queue = self._queues[at]
            while queue and len(taken) < limit and taken_bytes < self._settings.size_bytes:
                record = queue.popleft()
                taken.append(record)
                taken_bytes += _size_bytes(record)
                offsets[at] = record.offset + 1
            # A partition that was served goes to the end, so that a busy one cannot starve the others.
            del self._queues[at]
            if queue:
                self._queues[at] = queue
            if len(taken) >= limit or taken_bytes >= self._settings.size_bytes:
                break
        self.records -= len(taken)
        self.size_bytes -= taken_bytes
        self._first_at_seconds = now_seconds
        return Batch(taken, offsets)

    def drop(self, partitions: Collection[TopicPartition]) -> None:
        """Forget partitions that went to another worker."""
        for at in partitions:
            gone = self._queues.pop(at, None)
            if gone:
                self.records -= len(gone)
                self.size_bytes -= sum(map(_size_bytes, gone))

    def clear(self) -> None:
        """Forget everything: it will be read again."""
        self._queues.clear()
        self.records = 0
        self.size_bytes = 0

    @property
    def partitions(self) -> Collection[TopicPartition]:
        """Partitions with records waiting."""
        return list(self._queues)


def _size_bytes(record: Record) -> int:
    return len(record.value or b"") + len(record.key or b"")
