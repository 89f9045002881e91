"""What an error during a transaction means for the worker."""

from enum import StrEnum
from typing import Any

from kafka import errors as kafka_errors

from workers.kafka.producer_state import last_error


class Failure(StrEnum):
    """Why a transaction was undone, and so what to do next."""

    STALE_MEMBER = "stale_member"
    """The group moved on: abort, go back to the committed positions."""
    UNPUBLISHABLE = "unpublishable"
    """A record that the broker will never take: abort, find it, send it to the dead letters."""
    SLOT_TAKEN = "slot_taken"
    """Another process has this slot's group.instance.id: end."""
    REFUSED = "refused"
    """A permission is missing: end."""
    BROKEN = "broken"
    """Fenced, timed out or in an unknown state: abort and read the batch again."""


_BY_TYPE: tuple[tuple[tuple[type[BaseException], ...], Failure], ...] = (
    ((kafka_errors.FencedInstanceIdError,), Failure.SLOT_TAKEN),
    (
        (
            kafka_errors.CommitFailedError,
            kafka_errors.IllegalGenerationError,
            kafka_errors.UnknownMemberIdError,
            kafka_errors.RebalanceInProgressError,
        ),
        Failure.STALE_MEMBER,
    ),
    (
        (
            kafka_errors.MessageSizeTooLargeError,
            kafka_errors.RecordListTooLargeError,
            kafka_errors.InvalidRecordError,
            kafka_errors.InvalidTimestampError,
            # send() raises these for a record without key and value, and for a partition that does not exist.
            ValueError,
            TypeError,
        ),
        Failure.UNPUBLISHABLE,
    ),
    ((kafka_errors.AuthorizationError, kafka_errors.SaslAuthenticationFailedError), Failure.REFUSED),
)


def classify(error: BaseException, producer: Any = None) -> Failure:
    """The meaning of an error; of its cause, where kafka-python wrapped it in a bare `KafkaError`."""
    if type(error) is kafka_errors.KafkaError and producer is not None:
        error = last_error(producer) or error
    for types, failure in _BY_TYPE:
        if isinstance(error, types):
            return failure
    return Failure.BROKEN
