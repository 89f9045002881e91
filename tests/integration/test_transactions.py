"""The exactly-once step against a real broker, with every way in which a commit can fail or lie."""

import os
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from kafka import OffsetAndMetadata, TopicPartition
from kafka.errors import CommitFailedError, KafkaTimeoutError
from kafka.structs import ConsumerGroupMetadata, MemberState

from config.kafka import KafkaSettings
from tests.kafka import topic
from tests.kafka.broker import KafkaBroker
from tests.kafka.waiting import wait_for
from workers.kafka import transaction
from workers.kafka.classify import Failure
from workers.kafka.client import make_consumer, make_producer, slot_id
from workers.kafka.errors import SlotTakenError
from workers.kafka.joining import JoinNudge
from workers.kafka.positions import read_committed
from workers.kafka.records import Outgoing
from workers.kafka.transaction import Aborted, Committed, TransactionalProducer

pytestmark = pytest.mark.kafka


@dataclass
class Bench:
    """A consumer that owns a partition, and the producer under test."""

    settings: KafkaSettings
    bootstrap: str
    group: str
    source: str
    target: str
    consumer: Any
    producer: TransactionalProducer

    @property
    def at(self) -> TopicPartition:
        return TopicPartition(self.source, 0)

    @property
    def raw(self) -> Any:
        """The kafka-python producer inside."""
        return self.producer._producer

    def read_committed(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, OffsetAndMetadata]:
        limit_seconds = self.settings.transactions.deadline_seconds
        return read_committed(self.consumer, partitions, limit_seconds)

    def publish(self, offset: int, *values: bytes, group: Any = None) -> Committed | Aborted:
        records = [Outgoing(self.target, b"k", value, partition=0) for value in values]
        metadata = group or self.consumer.group_metadata()
        return self.producer.publish(records, {self.at: offset}, metadata, self.read_committed)

    def visible(self) -> list[bytes]:
        return [record.value for record in topic.read_committed(self.bootstrap, self.target)]

    @property
    def committed(self) -> int | None:
        return topic.committed(self.bootstrap, self.group).get(self.at)


@pytest.fixture
def bench(live_broker: KafkaBroker, settings: KafkaSettings, fresh: Callable[[str], str]) -> Iterator[Bench]:
    bootstrap, group = live_broker.bootstrap, fresh("group")
    source = topic.create(bootstrap, fresh("source"))
    target = topic.create(bootstrap, fresh("target"), config={"max.message.bytes": "200000"})
    consumer = join(settings, group, "0", source)
    producer = TransactionalProducer(
        lambda: make_producer(settings, slot_id(group, "0")), settings.transactions
    )
    producer.open()
    yield Bench(settings, bootstrap, group, source, target, consumer, producer)
    producer.close()
    consumer.close(autocommit=False, timeout_ms=5000)


def join(settings: KafkaSettings, group: str, slot: str, source: str) -> Any:
    """A member of the group that is stable."""
    consumer = make_consumer(settings, group, slot)
    consumer.subscribe([source])
    become_stable(consumer)
    return consumer


def become_stable(consumer: Any) -> None:
    """Poll until the consumer is a stable member."""
    nudge = JoinNudge()

    def stable() -> bool:
        consumer.poll(timeout_ms=100)
        return nudge.stable(consumer)

    wait_for("the member to be stable", stable)


def test_records_and_offsets_become_visible_together(bench: Bench) -> None:
    assert isinstance(bench.publish(3, b"one", b"two"), Committed)
    assert isinstance(bench.publish(5, b"three"), Committed)
    assert bench.visible() == [b"one", b"two", b"three"]
    assert bench.committed == 5


def test_offsets_alone_and_a_tombstone_are_fine(bench: Bench) -> None:
    assert isinstance(bench.publish(1), Committed)
    outgoing = [Outgoing(bench.target, b"gone", None)]
    verdict = bench.producer.publish(
        outgoing, {bench.at: 2}, bench.consumer.group_metadata(), bench.read_committed
    )
    assert isinstance(verdict, Committed)
    assert bench.visible() == [None]


def _break_sequence(bench: Bench) -> None:
    """Make the broker refuse the next batch: it expects the next sequence number, and gets one far ahead."""
    bench.raw._transaction_manager.set_sequence_number(TopicPartition(bench.target, 0), 5000)


def test_the_defect_without_the_guard_a_commit_returns_and_nothing_is_committed(bench: Bench) -> None:
    """Shows what the guard is for. When this fails, kafka-python is repaired: see docs/decisions.md."""
    assert isinstance(bench.publish(1, b"before"), Committed)
    raw = bench.raw
    raw.config["linger_ms"] = raw._accumulator.config["linger_ms"] = 60_000
    raw.begin_transaction()
    _break_sequence(bench)
    raw.send(bench.target, b"lost", b"k", partition=0)
    raw.send_offsets_to_transaction({bench.at: OffsetAndMetadata(2, "", -1)}, bench.consumer.group_metadata())
    raw.commit_transaction()  # no error
    assert bench.visible() == [b"before"]
    assert bench.committed == 1


