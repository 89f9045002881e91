"""What a consumer group is doing, asked from outside, and where a new one begins."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from kafka import OffsetAndMetadata, TopicPartition
from kafka import errors as kafka_errors

from workers.kafka.errors import BrokerUnreachableError

T = TypeVar("T")
# A cluster that has never had a group makes its topic of offsets first, which takes some seconds.
PATIENCE_SECONDS = 30.0
RETRY_SECONDS = 0.2


def group_members(admin: Any, group: str) -> list[str]:
    """The slots (or member ids) that are in the group now, sorted.

    Raises:
        BrokerUnreachableError: the group's coordinator did not answer for `PATIENCE_SECONDS`.
    """
    try:
        found = _patiently(group, lambda: admin.describe_groups([group])[group]["members"])
    except kafka_errors.GroupIdNotFoundError:
        return []
    return sorted(member["group_instance_id"] or member["member_id"] for member in found)


def group_positions(admin: Any, group: str) -> dict[TopicPartition, int]:
    """The group's committed offsets; empty for a group that is new. Raises as `group_members` does."""
    try:
        found = _patiently(group, lambda: admin.list_group_offsets({group: None})[group])
    except kafka_errors.GroupIdNotFoundError:
        return {}
    return {at: position.offset for at, position in found.items() if position.offset >= 0}


def begin_at(admin: Any, group: str, positions: Mapping[TopicPartition, int]) -> None:
    """Let a group without members begin at these offsets. Raises as `group_members` does."""
    offsets = {at: OffsetAndMetadata(offset, "", -1) for at, offset in positions.items()}
    answers = _patiently(group, lambda: admin.alter_group_offsets(group, offsets))
    for error in answers.values():
        if error is not kafka_errors.NoError:
            raise error()


def _patiently(group: str, ask: Callable[[], T]) -> T:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return ask()
        except kafka_errors.GroupIdNotFoundError:  # retriable to kafka-python, but an answer
            raise
        except kafka_errors.RetriableError as error:
            if time.monotonic() > deadline:
                raise BrokerUnreachableError(
                    f"the coordinator of group {group} did not answer within {PATIENCE_SECONDS:g} s: {error};"
                    " check that the brokers are up"
                ) from error
        time.sleep(RETRY_SECONDS)
