"""How far one deployment is behind another on the same input."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Self

from kafka import IsolationLevel, OffsetSpec, TopicPartition

from config.kafka import KafkaSettings
from workers.kafka.client import make_admin, make_consumer
from workers.kafka.groups import group_positions

# So few offsets can be commit markers, which nobody processes: they are read to see what they are.
FEW = 100
POLL_MS = 500
FRESH_SECONDS = 10.0

Offsets = Mapping[TopicPartition, int]


class Behind(NamedTuple):
    """Articles that the old signers have read and the new ones not, and signed records that wait to be matched."""

    articles: int
    signed: int


class Chase:
    """Compares the two whenever asked. Use as a context manager."""

    def __init__(
        self, old: KafkaSettings, new: KafkaSettings, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._old = old
        self._new = new
        self._clock = clock
        self._admin = make_admin(new)
        self._consumer = make_consumer(new, None, "migrate-chase")
        self._articles: Offsets = {}
        self._signed: Offsets | None = None
        self._aimed = 0.0
        self._aim()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close(autocommit=False)
        self._admin.close()

    def behind(self) -> Behind:
        """How far the new deployment is behind where the old one was a moment ago (`FRESH_SECONDS`).

        A moment ago, because the stream goes on: nobody is ever where the other is just now.
        """
        unread = self._unread()
        if unread:
            self._aim()  # by the time that it gets there, the old one has gone on
            return Behind(unread, self._waiting(self._ends(self._new.topics.signed)))
        if self._signed is None:  # what has come of those articles
            self._signed = self._ends(self._new.topics.signed)
        waiting = self._waiting(self._signed)
        if not waiting and self._clock() - self._aimed > FRESH_SECONDS:
            self._aim()
            unread = self._unread()
        return Behind(unread, waiting)

    def _aim(self) -> None:
        """Note where the old signers are."""
        topic = self._old.topics.articles
        positions = group_positions(self._admin, self._old.groups.sign)
        # Where no old signer has ever been, the input's end stands for it.
        self._articles = {at: offset for at, offset in positions.items() if at.topic == topic} or self._ends(
            topic
        )
        self._signed = None
        self._aimed = self._clock()

    def _unread(self) -> int:
        read = group_positions(self._admin, self._new.groups.sign)
        return sum(max(0, end - read.get(at, 0)) for at, end in self._articles.items())

    def _waiting(self, ends: Offsets) -> int:
        matched = group_positions(self._admin, self._new.groups.match)
        return sum(self._records_between(at, matched.get(at, 0), end) for at, end in ends.items())

    def _ends(self, topic: str) -> Offsets:
        numbers: Any = self._consumer.partitions_for_topic(topic) or ()
        wanted = {TopicPartition(topic, number): OffsetSpec.LATEST for number in numbers}
        if not wanted:
            return {}
        found = self._admin.list_partition_offsets(wanted, isolation_level=IsolationLevel.READ_COMMITTED)
        return {at: int(each.offset) for at, each in found.items()}

    def _records_between(self, at: TopicPartition, position: int, end: int) -> int:
        behind = max(0, end - position)
        if not 0 < behind <= FEW:
            return behind
        self._consumer.assign([at])
        self._consumer.seek(at, position)
        records = self._consumer.poll(timeout_ms=POLL_MS).get(at, [])
        found = [record for record in records if record.offset < end]
        if found:
            return len(found)
        read_to = self._consumer.position(at, timeout_ms=POLL_MS)
        return 0 if read_to is not None and read_to >= end else behind
