"""Puts dead letters back to the topic that they came from, after a fix, each exactly once.

Redrive is a consumer group of the dead-letter topic like any worker: its position and the records that it
puts back are one transaction. A letter is therefore put back once, whatever is killed in between, and a
second run continues after it. Letters that the filter passes over count as seen; `reset` begins anew.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from kafka import OffsetAndMetadata, TopicPartition

from config.kafka import KafkaSettings
from workers.kafka import deadletters
from workers.kafka.client import make_consumer, make_producer, slot_id
from workers.kafka.errors import TransactionsFailedError
from workers.kafka.positions import read_committed
from workers.kafka.records import Outgoing, Record
from workers.kafka.transaction import Committed, TransactionalProducer

log = structlog.get_logger(__name__)

GROUP = "samewire.redrive"
SLOT = "0"
POLL_MS = 200


@dataclass
class RedriveReport:
    """What a run did with the letters it saw."""

    put_back: Counter[str] = field(default_factory=Counter)
    """By topic."""
    passed_over: Counter[str] = field(default_factory=Counter)
    """By reason: not asked for, cut short, put back too often, or not a letter of samewire's."""


def redrive(
    settings: KafkaSettings,
    *,
    reasons: Collection[str] = (),
    limit: int | None = None,
    max_attempts: int = 3,
    reset: bool = False,
) -> RedriveReport:
    """Put dead letters back until the present end of the topic, or until `limit` were put back.

    `reasons` selects by the reason header; empty selects all. A letter that came back `max_attempts` times is
    left where it is: it would circle for ever.

    Raises:
        WorkerError: the broker is away, refuses, or cannot complete a transaction.
    """
    producer = TransactionalProducer(
        lambda: make_producer(settings, slot_id(GROUP, SLOT)), settings.transactions
    )
    consumer = make_consumer(settings, GROUP, SLOT)
    try:
        producer.open()  # fences an earlier run that is still alive, and undoes what it left open
        return _Redrive(settings, consumer, producer, reasons, limit, max_attempts).run(reset=reset)
    finally:
        producer.close()
        consumer.close(autocommit=False, timeout_ms=5000)


class _Redrive:
    def __init__(
        self,
        settings: KafkaSettings,
        consumer: Any,
        producer: TransactionalProducer,
        reasons: Collection[str],
        limit: int | None,
        max_attempts: int,
    ) -> None:
        self._settings = settings
        self._consumer = consumer
        self._producer = producer
        self._reasons = frozenset(reasons)
        self._limit = limit
        self._max_attempts = max_attempts
        self._report = RedriveReport()
        self._limit_ms = round(settings.transactions.deadline_seconds * 1000)

    def run(self, *, reset: bool) -> RedriveReport:
        topic = self._settings.topics.dead
        # Assigned by hand: one run reads all partitions, and the transactional id keeps a second one out.
        partitions = [
            TopicPartition(topic, n) for n in sorted(self._consumer.partitions_for_topic(topic) or ())
        ]
        if not partitions:
            return self._report
        self._consumer.assign(partitions)
        committed = self._read_committed(partitions)
        for at in partitions:
            if reset or at not in committed:
                self._consumer.seek_to_beginning(at)
            else:
                self._consumer.seek(at, committed[at].offset)
        ends = self._consumer.end_offsets(partitions, timeout_ms=self._limit_ms)
        while self._behind(ends) and not self._satisfied():
            polled = self._consumer.poll(timeout_ms=POLL_MS)
            for at, records in polled.items():
                if not self._satisfied():
                    self._publish(at, [record for record in records if record.offset < ends[at]])
        return self._report

    def _behind(self, ends: Mapping[TopicPartition, int]) -> bool:
        return any(
            (self._consumer.position(at, timeout_ms=self._limit_ms) or 0) < end for at, end in ends.items()
        )

    def _satisfied(self) -> bool:
        return self._limit is not None and self._report.put_back.total() >= self._limit

    def _publish(self, at: TopicPartition, records: Sequence[Record]) -> None:
        put_back: Counter[str] = Counter()
        passed_over: Counter[str] = Counter()
        outgoing: list[Outgoing] = []
        offset: int | None = None
        room = None if self._limit is None else self._limit - self._report.put_back.total()
        for record in records:
            if room is not None and len(outgoing) >= room:
                break
            offset = record.offset + 1
            why_not = self._why_not(record)
            if why_not is not None:
                passed_over[why_not] += 1
                continue
            original = restore(record)
            outgoing.append(original)
            put_back[original.topic] += 1
        if offset is None:
            return
        # A bare group id: without members there is no generation to fence, and the transactional id does it.
        verdict = self._producer.publish(outgoing, {at: offset}, GROUP, self._read_committed)
        if not isinstance(verdict, Committed):
            raise TransactionsFailedError(
                f"dead letters from {at.topic}[{at.partition}] could not be put back: {verdict.error};"
                " nothing of this batch was published, run redrive again"
            ) from verdict.error
        self._report.put_back += put_back
        self._report.passed_over += passed_over
        log.info("redriven", partition=at.partition, records=len(outgoing), next_offset=offset)

    def _why_not(self, record: Record) -> str | None:
        reason = deadletters.header(record.headers, deadletters.REASON)
        if reason is None or deadletters.header(record.headers, deadletters.TOPIC) is None:
            return "foreign"
        if self._reasons and reason.decode() not in self._reasons:
            return reason.decode()
        if deadletters.header(record.headers, deadletters.CUT) is not None:
            return "cut"
        if _attempts(record) >= self._max_attempts:
            return "attempts"
        return None

    def _read_committed(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, OffsetAndMetadata]:
        limit_seconds = self._settings.transactions.deadline_seconds
        return read_committed(self._consumer, partitions, limit_seconds)


def restore(letter: Record) -> Outgoing:
    """The original record of a dead letter, with a count of how often it was put back."""
    topic = deadletters.header(letter.headers, deadletters.TOPIC)
    assert topic is not None
    nulls = (deadletters.header(letter.headers, deadletters.NULLS) or b"").split(b",")
    headers = [(name, content) for name, content in letter.headers if not name.startswith(deadletters.PREFIX)]
    headers.append((deadletters.REDRIVEN, b"%d" % (_attempts(letter) + 1)))
    value = None if b"value" in nulls and letter.key is not None else letter.value
    return Outgoing(topic.decode(), letter.key, value, headers, None, letter.timestamp)


def _attempts(letter: Record) -> int:
    return int(deadletters.header(letter.headers, deadletters.REDRIVEN) or b"0")
