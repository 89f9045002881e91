"""Everything that samewire needs to know about Kafka, typed, frozen and checked once at the edge.

Durations are in seconds and sizes in bytes; the client layer converts to Kafka's milliseconds.
"""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from config.frozen import Frozen, PositiveInt, Seconds
from config.kafka_security import SaslSettings, SecurityProtocol, TlsSettings
from config.kafka_topics import DeskSettings, TopicSettings


class Compression(StrEnum):
    """Batch compression of the producer."""

    NONE = "none"
    GZIP = "gzip"
    LZ4 = "lz4"
    ZSTD = "zstd"


class GroupSettings(Frozen):
    """Consumer groups and their clocks."""

    sign: str = Field(default="samewire.sign", min_length=1, description="consumer group of the signers")
    match: str = Field(default="samewire.match", min_length=1, description="consumer group of the matchers")
    session_timeout_seconds: Seconds = Field(
        default=8.0,
        description="silence after which a member is dead. Above the broker's usual minimum of 6 s, and short"
        " enough that a standby publishes within 15 s",
    )
    heartbeat_seconds: Seconds = Field(
        default=2.0, description="at most a third of the session timeout, so two may be lost"
    )
    max_poll_interval_seconds: Seconds = Field(
        default=120.0,
        description="longest time between two polls; restoring a matcher's state must fit into it",
    )
    leave_on_stop: bool = Field(
        default=True,
        description="a worker that stops leaves the group at once. Off keeps its partitions waiting for it"
        " during a restart that is shorter than the session timeout",
    )

    @model_validator(mode="after")
    def _clocks(self) -> Self:
        if self.heartbeat_seconds * 3 > self.session_timeout_seconds:
            raise ValueError(
                "groups.heartbeat_seconds must be at most a third of groups.session_timeout_seconds"
            )
        if self.sign == self.match:
            raise ValueError("groups.sign and groups.match must differ: they read different topics")
        return self


class BatchSettings(Frozen):
    """Bounds of one transaction; the first one reached closes the batch."""

    records: PositiveInt = Field(
        default=2000,
        description="a transaction costs some 15 ms whatever its size; 2,000 records make that negligible",
    )
    size_bytes: PositiveInt = Field(
        default=16_000_000, description="memory of a batch, and of its repetition after an abort"
    )
    seconds: Seconds = Field(
        default=0.05, description="longest wait of a record for its batch: the price in latency"
    )
    poll_seconds: Seconds = Field(
        default=0.05, description="one slice of polling; a stop signal is seen within it"
    )
    buffered_records: PositiveInt = Field(
        default=6000,
        description="records read ahead of the transaction; above this the partitions are paused",
    )

    @model_validator(mode="after")
    def _room(self) -> Self:
        if self.buffered_records < self.records:
            raise ValueError("batches.buffered_records must hold at least one batch (batches.records)")
        return self


class TransactionSettings(Frozen):
    """Time limits of the exactly-once step."""

    timeout_seconds: Annotated[float, Field(ge=1, le=900)] = Field(
        default=10.0,
        description="the broker aborts a transaction open for longer. Small, because a dead worker's open"
        " transaction holds every read-committed reader back until then; 900 is the broker's own maximum",
    )
    deadline_seconds: Seconds = Field(
        default=30.0,
        description="limit of each client call (flush, offsets, commit, abort): kafka-python has none",
    )
    fence_attempts: PositiveInt = Field(
        default=5,
        description="attempts to build a new producer after a fatal error before the worker gives up",
    )


class WatchdogSettings(Frozen):
    """When a silent worker is taken for stuck."""

    stall_seconds: Seconds = Field(
        default=60.0,
        description="lag but no committed batch for this long ends the process; its supervisor restarts it",
    )
    lag_check_seconds: Seconds = Field(
        default=5.0, description="how often lag is measured; each asks the brokers once"
    )
    stop_seconds: Seconds = Field(
        default=20.0, description="budget of a graceful stop; below the 30 s after which Kubernetes kills"
    )
    startup_seconds: Seconds = Field(
        default=60.0, description="how long an unreachable broker is retried at the start"
    )


class DeadLetterSettings(Frozen):
    """When bad input stops the worker instead of draining the topic."""

    max_ratio: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.2,
        description="share of dead letters in recent input above which the worker stops: a bad deploy",
    )
    window_records: PositiveInt = Field(
        default=2000, description="recent input over which the share is taken"
    )
    min_records: PositiveInt = Field(
        default=200, description="no verdict on fewer records: the first three may be bad"
    )

    @model_validator(mode="after")
    def _window(self) -> Self:
        if self.min_records > self.window_records:
            raise ValueError(
                "dead_letters.min_records is larger than dead_letters.window_records: it would never act"
            )
        return self


