"""How far a consumer group is behind."""

from collections.abc import Collection, Mapping
from typing import Any

from kafka import TopicPartition


def position_lag(
    consumer: Any, partitions: Collection[TopicPartition], limit_seconds: float
) -> Mapping[TopicPartition, int]:
    """Records that a running consumer has yet to read, by partition.

    Counts to the last stable offset, so a transaction that is still open is not lag. Partitions whose
    position is not known yet are left out.

    Raises:
        kafka.errors.KafkaTimeoutError: the brokers did not answer in time.
    """
    if not partitions:
        return {}
    limit_ms = round(limit_seconds * 1000)
    ends = consumer.end_offsets(list(partitions), timeout_ms=limit_ms)
    lag = {}
    for at in partitions:
        position = consumer.position(at, timeout_ms=limit_ms)
        if position is not None and at in ends:
            lag[at] = max(0, ends[at] - position)
    return lag
