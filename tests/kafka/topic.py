"""Filling, creating and reading topics in tests."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import RetriableError

from tests.kafka.waiting import wait_for


def create(bootstrap: str, name: str, partitions: int = 1, config: Mapping[str, str] | None = None) -> str:
    """Create a topic and wait until it can be used."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.create_topics(
            {name: {"num_partitions": partitions, "replication_factor": 1, "configs": dict(config or {})}},
            wait_for_metadata=True,
        )
    finally:
        admin.close()
    return name


def fill(bootstrap: str, name: str, values: Iterable[tuple[bytes | None, bytes | None]]) -> None:
    """Write (key, value) pairs and wait until the broker has them."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=20, batch_size=262_144)
    try:
        futures = [producer.send(name, value, key=key) for key, value in values]
        for future in futures:
            future.get(timeout=60)
    finally:
        producer.close()


def read_committed(bootstrap: str, name: str, seconds: float = 60.0) -> list[Any]:
    """Everything that a read-committed reader sees, up to the last stable offset of this moment."""
    consumer = reader(bootstrap, name)
    try:
        ends = consumer.end_offsets(list(consumer.assignment()))
        records: list[Any] = []

        def done() -> bool:
            for batch in consumer.poll(timeout_ms=200).values():
                records.extend(batch)
            return all((consumer.position(at) or 0) >= end for at, end in ends.items())

        wait_for(f"all of {name}", done, seconds)
        return records
    finally:
        consumer.close()


def reader(bootstrap: str, name: str) -> KafkaConsumer:
    """A read-committed consumer at the beginning of all partitions."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    partitions = wait_for("partitions", lambda: consumer.partitions_for_topic(name))
    assignment = [TopicPartition(name, number) for number in sorted(partitions)]
    consumer.assign(assignment)
    consumer.seek_to_beginning(*assignment)
    return consumer


def committed(bootstrap: str, group: str) -> Mapping[TopicPartition, int]:
    """A group's committed offsets; empty while its coordinator is not there yet."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        offsets = admin.list_group_offsets({group: None})[group]
        return {at: position.offset for at, position in offsets.items()}
    except RetriableError:
        return {}
    finally:
        admin.close()


def members(bootstrap: str, group: str) -> list[str]:
    """The client ids of a group's members."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        return [member["client_id"] for member in admin.describe_groups([group])[group]["members"]]
    finally:
        admin.close()


def keys(records: Sequence[Any]) -> list[bytes]:
    """The keys in order of arrival."""
    return [record.key for record in records]
