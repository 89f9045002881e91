"""What each error means for the worker."""

from types import SimpleNamespace

import pytest
from kafka import errors

from workers.kafka.classify import Failure, classify
from workers.kafka.errors import DeadlineExceededError


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (errors.CommitFailedError(), Failure.STALE_MEMBER),
        (errors.IllegalGenerationError(), Failure.STALE_MEMBER),
        (errors.FencedInstanceIdError(), Failure.SLOT_TAKEN),
        (errors.MessageSizeTooLargeError(), Failure.UNPUBLISHABLE),
        (ValueError("no partition"), Failure.UNPUBLISHABLE),
        (errors.TopicAuthorizationFailedError(), Failure.REFUSED),
        (errors.TransactionalIdAuthorizationFailedError(), Failure.REFUSED),
        (errors.ProducerFencedError(), Failure.BROKEN),
        (errors.OutOfOrderSequenceNumberError(), Failure.BROKEN),
        (errors.KafkaTimeoutError(), Failure.BROKEN),
        (DeadlineExceededError(), Failure.BROKEN),
        (RuntimeError("never seen before"), Failure.BROKEN),
    ],
)
def test_classes(error: BaseException, failure: Failure) -> None:
    assert classify(error) is failure


def test_looks_behind_a_wrapped_error() -> None:
    manager = SimpleNamespace(last_error=errors.MessageSizeTooLargeError())
    producer = SimpleNamespace(_transaction_manager=manager)
    wrapped = errors.KafkaError("we are in an error state")
    assert classify(wrapped, producer) is Failure.UNPUBLISHABLE
    assert classify(wrapped, SimpleNamespace()) is Failure.BROKEN
