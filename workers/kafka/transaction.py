"""The exactly-once step: a batch's records and its consumed offsets become visible together, or not at all.

The commit path, with what happens if a step fails:

1. begin        nothing was sent; a producer that cannot begin is replaced.
2. send all     buffered in this process; abort. A record too large for the client fails here.
3. flush        some records may lie in the log, invisible; abort.
4. check        every record's future: flush returns normally when records failed. Abort.
5. offsets      the group refuses a stale member here (KIP-447), which is what stops a zombie; abort.
6. look         the producer must still be in the transaction it began, or the commit would be a no-op; abort.
7. commit       an error or a timeout here leaves the outcome open: see 9.
8. look again   the producer's id and epoch must be unchanged, else "success" means nothing: see 9.
9. arbitrate    only when in doubt: a new producer under the same name first fences the old one, after which
                nothing can change any more; then the group's committed offsets say what happened, since they
                were part of the transaction. They carry a token that no other batch has.

To abort is to fence: a new producer under the same name makes the broker undo what the old one left open.

Calling a committed batch aborted is harmless: the worker goes back to the committed positions, finds them
past the batch, and rebuilds its state from the log. The opposite would lose records, so every doubt that
remains counts as aborted.
"""

import itertools
import random
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from kafka import OffsetAndMetadata, TopicPartition
from kafka import errors as kafka_errors

from config.kafka import TransactionSettings
from workers.kafka.classify import Failure, classify
from workers.kafka.deadline import call_within
from workers.kafka.errors import (
    CredentialsRefusedError,
    DeadlineExceededError,
    SlotTakenError,
    TransactionsFailedError,
)
from workers.kafka.observer import NullObserver, Observer
from workers.kafka.producer_state import evidence, force_close
from workers.kafka.records import Outgoing

log = structlog.get_logger(__name__)

# Reads the group's committed offsets with their metadata; must wait for transactions that still complete.
ReadCommitted = Callable[[Collection[TopicPartition]], Mapping[TopicPartition, OffsetAndMetadata]]

FIRST_BACKOFF_SECONDS = 0.2
# More than any batch of a worker. kafka-python has no limit of its own for what waits to be sent, and what
# waits for longer than the delivery timeout fails.
UNACKNOWLEDGED_BYTES = 32_000_000


