"""Batches are bounded by count, bytes and time, and lose nothing."""

from config.kafka import BatchSettings
from tests.unit.kafka.records import P0, P1, run
from workers.kafka.batch import BatchBuffer

SETTINGS = BatchSettings(records=10, size_bytes=1000, seconds=0.5, buffered_records=20)


def test_an_empty_buffer_is_never_due() -> None:
    assert BatchBuffer(SETTINGS).wait_seconds(1e9) == float("inf")


def test_due_by_count() -> None:
    buffer = BatchBuffer(SETTINGS)
    buffer.add({P0: run(0, 0, 9)}, 1.0)
    assert buffer.wait_seconds(1.0) == 0.5
    buffer.add({P0: run(0, 9, 1)}, 1.0)
    assert buffer.wait_seconds(1.0) == 0.0


def test_due_by_bytes() -> None:
    buffer = BatchBuffer(SETTINGS)
    buffer.add({P0: run(0, 0, 2, b"x" * 500)}, 1.0)
    assert buffer.wait_seconds(1.0) == 0.0


def test_due_by_time_counted_from_the_first_record() -> None:
    buffer = BatchBuffer(SETTINGS)
    buffer.add({P0: run(0, 0, 1)}, 1.0)
    buffer.add({P0: run(0, 1, 1)}, 1.4)
    assert buffer.wait_seconds(1.4) < 0.11
    assert buffer.wait_seconds(1.5) == 0.0


def test_takes_at_most_a_batch_and_the_next_offset_of_each_partition() -> None:
    buffer = BatchBuffer(SETTINGS)
    buffer.add({P0: run(0, 100, 7), P1: run(1, 5, 7)}, 0.0)
    first = buffer.take(0.0)
    assert first.offsets == {P0: 107, P1: 8}
    assert len(first.records) == 10
    second = buffer.take(0.0)
    assert second.offsets == {P1: 12}
    assert buffer.records == buffer.size_bytes == 0


def test_a_busy_partition_does_not_starve_the_others() -> None:
    buffer = BatchBuffer(SETTINGS)
    buffer.add({P0: run(0, 0, 15), P1: run(1, 0, 5)}, 0.0)
    buffer.take(0.0)
    assert P1 in buffer.take(0.0).offsets


def test_one_record_above_the_byte_bound_is_a_batch_of_its_own() -> None:
    buffer = BatchBuffer(SETTINGS)
    buffer.add({P0: run(0, 0, 2, b"x" * 5000)}, 0.0)
    assert len(buffer.take(0.0).records) == 1


def test_a_tombstone_counts_as_a_record() -> None:
    buffer = BatchBuffer(SETTINGS)
    buffer.add({P0: run(0, 0, 1, None)}, 0.0)
    assert buffer.take(0.0).offsets == {P0: 1}


def test_a_revoked_partition_is_forgotten_with_its_bytes() -> None:
    buffer = BatchBuffer(SETTINGS)
    buffer.add({P0: run(0, 0, 3), P1: run(1, 0, 4)}, 0.0)
    buffer.drop([P0])
    assert buffer.take(0.0).offsets == {P1: 4}
    assert buffer.size_bytes == 0


def test_full_when_enough_is_read_ahead() -> None:
    buffer = BatchBuffer(SETTINGS)
    buffer.add({P0: run(0, 0, 19)}, 0.0)
    assert not buffer.full
    buffer.add({P0: run(0, 19, 1)}, 0.0)
    assert buffer.full