class ProducerSettings(Frozen):
    """Tuning of the producer, measured with 3 KB records on one node."""

    linger_seconds: float = Field(
        default=0.005, ge=0, description="waits for fuller batches; 5-10 ms were best in trials"
    )
    batch_bytes: PositiveInt = Field(
        default=262_144, description="bytes per partition batch; the client's 16 KB is too small"
    )
    compression: Compression = Field(
        default=Compression.LZ4, description="a third of the bytes for little CPU"
    )
    request_timeout_seconds: Seconds = Field(default=15.0, description="one request to a broker")
    delivery_timeout_seconds: Seconds = Field(default=30.0, description="one record, with all its retries")

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.delivery_timeout_seconds < self.request_timeout_seconds + self.linger_seconds:
            raise ValueError(
                "producer.delivery_timeout_seconds must be at least"
                " request_timeout_seconds plus linger_seconds"
            )
        return self


class ConsumerSettings(Frozen):
    """Tuning of the consumer."""

    partition_fetch_bytes: PositiveInt = Field(
        default=8_388_608, description="bytes per partition and fetch, from trials"
    )
    fetch_bytes: PositiveInt = Field(default=33_554_432, description="bytes of one fetch over all partitions")
    fetch_wait_seconds: Seconds = Field(
        default=0.05, description="how long the broker may wait for data: bounds latency"
    )
    request_timeout_seconds: Seconds = Field(default=15.0, description="one request to a broker")


class KafkaSettings(Frozen):
    """The Kafka side of samewire."""

    bootstrap_servers: Annotated[list[str], Field(min_length=1)] = Field(
        default=["localhost:9092"], description="brokers to ask first; two or three, so that one may be down"
    )
    client_id: str = Field(
        default="samewire", pattern=r"^[A-Za-z0-9._-]{1,100}$", description="prefix of every client's name"
    )
    security_protocol: SecurityProtocol = Field(
        default=SecurityProtocol.PLAINTEXT, description="protection of connections"
    )
    tls: TlsSettings = Field(default_factory=TlsSettings, description="TLS files, for SSL and SASL_SSL")
    sasl: SaslSettings | None = Field(default=None, description="login, for SASL_PLAINTEXT and SASL_SSL")
    topics: TopicSettings = Field(default_factory=TopicSettings)
    groups: GroupSettings = Field(default_factory=GroupSettings)
    desks: DeskSettings = Field(default_factory=DeskSettings)
    batches: BatchSettings = Field(default_factory=BatchSettings)
    transactions: TransactionSettings = Field(default_factory=TransactionSettings)
    watchdog: WatchdogSettings = Field(default_factory=WatchdogSettings)
    dead_letters: DeadLetterSettings = Field(default_factory=DeadLetterSettings)
    producer: ProducerSettings = Field(default_factory=ProducerSettings)
    consumer: ConsumerSettings = Field(default_factory=ConsumerSettings)

    @field_validator("bootstrap_servers")
    @classmethod
    def _addresses(cls, value: list[str]) -> list[str]:
        for address in value:
            host, _, port = address.rpartition(":")
            if not host or not port.isdigit() or not 0 < int(port) < 65536:
                raise ValueError(f"bootstrap_servers: {address!r} is not host:port")
        return value

    @model_validator(mode="after")
    def _security(self) -> Self:
        protocol = self.security_protocol
        if protocol.authenticated and self.sasl is None:
            raise ValueError(f"security_protocol {protocol} needs the sasl section")
        if self.sasl is not None and not protocol.authenticated:
            raise ValueError(f"the sasl section is set, but security_protocol is {protocol}: use SASL_SSL")
        files = (self.tls.ca_file, self.tls.certificate_file, self.tls.key_file)
        if any(files) and not protocol.encrypted:
            raise ValueError(f"tls files are set, but security_protocol is {protocol}: use SSL or SASL_SSL")
        return self

    @model_validator(mode="after")
    def _clocks(self) -> Self:
        # A stuck worker is ended by its own watchdog, with a reason, before the group expels it without one.
        if self.watchdog.stall_seconds >= self.groups.max_poll_interval_seconds:
            raise ValueError("watchdog.stall_seconds must be below groups.max_poll_interval_seconds")
        if self.transactions.deadline_seconds >= self.watchdog.stall_seconds:
            raise ValueError("transactions.deadline_seconds must be below watchdog.stall_seconds")
        return self
