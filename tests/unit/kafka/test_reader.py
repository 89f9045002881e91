"""Reading a whole topic: in which order, how far, and what is said when it cannot be."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from kafka import TopicPartition, errors

from tests.unit.kafka.records import P0, P1, FakeRecord
from workers.kafka.errors import BrokerUnreachableError, CredentialsRefusedError, TopicsWrongError
from workers.kafka.reader import PATIENCE_SECONDS, TopicReader


class FakeLog:
    """A topic and a consumer of it. ``None`` among the records: a commit marker."""

    def __init__(self, *partitions: Sequence[int | None]) -> None:
        """One list a partition: the records' timestamps."""
        self.log = dict(zip((P0, P1), map(list, partitions), strict=False))
        self.begins = dict.fromkeys(self.log, 0)
        self.positions: dict[Any, int] = dict(self.begins)
        self.paused: set[TopicPartition] = set()
        self.error: Exception | None = None
        self.polls = 0
        self.silent = False

    def partitions_for_topic(self, topic: str) -> set[int]:
        return {at.partition for at in self.log} if topic == "articles" else set()

    def assign(self, partitions: Sequence[TopicPartition]) -> None: ...

    def beginning_offsets(self, partitions: Sequence[TopicPartition], timeout_ms: int) -> dict[Any, int]:
        return dict(self.begins)

    def end_offsets(self, partitions: Sequence[TopicPartition], timeout_ms: int) -> dict[Any, int]:
        if self.error is not None:
            raise self.error
        return {at: len(log) for at, log in self.log.items()}

    def offsets_for_times(self, times: Mapping[TopicPartition, int], timeout_ms: int) -> dict[Any, Any]:
        def first(at: TopicPartition) -> Any:
            later = [n for n, moment in enumerate(self.log[at]) if moment is not None and moment >= times[at]]
            return SimpleNamespace(offset=later[0]) if later else None

        return {at: first(at) for at in times}

    def seek(self, at: TopicPartition, offset: int) -> None:
        self.positions[at] = offset

    def position(self, at: TopicPartition, timeout_ms: int) -> int:
        return self.positions[at]

    def pause(self, *partitions: TopicPartition) -> None:
        self.paused |= set(partitions)

    def resume(self, *partitions: TopicPartition) -> None:
        self.paused -= set(partitions)

    def poll(self, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[FakeRecord]]:
        """At most two offsets of each partition that is not paused."""
        self.polls += 1
        found = {}
        for at, log in self.log.items():
            if at in self.paused or self.silent:
                continue
            begin = self.positions[at]
            self.positions[at] = min(len(log), begin + 2)
            records = [
                FakeRecord(at.partition, n, timestamp=moment)
                for n in range(begin, self.positions[at])
                if (moment := log[n]) is not None
            ]
            if records:
                found[at] = records
        return found


def times(reader: TopicReader) -> list[int]:
    return [record.timestamp for record in reader.poll()]


def test_partitions_come_in_the_order_of_time() -> None:
    reader = TopicReader(FakeLog([1, 2, 8, 9, None], [3, 4, 5, 10, None]), "articles", "broker")
    assert times(reader) == [1, 2, 3, 4, 5, 8, 9, 10]
    assert times(reader) == []


def test_records_within_a_partition_keep_their_order_whatever_their_times() -> None:
    reader = TopicReader(FakeLog([5, 1, 6], [2, 3]), "articles", "broker")
    assert times(reader) == [2, 3, 5, 1, 6]


def test_goes_on_where_it_stopped_and_past_markers() -> None:
    log = FakeLog([1, None], [])
    reader = TopicReader(log, "articles", "broker")
    assert times(reader) == [1]
    log.log[P0] += [None, 3, None]
    log.log[P1] += [2]
    assert times(reader) == [2, 3]
    assert reader.progress == (5, 6)  # the last marker is behind what was handed out


def test_a_record_comes_again_when_the_one_who_took_it_did_not_go_on() -> None:
    reader = TopicReader(FakeLog([1, 2, 3]), "articles", "broker")
    assert next(reader.poll()).timestamp == 1
    assert times(reader) == [1, 2, 3]


def test_begins_at_a_time() -> None:
    log = FakeLog([10, 20, 30], [5, 15])
    assert times(TopicReader(log, "articles", "broker", since_ms=18)) == [20, 30]
    log.log[P1].append(40)
    assert times(TopicReader(log, "articles", "broker", since_ms=-5)) == [5, 10, 15, 20, 30, 40]


def test_a_topic_that_was_made_anew_is_read_from_its_beginning() -> None:
    log = FakeLog([1, 2, 3], [])
    reader = TopicReader(log, "articles", "broker")
    assert times(reader) == [1, 2, 3]
    log.log[P0] = [7]
    assert times(reader) == [7]
    assert reader.restarts == 1


def test_a_missing_topic_says_how_to_make_it() -> None:
    with pytest.raises(TopicsWrongError, match=r"no topic other at broker.*samewire topics --apply"):
        TopicReader(FakeLog([1]), "other", "broker")


def test_what_the_broker_says_is_told_with_the_next_step() -> None:
    log = FakeLog([1])
    reader = TopicReader(log, "articles", "broker")
    log.error = errors.KafkaTimeoutError("gone")
    with pytest.raises(BrokerUnreachableError, match=r"articles cannot be read from broker.*broker is up"):
        times(reader)
    log.error = errors.TopicAuthorizationFailedError("no")
    with pytest.raises(CredentialsRefusedError, match="may read"):
        times(reader)
    log.error = None
    assert times(reader) == [1]


def test_gives_up_when_nothing_comes() -> None:
    log = FakeLog([1])
    log.silent = True
    now = iter(range(0, 1000, 3))
    reader = TopicReader(log, "articles", "broker", clock=lambda: next(now))
    with pytest.raises(BrokerUnreachableError, match=f"nothing came for {PATIENCE_SECONDS:g} s"):
        times(reader)
    assert log.polls < 10