def test_the_defect_with_the_guard_is_an_abort_and_the_repetition_arrives(bench: Bench) -> None:
    assert isinstance(bench.publish(1, b"before"), Committed)
    _break_sequence(bench)
    verdict = bench.publish(2, b"kept")
    assert isinstance(verdict, Aborted)
    assert verdict.failure is Failure.BROKEN
    assert bench.committed == 1
    assert isinstance(bench.publish(2, b"kept"), Committed)
    assert bench.visible() == [b"before", b"kept"]
    assert bench.committed == 2


def _commit_overtaken_by_a_bump(raw: Any) -> Callable[[], None]:
    """The client's own commit, with an epoch bump slipping in before its request is sent."""
    manager = raw._transaction_manager

    def commit() -> None:
        with manager._lock:
            result = manager.begin_commit()
            manager.bump_producer_id_and_epoch()
        raw._sender.wakeup()
        result.wait()

    return commit


@pytest.mark.parametrize("blind", [False, True], ids=["epoch seen", "private state unreadable"])
def test_a_bump_in_the_middle_of_the_commit_is_found_out(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, blind: bool
) -> None:
    assert isinstance(bench.publish(1, b"before"), Committed)
    if blind:  # as after an upgrade of kafka-python: then the broker is asked every time
        monkeypatch.setattr(transaction, "evidence", lambda producer: None)
    bench.raw.commit_transaction = _commit_overtaken_by_a_bump(bench.raw)
    verdict = bench.publish(2, b"kept")
    assert isinstance(verdict, Aborted)
    assert isinstance(bench.publish(2, b"kept"), Committed)
    assert bench.visible() == [b"before", b"kept"]
    assert bench.committed == 2


def test_a_commit_that_took_effect_but_never_returned_counts_as_committed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        bench.producer, "_settings", bench.settings.transactions.model_copy(update={"deadline_seconds": 2.0})
    )
    commit, never = bench.raw.commit_transaction, threading.Event()

    def commit_and_hang() -> None:
        commit()
        never.wait()

    bench.raw.commit_transaction = commit_and_hang
    assert isinstance(bench.publish(1, b"once"), Committed)
    assert isinstance(bench.publish(2, b"next"), Committed)
    assert bench.visible() == [b"once", b"next"]


def test_a_commit_that_hangs_without_effect_counts_as_aborted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        bench.producer, "_settings", bench.settings.transactions.model_copy(update={"deadline_seconds": 2.0})
    )
    bench.raw.commit_transaction = threading.Event().wait
    assert isinstance(bench.publish(1, b"once"), Aborted)
    assert isinstance(bench.publish(1, b"once"), Committed)
    assert bench.visible() == [b"once"]


@pytest.mark.parametrize("step", ["flush", "send_offsets_to_transaction", "commit_transaction"])
def test_fenced_by_another_producer_of_the_same_name_at_any_step(bench: Bench, step: str) -> None:
    original = getattr(bench.raw, step)
    others = []

    def fenced_first(*arguments: Any) -> Any:
        other = make_producer(bench.settings, slot_id(bench.group, "0"))
        other.init_transactions()
        others.append(other)
        return original(*arguments)

    setattr(bench.raw, step, fenced_first)
    verdict = bench.publish(1, b"once")
    assert isinstance(verdict, Aborted)
    assert verdict.failure is Failure.BROKEN
    assert isinstance(bench.publish(1, b"once"), Committed)
    assert bench.visible() == [b"once"]
    for other in others:
        other.close()


def test_a_stale_generation_is_refused(bench: Bench) -> None:
    stale = bench.consumer.group_metadata()
    # A second member joins, which starts a new generation; polling in a thread is how both complete it.
    with polling(bench.consumer):
        second = join(bench.settings, bench.group, "1", bench.source)
        wait_for(
            "the new generation",
            lambda: bench.consumer.group_metadata().generation_id > stale.generation_id,
        )
    verdict = bench.publish(1, b"once", group=stale)
    assert isinstance(verdict, Aborted)
    assert verdict.failure is Failure.STALE_MEMBER
    assert bench.committed is None
    second.close(autocommit=False, timeout_ms=5000)


