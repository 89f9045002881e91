"""Dead letters keep the record whole, and too many of them stop the worker."""

import pytest

from config.kafka import DeadLetterSettings
from tests.unit.kafka.records import FakeRecord
from workers.kafka import deadletters
from workers.kafka.deadletters import DeadLetterLimiter, dead_letter, header
from workers.kafka.errors import DeadLetterLimitError
from workers.kafka.redrive import restore


@pytest.mark.parametrize("value", [b"body", b"", None, b"\xff\x00"])
@pytest.mark.parametrize("key", [b"k", b"", None])
def test_there_and_back_is_the_same_record(key: bytes | None, value: bytes | None) -> None:
    record = FakeRecord(2, 7, value, key, headers=[("source", b"AP")])
    letter = dead_letter(record, "parse", ValueError("no id"), "articles.dead")
    assert header(letter.headers, deadletters.OFFSET) == b"7"
    back = restore(FakeRecord(0, 0, letter.value, letter.key, "articles.dead", 1, letter.headers))
    if key is None and value is None:
        value = b""  # Kafka cannot hold a record without both; empty comes closest
    assert (back.topic, back.key, back.value) == ("articles", key, value)
    assert ("source", b"AP") in back.headers


def test_a_long_exception_and_a_large_value_are_cut() -> None:
    record = FakeRecord(0, 0, b"x" * 1000)
    letter = dead_letter(record, "too_large", ValueError("y" * 10_000), "dead", 100)
    assert letter.value == b"x" * 100
    assert header(letter.headers, deadletters.CUT) == b"1"
    assert len(header(letter.headers, deadletters.EXCEPTION) or b"") == 2000


LIMITS = DeadLetterSettings(max_ratio=0.2, window_records=100, min_records=20)


def test_no_verdict_on_few_records() -> None:
    DeadLetterLimiter(LIMITS).check(19, 19)


def test_a_bad_deploy_is_stopped_before_its_batch_is_published() -> None:
    limiter = DeadLetterLimiter(LIMITS)
    limiter.count(50, 0)
    limiter.check(50, 20)
    with pytest.raises(DeadLetterLimitError, match=r"21 of the last 100 records \(21%\)"):
        limiter.check(50, 21)


def test_old_batches_leave_the_window() -> None:
    limiter = DeadLetterLimiter(LIMITS)
    limiter.count(100, 20)
    limiter.count(100, 0)
    limiter.check(100, 20)
