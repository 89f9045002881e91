"""Records and partitions for the unit tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from kafka import TopicPartition

P0 = TopicPartition("articles", 0)
P1 = TopicPartition("articles", 1)


@dataclass(frozen=True)
class FakeRecord:
    """As much of a ConsumerRecord as the code reads."""

    partition: int
    offset: int
    value: bytes | None = b"v"
    key: bytes | None = b"k"
    topic: str = "articles"
    timestamp: int = 1_700_000_000_000
    headers: Sequence[tuple[str, bytes]] = field(default=())


def run(partition: int, first: int, count: int, value: bytes | None = b"v") -> list[FakeRecord]:
    """Consecutive records of a partition."""
    return [FakeRecord(partition, first + n, value) for n in range(count)]