class polling:  # noqa: N801 - reads as a statement
    """Polls a consumer in a thread while the body runs; nothing else may touch the consumer meanwhile."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._end.is_set():
            self._consumer.poll(timeout_ms=50)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()


def test_a_slot_that_another_process_took_over_ends_this_one(bench: Bench) -> None:
    zombie = bench.consumer.group_metadata()
    second = join(bench.settings, bench.group, "0", bench.source)
    with pytest.raises(SlotTakenError):
        bench.publish(1, b"once", group=zombie)
    assert bench.visible() == []
    second.close(autocommit=False, timeout_ms=5000)


@pytest.mark.parametrize("size_bytes", [150_000, 1_200_000], ids=["broker refuses", "client refuses"])
def test_a_record_too_large_is_named_and_the_next_batch_arrives(bench: Bench, size_bytes: int) -> None:
    # Incompressible: 150 kB in hex is 300 kB, above the topic's 200 kB and below the client's limit.
    large = os.urandom(size_bytes).hex().encode()
    verdict = bench.publish(1, b"small", large, b"small too")
    assert isinstance(verdict, Aborted)
    assert verdict.failure is Failure.UNPUBLISHABLE
    assert isinstance(bench.publish(1, b"small"), Committed)
    assert bench.visible() == [b"small"]


@pytest.mark.parametrize("step", ["send_offsets_to_transaction", "commit_transaction"])
def test_a_broker_restart_between_two_steps_loses_and_doubles_nothing(
    bench: Bench, live_broker: KafkaBroker, step: str
) -> None:
    assert isinstance(bench.publish(1, b"before"), Committed)
    original = getattr(bench.raw, step)

    def after_a_restart(*arguments: Any) -> Any:
        live_broker.restart(kill=True)
        return original(*arguments)

    setattr(bench.raw, step, after_a_restart)
    verdict = bench.publish(2, b"once")
    if isinstance(verdict, Aborted):
        assert bench.committed == 1
        become_stable(bench.consumer)
        assert isinstance(bench.publish(2, b"once"), Committed)
    assert bench.visible() == [b"before", b"once"]
    assert bench.committed == 2


def _refused_offsets(bench: Bench) -> ConsumerGroupMetadata:
    """Metadata of a member that the group does not know."""
    return ConsumerGroupMetadata(bench.group, 1, "unknown-member", None, MemberState.STABLE)


def test_the_leftover_offsets_of_an_aborted_batch_are_committed_by_the_client(bench: Bench) -> None:
    """Why no producer is used after an abort. When this fails, kafka-python is repaired."""
    raw, others = bench.raw, TopicPartition(bench.target, 0)
    raw.begin_transaction()
    with pytest.raises(CommitFailedError):
        raw.send_offsets_to_transaction({others: OffsetAndMetadata(7, "", -1)}, _refused_offsets(bench))
    raw.abort_transaction()
    raw.begin_transaction()
    raw.send_offsets_to_transaction({bench.at: OffsetAndMetadata(1, "", -1)}, bench.group)
    raw.commit_transaction()
    assert topic.committed(bench.bootstrap, bench.group) == {bench.at: 1, others: 7}


def test_an_aborted_batch_leaves_no_offsets_behind(bench: Bench) -> None:
    others = TopicPartition(bench.target, 0)
    verdict = bench.producer.publish([], {others: 7}, _refused_offsets(bench), bench.read_committed)
    assert isinstance(verdict, Aborted)
    assert isinstance(bench.publish(1), Committed)
    assert topic.committed(bench.bootstrap, bench.group) == {bench.at: 1}


def test_a_committed_position_is_never_old_news(bench: Bench) -> None:
    """The first assertion shows kafka-python's leftover; when it fails, `positions.py` may read once."""
    assert isinstance(bench.publish(5), Committed)
    with pytest.raises(KafkaTimeoutError):
        bench.consumer.committed(bench.at, timeout_ms=0)
    # The abandoned fetch must have its answer before the next commit, and nothing shows that from outside.
    fetches = bench.consumer._coordinator._offset_fetch_futures
    wait_for("the abandoned fetch", lambda: all(each.is_done for each in fetches.values()))
    other = TransactionalProducer(
        lambda: make_producer(bench.settings, bench.group), bench.settings.transactions
    )
    other.publish([], {bench.at: 20}, bench.group, bench.read_committed)
    assert bench.consumer.committed(bench.at, timeout_ms=10_000) == 5
    with pytest.raises(KafkaTimeoutError):
        bench.consumer.committed(bench.at, timeout_ms=0)
    assert bench.read_committed([bench.at])[bench.at].offset == 20
    other.close()


def test_a_member_is_never_left_half_joined_by_short_polls(
    settings: KafkaSettings, fresh: Callable[[str], str]
) -> None:
    for number in range(4):
        source = topic.create(settings.bootstrap_servers[0], fresh(f"joined{number}"))
        consumer = make_consumer(settings, fresh(f"joining{number}"))
        consumer.subscribe([source])
        assert _eventually_assigned(consumer)
        consumer.close(autocommit=False, timeout_ms=5000)


def _eventually_assigned(consumer: Any) -> Any:
    nudge = JoinNudge()

    def assigned() -> Any:
        consumer.poll(timeout_ms=20)
        return nudge.stable(consumer) and consumer.assignment()

    return wait_for("the assignment", assigned)


def test_an_open_transaction_holds_readers_until_its_owner_is_fenced(bench: Bench) -> None:
    bench.raw.begin_transaction()
    bench.raw.send(bench.target, b"open", b"k", partition=0).get(timeout=10)
    successor = TransactionalProducer(
        lambda: make_producer(bench.settings, slot_id(bench.group, "0")), bench.settings.transactions
    )
    successor.open()
    verdict = successor.publish(
        [Outgoing(bench.target, b"k", b"after")],
        {bench.at: 1},
        bench.consumer.group_metadata(),
        bench.read_committed,
    )
    assert isinstance(verdict, Committed)
    assert bench.visible() == [b"after"]
    successor.close()
