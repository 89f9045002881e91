"""The main loop with a fake consumer: which events it acts on, and in which order."""

from collections.abc import Collection, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from kafka import OffsetAndMetadata, TopicPartition
from kafka.structs import MemberState

from config.kafka import KafkaSettings
from tests.unit.kafka.records import P0, P1, FakeRecord, run
from workers.kafka.classify import Failure
from workers.kafka.errors import UnpublishableError
from workers.kafka.loop import WorkerLoop
from workers.kafka.records import Outcome, Outgoing, Record
from workers.kafka.stop import StopFlag
from workers.kafka.transaction import Aborted, Committed


class FakeConsumer:
    """Hands out what the test scripted, one entry a poll."""

    def __init__(self) -> None:
        self.script: list[dict[TopicPartition, list[FakeRecord]]] = []
        self.owned: set[TopicPartition] = {P0}
        self.paused_now: set[TopicPartition] = set()
        self.positions: dict[TopicPartition, int] = {}
        self.committed_now: dict[TopicPartition, int] = {}
        self.state = MemberState.STABLE
        self.member_id = "m1"
        self.listener: Any = None

    def subscribe(self, topics: Sequence[str], listener: Any) -> None:
        self.listener = listener

    def poll(self, timeout_ms: int) -> Mapping[TopicPartition, list[FakeRecord]]:
        return self.script.pop(0) if self.script else {}

    def assignment(self) -> set[TopicPartition]:
        return self.owned

    def paused(self) -> set[TopicPartition]:
        return self.paused_now

    def pause(self, *partitions: TopicPartition) -> None:
        self.paused_now |= set(partitions)

    def resume(self, *partitions: TopicPartition) -> None:
        self.paused_now -= set(partitions)

    def seek(self, at: TopicPartition, offset: int) -> None:
        self.positions[at] = offset

    def seek_to_beginning(self, at: TopicPartition) -> None:
        self.positions[at] = 0

    def committed(self, at: TopicPartition, metadata: bool, timeout_ms: int) -> OffsetAndMetadata | None:
        offset = self.committed_now.get(at)
        return None if offset is None else OffsetAndMetadata(offset, "", -1)

    def beginning_offsets(
        self, partitions: Sequence[TopicPartition], timeout_ms: int
    ) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)

    def group_metadata(self) -> Any:
        return SimpleNamespace(state=self.state, member_id=self.member_id)


class FakeProducer:
    """Commits, unless the script says otherwise or a value is unpublishable."""

    def __init__(self, consumer: FakeConsumer) -> None:
        self.consumer = consumer
        self.verdicts: list[Aborted] = []
        self.published: list[bytes | None] = []
        self.poison = b"poison"
        self.transactions = 0

    def open(self) -> None: ...

    def publish(
        self, records: Sequence[Outgoing], offsets: Mapping[TopicPartition, int], group: Any, read: Any
    ) -> Committed | Aborted:
        self.transactions += 1
        if self.verdicts:
            return self.verdicts.pop(0)
        if any(record.value == self.poison for record in records):
            return Aborted(Failure.UNPUBLISHABLE, ValueError("too large"))
        self.published += [record.value for record in records]
        self.consumer.committed_now |= offsets
        return Committed(0.01)