@dataclass(frozen=True, slots=True)
class Committed:
    """The batch is visible to read-committed readers, for certain."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Aborted:
    """The batch is undone, or counts as undone; its input must be read again."""

    failure: Failure
    error: BaseException


class TransactionalProducer:
    """Publishes batches exactly once, and replaces its kafka-python producer when that one is spent."""

    def __init__(
        self,
        build: Callable[[], Any],
        settings: TransactionSettings,
        observer: Observer | None = None,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`build` makes a connected producer whose transactions are not initialised yet."""
        self._build = build
        self._settings = settings
        self._observer = observer or NullObserver()
        self._sleep = sleep
        self._producer: Any = None
        # Unique over processes and restarts, so that a token names one batch for ever.
        self._run = uuid.uuid4().hex
        self._batches = itertools.count(1)

    def open(self) -> None:
        """Build the first producer. Fences a former owner of the name and undoes its open transaction.

        Raises:
            TransactionsFailedError, CredentialsRefusedError: no usable producer.
        """
        if self._producer is None:
            self._producer = self._new_producer()

    def close(self) -> None:
        """Let go of the producer; an open transaction is left for the broker to abort."""
        self._discard()

    def publish(
        self,
        records: Iterable[Outgoing],
        offsets: Mapping[TopicPartition, int],
        group: Any,
        read_committed: ReadCommitted,
    ) -> Committed | Aborted:
        """Publish `records` and commit `offsets` (the next offset to read) in one transaction.

        `group` is the consumer's `group_metadata()`, taken before the batch was processed.

        Raises:
            SlotTakenError, CredentialsRefusedError: final; the transaction is undone.
            TransactionsFailedError: no new producer could be built; the broker will undo the transaction.
        """
        if not offsets:
            raise ValueError("a transaction needs consumed offsets: they fence zombies and settle doubts")
        self.open()
        producer, limit_seconds = self._producer, self._settings.deadline_seconds
        started = time.monotonic()
        before = evidence(producer)
        token = f"{self._run}/{next(self._batches)}"
        positions = {at: OffsetAndMetadata(offset, token, -1) for at, offset in offsets.items()}
        try:
            producer.begin_transaction()  # 1
            futures = _send_all(producer, records, limit_seconds)  # 2
            call_within(limit_seconds, "flush", producer.flush)  # 3
            _check(futures, limit_seconds)  # 4
            call_within(  # 5
                limit_seconds,
                "send_offsets_to_transaction",
                lambda: producer.send_offsets_to_transaction(positions, group),
            )
            now = evidence(producer)  # 6
            if before and (now is None or not now.ready_to_commit or now.identity != before.identity):
                raise kafka_errors.TransactionAbortedError(f"transaction left: {before} {now}")
        except Exception as error:  # noqa: BLE001 - whatever it was, no commit was sent, so abort is safe
            return self._abort(error)
        doubt: BaseException | None = None
        try:
            call_within(limit_seconds, "commit_transaction", producer.commit_transaction)  # 7
        except Exception as error:  # noqa: BLE001 - the outcome is open whatever was raised
            doubt = error
        else:
            after = evidence(producer)  # 8
            if before is None or after is None or not after.idle or after.identity != before.identity:
                doubt = kafka_errors.TransactionAbortedError(f"commit without effect: {before} {after}")
        if doubt is not None and not self._arbitrate(doubt, token, offsets, read_committed):  # 9
            return self._aborted(classify(doubt, producer), doubt)
        seconds = time.monotonic() - started
        self._observer.transaction_committed(seconds, len(futures))
        return Committed(seconds)

    def _abort(self, error: BaseException) -> Aborted:
        """Undo a transaction for which no commit was sent, by fencing its producer with a new one.

        `abort_transaction` would undo it too, but a kafka-python producer must not be used after an abort. It
        keeps the aborted batch's offsets and commits them with its next batch, which moves partitions back
        that others own by now. And a batch that the broker refused leaves a gap in its sequence numbers.
        """
        failure = classify(error, self._producer)
        if failure is Failure.SLOT_TAKEN:
            self._discard()  # a new producer would fence the process that has the slot now
        else:
            self._replace(failure.value, error)
        return self._aborted(failure, error)

    def _aborted(self, failure: Failure, error: BaseException) -> Aborted:
        self._observer.transaction_aborted(failure.value)
        log.warning("transaction_aborted", reason=failure.value, error=str(error))
        if failure is Failure.SLOT_TAKEN:
            raise SlotTakenError(f"another process runs under this slot's name: {error}") from error
        if failure is Failure.REFUSED:
            raise CredentialsRefusedError(f"the broker refused: {error}; check the ACLs") from error
        return Aborted(failure, error)

    def _arbitrate(
        self,
        doubt: BaseException,
        token: str,
        partitions: Collection[TopicPartition],
        read_committed: ReadCommitted,
    ) -> bool:
        """Whether the batch with this token is committed. Fences first, so that the answer is final."""
        self._replace("doubt", doubt)
        try:
            committed = read_committed(partitions)
        except Exception as error:
            raise TransactionsFailedError(
                f"the outcome of a commit is unknown ({doubt}) and the committed offsets cannot be"
                f" read: {error}; a restart continues from them"
            ) from error
        done = all(at in committed and committed[at].metadata == token for at in partitions)
        log.warning("commit_arbitrated", committed=done, doubt=str(doubt))
        return done

    def _replace(self, reason: str, error: BaseException) -> None:
        log.warning("producer_replaced", reason=reason, error=str(error))
        self._discard()
        self._producer = self._new_producer()
        self._observer.producer_rebuilt(reason)

    def _new_producer(self) -> Any:
        backoff_seconds, attempt = FIRST_BACKOFF_SECONDS, 0
        while True:
            attempt += 1
            producer = self._build()
            try:
                producer.init_transactions()  # limited by max_block_ms
            except Exception as error:
                _close(producer)
                if classify(error, producer) is Failure.REFUSED:
                    raise CredentialsRefusedError(f"transactions refused: {error}; check the ACLs") from error
                log.warning("init_transactions_failed", attempt=attempt, error=str(error))
                if attempt >= self._settings.fence_attempts:
                    raise TransactionsFailedError(
                        f"no producer could be initialised in {attempt} attempts: {error}; check that the"
                        " brokers are up and that transaction.max.timeout.ms allows the transaction timeout"
                    ) from error
            else:
                return producer
            self._sleep(backoff_seconds * random.uniform(0.8, 1.2))  # noqa: S311 - not for cryptography
            backoff_seconds *= 2

    def _discard(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            _close(producer)


def _send_all(producer: Any, records: Iterable[Outgoing], limit_seconds: float) -> Sequence[Any]:
    futures: list[Any] = []
    checked = size = 0
    for record in records:
        futures.append(_send(producer, record))
        size += len(record.value or b"")
        if size > UNACKNOWLEDGED_BYTES:
            _check(futures[checked:], limit_seconds)
            checked, size = len(futures), 0
    return futures


def _send(producer: Any, record: Outgoing) -> Any:
    return producer.send(
        record.topic,
        record.value,
        record.key,
        list(record.headers),
        record.partition,
        record.timestamp,
    )


def _check(futures: Sequence[Any], limit_seconds: float) -> None:
    """Raise the first failure. A batch that the client split is not waited for by flush, so wait here."""
    deadline = time.monotonic() + limit_seconds
    for future in futures:
        if not future.is_done:
            remaining_seconds = deadline - time.monotonic()
            if remaining_seconds <= 0:
                raise DeadlineExceededError(f"a record was not acknowledged within {limit_seconds:g} s")
            future.get(timeout=remaining_seconds)
        if future.failed():
            raise future.exception


def _close(producer: Any) -> None:
    force_close(producer)
    try:
        producer.close(timeout=0)
    except Exception as error:  # noqa: BLE001 - unsent records raise here, and they are to be thrown away
        log.debug("producer_close_failed", error=str(error))
