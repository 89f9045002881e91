"""The records that go into a step and come out of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

Headers = Sequence[tuple[str, bytes]]


class Record(Protocol):
    """A consumed record, as kafka-python delivers it (`ConsumerRecord`)."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int:
        """Milliseconds since 1970."""
        ...

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None:
        """None is a tombstone."""
        ...

    @property
    def headers(self) -> Headers: ...


class Outgoing(NamedTuple):
    """A record to publish. A tuple, because a batch makes thousands of them."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    partition: int | None = None
    """None leaves the choice to the key's hash (Kafka's murmur2, as in the Java client)."""
    timestamp: int | None = None
    """Milliseconds since 1970; None takes the time of sending."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step made of a batch: everything is published with the consumed offsets, or nothing is."""

    records: Sequence[Outgoing] = ()
    dead_letters: int = 0
    """How many of the input records are answered by a dead letter among `records`."""


# What a record costs beyond key, value and headers: lengths, deltas and attributes (KIP-98 record format).
RECORD_OVERHEAD_BYTES = 64


def size_bytes(record: Outgoing) -> int:
    """An upper estimate of the record's size on the wire before compression."""
    total = RECORD_OVERHEAD_BYTES + len(record.key or b"") + len(record.value or b"")
    for name, value in record.headers:
        total += len(name) * 4 + len(value) + 10
    return total