class FakeStep:
    """Copies values; raises on `bad`."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.is_ready = True
        self.dead_value = b"dead"

    def on_assigned(self, partitions: Collection[TopicPartition]) -> None:
        self.events.append("assigned")

    def on_revoked(self, partitions: Collection[TopicPartition]) -> None:
        self.events.append("revoked")

    def ready(self) -> bool:
        return self.is_ready

    def process(self, records: Sequence[Record]) -> Outcome:
        if any(record.value == b"bad" for record in records):
            raise ValueError("bad")
        self.events.append(f"process {len(records)}")
        return Outcome([Outgoing("out", record.key, record.value) for record in records])

    def reject(self, record: Record, error: BaseException) -> Outcome:
        self.events.append(f"reject {record.offset}")
        return Outcome([Outgoing("dead", record.key, self.dead_value)], dead_letters=1)

    def idle(self) -> Outcome | None:
        return None

    def committed(self) -> None:
        self.events.append("committed")

    def aborted(self) -> None:
        self.events.append("aborted")


class Rig:
    """A loop with its fakes; `turn` is one slice."""

    def __init__(self) -> None:
        self.consumer = FakeConsumer()
        self.producer = FakeProducer(self.consumer)
        self.step = FakeStep()
        self.stop = StopFlag(1)
        self.now = 0.0
        self.loop = WorkerLoop(
            consumer=self.consumer,
            producer=self.producer,  # type: ignore[arg-type] # a fake with the methods that the loop calls
            step=self.step,
            topic="articles",
            settings=KafkaSettings(),
            stop=self.stop,
            clock=lambda: self.now,
        )
        self.own({P0})

    def own(self, partitions: set[TopicPartition]) -> None:
        """A rebalance gives these partitions, and one slice takes them over."""
        self.loop._notes.on_partitions_assigned(partitions - (self.consumer.owned - {P0}))
        self.consumer.owned = partitions
        self.turn()
        self.step.events.clear()

    def turn(self, polled: dict[TopicPartition, list[FakeRecord]] | None = None, times: int = 1) -> None:
        if polled is not None:
            self.consumer.script.append(polled)
        for _ in range(times):
            self.loop._turn()

    def feed(self, log: list[FakeRecord], turns: int) -> None:
        """Serve a partition's log from the consumer's position, as a broker does."""
        self.consumer.positions.setdefault(P0, 0)
        for _ in range(turns):
            position = self.consumer.positions[P0]
            polled = log[position:]
            if polled:
                self.consumer.positions[P0] = len(log)
                self.consumer.script.append({P0: polled})
            self.loop._turn()


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_batch_waits_for_company_but_not_when_the_broker_has_no_more(rig: Rig) -> None:
    rig.turn({P0: run(0, 0, 3)})
    assert rig.producer.published == []
    rig.turn({})
    assert rig.producer.published == [b"v"] * 3
    assert rig.step.events == ["process 3", "committed"]


def test_an_abort_throws_state_away_and_reads_again_from_the_committed_positions(rig: Rig) -> None:
    rig.consumer.committed_now = {P0: 40}
    rig.producer.verdicts = [Aborted(Failure.STALE_MEMBER, ValueError("moved on"))]
    rig.turn({P0: run(0, 41, 3)}, times=2)
    assert rig.step.events == ["process 3", "aborted"]
    assert rig.consumer.positions == {P0: 40}


def test_nothing_is_processed_while_the_group_is_rebalancing(rig: Rig) -> None:
    rig.consumer.state = MemberState.REBALANCING
    rig.turn({P0: run(0, 0, 3)}, times=3)
    assert rig.step.events == []
    rig.consumer.state = MemberState.STABLE
    rig.turn()
    assert rig.step.events == ["process 3", "committed"]


def test_records_of_a_revoked_partition_are_dropped_before_the_step_forgets_it(rig: Rig) -> None:
    rig.own({P0, P1})
    rig.turn({P0: run(0, 0, 2), P1: run(1, 0, 2)})
    rig.loop._notes.on_partitions_revoked([P1])
    rig.consumer.owned = {P0}
    rig.turn()
    assert rig.step.events == ["revoked", "process 2", "committed"]


def test_a_new_owner_starts_at_the_committed_position_whatever_the_client_polled(rig: Rig) -> None:
    rig.consumer.committed_now = {P1: 70}
    rig.consumer.owned = {P0, P1}
    rig.loop._notes.on_partitions_assigned([P1])
    rig.turn({P1: run(1, 50, 5)}, times=3)
    assert rig.consumer.positions[P1] == 70
    assert rig.step.events == ["assigned"]


def test_a_member_that_was_expelled_unnoticed_gives_everything_up_first(rig: Rig) -> None:
    rig.turn({P0: run(0, 0, 3)})
    rig.consumer.committed_now = {P0: 40}  # by whoever had the partition meanwhile
    rig.consumer.member_id = "m2"
    rig.turn(times=2)
    assert rig.step.events == ["revoked", "assigned"]
    assert rig.consumer.positions[P0] == 40
    assert rig.producer.published == []


def test_a_position_that_went_back_is_never_published_again(rig: Rig) -> None:
    rig.turn({P0: run(0, 0, 3)}, times=2)
    rig.turn({P0: run(0, 1, 2)}, times=2)
    assert rig.step.events == ["process 3", "committed", "aborted"]
    assert rig.consumer.positions[P0] == 3


def test_input_is_held_while_the_step_restores_and_flows_again_after(rig: Rig) -> None:
    rig.step.is_ready = False
    rig.turn({P0: run(0, 0, 2)}, times=2)
    assert rig.consumer.paused_now == {P0}
    assert rig.step.events == []
    rig.step.is_ready = True
    rig.turn()
    assert rig.consumer.paused_now == set()
    assert rig.step.events == ["process 2", "committed"]


@pytest.mark.parametrize("value", [b"bad", b"poison"], ids=["the step raises", "the broker refuses"])
def test_one_bad_record_among_many_is_found_and_rejected(rig: Rig, value: bytes) -> None:
    log = run(0, 0, 500)
    log[321] = FakeRecord(0, 321, value)
    rig.feed(log, turns=60)
    assert "reject 321" in rig.step.events
    assert len(rig.producer.published) == 500
    assert rig.producer.published.count(b"dead") == 1
    assert rig.consumer.committed_now == {P0: 500}


def test_two_bad_records_are_both_found(rig: Rig) -> None:
    log = run(0, 0, 100)
    log[3] = FakeRecord(0, 3, b"bad")
    log[97] = FakeRecord(0, 97, b"poison")
    rig.feed(log, turns=80)
    assert [event for event in rig.step.events if event.startswith("reject")] == ["reject 3", "reject 97"]
    assert len(rig.producer.published) == 100


def test_a_dead_letter_that_is_refused_too_ends_the_worker(rig: Rig) -> None:
    rig.step.dead_value = b"poison"
    with pytest.raises(UnpublishableError):
        rig.feed([FakeRecord(0, 0, b"bad")], turns=20)


def test_a_stop_request_ends_the_loop_between_two_slices(rig: Rig) -> None:
    rig.stop.request()
    rig.loop.run()
    assert rig.step.events == []
