"""kafka-python clients, configured from the settings and built with patience.

Every consumer reads committed records only and never commits by itself: offsets travel in transactions.
"""

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka import errors as kafka_errors
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor

from config.kafka import Compression, KafkaSettings
from config.kafka_security import SaslMechanism
from workers.kafka.errors import BrokerUnreachableError, CredentialsRefusedError
from workers.kafka.library_logs import noticing_refusals, silence_wire_dumps
from workers.kafka.oauth import token_provider

log = structlog.get_logger(__name__)
T = TypeVar("T")
Config = dict[str, Any]

# One attempt to reach a bootstrap server; short, so that a stop signal during start-up is not held up.
BOOTSTRAP_SECONDS = 5.0
FIRST_BACKOFF_SECONDS = 0.25
MAX_BACKOFF_SECONDS = 5.0
# kafka-python's own ceiling of 30 s would leave a worker idle long after the broker is back.
RECONNECT_MAX_SECONDS = 1.0

REFUSALS = (
    kafka_errors.SaslAuthenticationFailedError,
    kafka_errors.UnsupportedSaslMechanismError,
    kafka_errors.AuthorizationError,
    CredentialsRefusedError,
)


class _Masked(str):
    """A secret that formats as asterisks: kafka-python logs the admin client's whole configuration."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'**********'"


def slot_id(group: str, slot: str) -> str:
    """The stable name of a worker slot: its `group.instance.id` and its `transactional.id`."""
    return f"{group}.{slot}"


def common_config(settings: KafkaSettings, name: str) -> Config:
    """What all clients share: addresses, security and reconnection. `name` ends the client id."""
    config: Config = {
        "bootstrap_servers": list(settings.bootstrap_servers),
        "client_id": f"{settings.client_id}-{name}",
        "security_protocol": settings.security_protocol.value,
        "bootstrap_timeout_ms": _ms(BOOTSTRAP_SECONDS),
        "reconnect_backoff_max_ms": _ms(RECONNECT_MAX_SECONDS),
    }
    if settings.security_protocol.encrypted:
        tls = settings.tls
        config["ssl_check_hostname"] = tls.check_hostname
        if tls.ca_file:
            config["ssl_cafile"] = str(tls.ca_file)
        if tls.certificate_file and tls.key_file:
            config |= {"ssl_certfile": str(tls.certificate_file), "ssl_keyfile": str(tls.key_file)}
        if tls.key_password:
            config["ssl_password"] = _Masked(tls.key_password.get_secret_value())
    if settings.sasl is not None:
        silence_wire_dumps()
        sasl = settings.sasl
        config["sasl_mechanism"] = sasl.mechanism.value
        if sasl.mechanism is SaslMechanism.OAUTHBEARER:
            assert sasl.oauth is not None
            config["sasl_oauth_token_provider"] = token_provider(sasl.oauth)
        else:
            assert sasl.password is not None
            config["sasl_plain_username"] = sasl.username
            config["sasl_plain_password"] = _Masked(sasl.password.get_secret_value())
    return config


def consumer_config(settings: KafkaSettings, group: str | None, slot: str) -> Config:
    """A group member (static, under the slot's name), or a reader without a group."""
    consumer, groups = settings.consumer, settings.groups
    config = common_config(settings, f"{group or 'reader'}-{slot}") | {
        # Not only hides aborted records: it also makes offset fetches wait for open transactions, without
        # which a new owner would start from positions that the old owner's commit is about to move.
        "isolation_level": "read_committed",
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "allow_auto_create_topics": False,
        "max_poll_records": settings.batches.records,
        "max_partition_fetch_bytes": consumer.partition_fetch_bytes,
        "fetch_max_bytes": consumer.fetch_bytes,
        "fetch_max_wait_ms": _ms(consumer.fetch_wait_seconds),
        "request_timeout_ms": _ms(consumer.request_timeout_seconds),
    }
    if group is not None:
        config |= {
            "group_id": group,
            "group_instance_id": slot_id(group, slot),
            "partition_assignment_strategy": [CooperativeStickyAssignor],
            "session_timeout_ms": _ms(groups.session_timeout_seconds),
            "heartbeat_interval_ms": _ms(groups.heartbeat_seconds),
            "max_poll_interval_ms": _ms(groups.max_poll_interval_seconds),
        }
    return config


def producer_config(settings: KafkaSettings, transactional_id: str) -> Config:
    """A transactional producer, idempotent with all replicas' acknowledgement."""
    producer, transactions = settings.producer, settings.transactions
    compression = None if producer.compression is Compression.NONE else producer.compression.value
    return common_config(settings, transactional_id) | {
        "transactional_id": transactional_id,
        "transaction_timeout_ms": _ms(transactions.timeout_seconds),
        "acks": "all",
        "compression_type": compression,
        "linger_ms": _ms(producer.linger_seconds),
        "batch_size": producer.batch_bytes,
        "max_request_size": settings.topics.max_dead_letter_bytes,
        "request_timeout_ms": _ms(producer.request_timeout_seconds),
        "delivery_timeout_ms": _ms(producer.delivery_timeout_seconds),
        "max_block_ms": _ms(transactions.deadline_seconds),
        "allow_auto_create_topics": False,
        # Retries of transaction requests sleep this long in the sender thread: 100 ms by default, and the
        # first request of a transaction is regularly answered with "the last one is still completing".
        "retry_backoff_ms": 20,
    }


def make_consumer(
    settings: KafkaSettings,
    group: str | None,
    slot: str = "0",
    on_failure: Callable[[str], object] = lambda _error: None,
) -> KafkaConsumer:
    """A connected consumer. `on_failure` hears of every attempt that found no broker.

    Raises:
        BrokerUnreachableError, CredentialsRefusedError: see `connect`.
    """
    config = consumer_config(settings, group, slot)
    return connect(lambda: KafkaConsumer(**config), settings, on_failure=on_failure)


def make_producer(settings: KafkaSettings, transactional_id: str) -> KafkaProducer:
    """A connected transactional producer; `init_transactions` is the caller's."""
    return connect(lambda: KafkaProducer(**producer_config(settings, transactional_id)), settings)


def make_admin(settings: KafkaSettings) -> KafkaAdminClient:
    """A connected admin client."""
    config = common_config(settings, "admin") | {
        "request_timeout_ms": _ms(settings.consumer.request_timeout_seconds)
    }
    return connect(lambda: KafkaAdminClient(**config), settings)


def connect(
    build: Callable[[], T],
    settings: KafkaSettings,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    on_failure: Callable[[str], object] = lambda _error: None,
) -> T:
    """Build a client, retrying an unreachable broker with back-off; a refusal is final at once.

    Raises:
        BrokerUnreachableError: nothing answered within `watchdog.startup_seconds`.
        CredentialsRefusedError: the broker refused the login.
    """
    servers = ", ".join(settings.bootstrap_servers)
    give_up_at = clock() + settings.watchdog.startup_seconds
    backoff_seconds = FIRST_BACKOFF_SECONDS
    while True:
        try:
            with noticing_refusals() as notes:
                return build()
        except REFUSALS as error:
            raise _refused(servers, settings, error) from error
        except (kafka_errors.RetriableError, kafka_errors.KafkaConnectionError, OSError) as error:
            if notes.refusals:
                raise _refused(servers, settings, notes.refusals[0]) from error
            why = f"{error}: {notes.cause}" if notes.cause else str(error)
            on_failure(why)
            if clock() + backoff_seconds >= give_up_at:
                # The broker hangs up right after its refusal, and the client may see only the hang-up.
                hint = ", or that the login is right" if settings.sasl is not None else ""
                raise BrokerUnreachableError(
                    f"no broker answered at {servers} within {settings.watchdog.startup_seconds:g} s:"
                    f" {why}; check bootstrap_servers and that the broker is up{hint}"
                ) from error
            log.warning("kafka_unreachable", servers=servers, error=why, retry_seconds=backoff_seconds)
            # Jitter, so that a fleet of workers does not return in step.
            sleep(min(backoff_seconds * random.uniform(0.8, 1.2), give_up_at - clock()))  # noqa: S311 - not for cryptography
            backoff_seconds = min(backoff_seconds * 2, MAX_BACKOFF_SECONDS)


def _refused(servers: str, settings: KafkaSettings, error: Exception) -> CredentialsRefusedError:
    return CredentialsRefusedError(
        f"{servers} refused the login ({settings.security_protocol}): {error};"
        " check security_protocol and the sasl section"
    )


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
