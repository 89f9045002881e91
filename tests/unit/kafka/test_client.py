"""Connecting: patient with an absent broker, final with a refusal."""

import pytest
from kafka import errors

from config.kafka import KafkaSettings
from workers.kafka.client import connect
from workers.kafka.errors import BrokerUnreachableError, CredentialsRefusedError


class Time:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_retries_with_growing_pauses_until_the_broker_is_there() -> None:
    time, answers = Time(), [errors.KafkaTimeoutError(), errors.KafkaConnectionError(), None]

    def build() -> str:
        answer = answers.pop(0)
        if answer is not None:
            raise answer
        return "client"

    assert connect(build, KafkaSettings(), clock=time.clock, sleep=time.sleep) == "client"
    assert time.slept[0] < time.slept[1]


def test_gives_up_with_one_line_that_says_what_to_check() -> None:
    time = Time()

    def build() -> str:
        raise errors.KafkaTimeoutError("bootstrap")

    with pytest.raises(BrokerUnreachableError, match=r"localhost:9092 within 60 s.*check bootstrap_servers"):
        connect(build, KafkaSettings(), clock=time.clock, sleep=time.sleep)
    assert time.now <= 60


def test_a_refusal_is_not_retried() -> None:
    time = Time()

    def build() -> str:
        raise errors.SaslAuthenticationFailedError("no")

    with pytest.raises(CredentialsRefusedError, match="check security_protocol and the sasl section"):
        connect(build, KafkaSettings(), clock=time.clock, sleep=time.sleep)
    assert time.slept == []
