"""The group's committed positions, as they are now.

kafka-python 3.0.12 keeps an offset fetch whose caller gave up waiting, and hands its result to the next fetch
of the same partitions, however much later: a worker that starts from such a position doubles what was
committed since. The leftover is gone once it was handed out, so the second of two reads is always fresh.
"""

from collections.abc import Collection, Mapping
from typing import Any

from kafka import OffsetAndMetadata, TopicPartition


def read_committed(
    consumer: Any, partitions: Collection[TopicPartition], limit_seconds: float
) -> Mapping[TopicPartition, OffsetAndMetadata]:
    """Committed offset and metadata by partition; partitions without a commit are left out.

    The consumer must be read-committed: then the broker answers only when no transaction on these offsets is
    still completing.

    Raises:
        kafka.errors.KafkaError: the coordinator refused or did not answer in time.
    """
    limit_ms = round(limit_seconds * 1000)
    found: dict[TopicPartition, OffsetAndMetadata] = {}
    for at in partitions:
        consumer.committed(at, metadata=True, timeout_ms=limit_ms)  # may be a leftover
        position = consumer.committed(at, metadata=True, timeout_ms=limit_ms)
        if position is not None:
            found[at] = position
    return found
