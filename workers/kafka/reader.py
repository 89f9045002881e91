"""Reads a whole topic without a group, to its present end and on from there, for those who only look.

Committed records only. They come in order within a partition, and across partitions by their
timestamps: whoever reads two desks sees them as they were written.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from kafka import TopicPartition
from kafka import errors as kafka_errors

from config.kafka import KafkaSettings
from workers.kafka.client import REFUSALS, make_consumer
from workers.kafka.errors import BrokerUnreachableError, CredentialsRefusedError, TopicsWrongError
from workers.kafka.records import Record

# People wait for this: a broker that is away is reported long before a worker would give up on it.
PATIENCE_SECONDS = 10.0
# Records taken at once. Those of the changelog have up to a megabyte each, so this bounds memory.
POLL_RECORDS = 200
POLL_MS = 100


class TopicReader:
    """A topic's records from a moment on. ``restarts``: how often the topic turned out to be made anew.

    Raises from every method:
        BrokerUnreachableError: no answer within ``PATIENCE_SECONDS``.
        CredentialsRefusedError: reading is not allowed.
    """

    def __init__(
        self,
        consumer: Any,
        topic: str,
        servers: str,
        since_ms: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with the first record of ``since_ms`` (Unix time) or later; None: with the oldest.

        Raises:
            TopicsWrongError: there is no such topic.
        """
        self.topic = topic
        self.restarts = 0
        self._consumer = consumer
        self._servers = servers
        self._clock = clock
        with self._explained():
            numbers = consumer.partitions_for_topic(topic)
            if not numbers:
                raise TopicsWrongError(
                    f"there is no topic {topic} at {servers}; check the names under kafka.topics in --config, "
                    "or make the topics with `samewire topics --apply`"
                )
            self._queues: dict[TopicPartition, deque[Record]] = {
                TopicPartition(topic, number): deque() for number in sorted(numbers)
            }
            consumer.assign(list(self._queues))
            self._go_to(self._offsets_at(since_ms))

    @property
    def progress(self) -> tuple[int, int]:
        """Offsets handed out, and offsets between the beginning and the end as last seen."""
        began = sum(self._begins.values())
        return sum(self._handed_out.values()) - began, sum(self._ends.values()) - began

    def poll(self) -> Iterator[Record]:
        """Yield the records since the last call; ends where nothing more is there now.

        A record counts as handed out when the next one is asked for.
        """
        with self._explained():
            self._look()
        while True:
            behind = [
                at for at, queue in self._queues.items() if not queue and self._positions[at] < self._ends[at]
            ]
            if behind:  # its next record may be older than those at hand
                with self._explained():
                    self._fetch(behind)
                continue
            full = [(queue[0].timestamp, at) for at, queue in self._queues.items() if queue]
            if not full:
                return
            _, at = min(full)
            record = self._queues[at][0]
            yield record
            self._queues[at].popleft()
            self._handed_out[at] = record.offset + 1

    def close(self) -> None:
        """Close the consumer."""
        self._consumer.close(autocommit=False)

    def _offsets_at(self, since_ms: int | None) -> dict[TopicPartition, int]:
        partitions = list(self._queues)
        if since_ms is None:
            return dict(self._consumer.beginning_offsets(partitions, timeout_ms=_ms(PATIENCE_SECONDS)))
        found = self._consumer.offsets_for_times(
            dict.fromkeys(partitions, max(0, since_ms)), timeout_ms=_ms(PATIENCE_SECONDS)
        )
        later = {at: offset.offset for at, offset in found.items() if offset is not None}
        return self._present_ends() | later  # where there is nothing later, only what comes counts

    def _go_to(self, offsets: dict[TopicPartition, int]) -> None:
        for at, offset in offsets.items():
            self._queues[at].clear()
            self._consumer.seek(at, offset)
        self._begins = offsets
        self._handed_out = dict(offsets)
        self._positions = dict(offsets)
        self._ends = dict(offsets)

    def _look(self) -> None:
        ends = self._present_ends()
        if any(end < self._positions[at] for at, end in ends.items()):
            # Offsets only grow: this is another topic of the same name.
            self.restarts += 1
            self._go_to(self._offsets_at(None))
        self._ends = ends

    def _present_ends(self) -> dict[TopicPartition, int]:
        # Of a committed reader these are the last stable offsets: an open transaction is not waited for.
        return dict(self._consumer.end_offsets(list(self._queues), timeout_ms=_ms(PATIENCE_SECONDS)))

    def _fetch(self, wanted: Collection[TopicPartition]) -> None:
        """Put the next records of some of the ``wanted`` partitions into their queues, or move past markers."""
        self._consumer.pause(*(at for at in self._queues if at not in wanted))
        self._consumer.resume(*wanted)
        before = dict(self._positions)
        give_up_at = self._clock() + PATIENCE_SECONDS
        while self._positions == before:
            polled = self._consumer.poll(timeout_ms=POLL_MS, max_records=POLL_RECORDS)
            for at, records in polled.items():
                self._queues[at].extend(records)
            for at in wanted:  # counts commit markers, which are no records
                self._positions[at] = self._consumer.position(at, timeout_ms=_ms(PATIENCE_SECONDS))
            if self._clock() > give_up_at and self._positions == before:
                raise kafka_errors.KafkaTimeoutError(f"nothing came for {PATIENCE_SECONDS:g} s")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except REFUSALS as error:
            raise CredentialsRefusedError(
                f"{self._servers} does not let this user read {self.topic}: {error}; "
                "check the sasl section, and that the user may read and describe the topic"
            ) from error
        except kafka_errors.KafkaError as error:
            raise BrokerUnreachableError(
                f"{self.topic} cannot be read from {self._servers}: {error}; check that the broker is up"
            ) from error


def for_people(settings: KafkaSettings) -> KafkaSettings:
    """Return the settings with the patience of a command that somebody waits for."""
    patience = min(PATIENCE_SECONDS, settings.watchdog.startup_seconds)
    watchdog = settings.watchdog.model_copy(update={"startup_seconds": patience})
    return settings.model_copy(update={"watchdog": watchdog})


def open_reader(settings: KafkaSettings, topic: str, since_ms: int | None = None) -> TopicReader:
    """Connect and return a reader of ``topic``; raises as :class:`TopicReader` does."""
    consumer = make_consumer(for_people(settings), None, "tools")
    try:
        return TopicReader(consumer, topic, ", ".join(settings.bootstrap_servers), since_ms)
    except BaseException:
        consumer.close(autocommit=False)
        raise


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
