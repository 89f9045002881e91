"""The main loop of a worker: poll in slices, gather a batch, process it, publish it exactly once.

One thread owns the consumer and the step. Rebalance callbacks and signal handlers only leave notes, and the
loop acts on them between two slices of polling, so no state is ever touched from two sides.
"""

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

import structlog
from kafka import OffsetAndMetadata, TopicPartition
from kafka import errors as kafka_errors
from kafka.structs import MemberState

from config.kafka import KafkaSettings
from workers.kafka.batch import Batch, BatchBuffer
from workers.kafka.classify import Failure, classify
from workers.kafka.deadletters import DeadLetterLimiter
from workers.kafka.errors import CredentialsRefusedError, SlotTakenError, UnpublishableError
from workers.kafka.joining import JoinNudge
from workers.kafka.lag import position_lag
from workers.kafka.observer import NullObserver, Observer
from workers.kafka.positions import read_committed
from workers.kafka.rebalance import Change, RebalanceNotes
from workers.kafka.records import Outcome
from workers.kafka.step import Step
from workers.kafka.stop import StopFlag
from workers.kafka.transaction import Aborted, Committed, TransactionalProducer
from workers.kafka.watchdog import Watchdog

log = structlog.get_logger(__name__)

# Pause between two attempts to read the committed positions while a broker is away.
RETRY_SECONDS = 0.2
# One slice of polling during a rebalance; a stop signal is seen within it.
REBALANCE_SLICE_SECONDS = 0.5


class WorkerLoop:
    """Runs a step over a topic until it is asked to stop."""

    def __init__(
        self,
        *,
        consumer: Any,
        producer: TransactionalProducer,
        step: Step,
        topic: str,
        settings: KafkaSettings,
        stop: StopFlag,
        watchdog: Watchdog | None = None,
        observer: Observer | None = None,
        before_taking_over: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`before_taking_over` is called when partitions arrive, to end what a dead owner left open."""
        self._consumer = consumer
        self._producer = producer
        self._step = step
        self._topic = topic
        self._settings = settings
        self._stop = stop
        self._watchdog = watchdog or Watchdog(settings.watchdog.stall_seconds)
        self._observer = observer or NullObserver()
        self._before_taking_over = before_taking_over
        self._clock = clock
        self._notes = RebalanceNotes()
        self._buffer = BatchBuffer(settings.batches)
        self._limiter = DeadLetterLimiter(settings.dead_letters)
        # After a batch failed: until these offsets, batches are halved to find the record that fails.
        self._careful_until: dict[TopicPartition, int] = {}
        self._careful_records = 0
        # The records that failed alone, and why. They are rejected when they come again, from a clean state.
        self._doomed: dict[tuple[TopicPartition, int], BaseException] = {}
        # Where each owned partition continues: nothing before it may be published again.
        self._next: dict[TopicPartition, int] = {}
        self._member = ""
        self._unstable = False
        self._nudge = JoinNudge(clock)
        self._lag_checked_at = clock()

    def run(self) -> None:
        """Work until a stop is requested; then return, with the last batch committed or undone.

        Raises:
            WorkerError: what the worker cannot repair; its class names the exit code.
        """
        self._producer.open()
        self._consumer.subscribe([self._topic], listener=self._notes)
        log.info("worker_started", topic=self._topic)
        while not self._stop.requested:
            self._turn()
        log.info("worker_stopping", unprocessed=self._buffer.records)

    def _turn(self) -> None:
        self._watchdog.alive()
        polled = self._poll()
        self._unstable = not self._nudge.stable(self._consumer)
        self._watchdog.member(stable=not self._unstable)
        claimed = self._apply_rebalance()
        assigned = self._consumer.assignment()
        kept = {at: records for at, records in polled.items() if at in self._next and at not in claimed}
        self._buffer.add(kept, self._clock())
        if not self._step.ready():
            self._watchdog.progress()
            self._hold_input(assigned)
            return
        self._hold_input(self._buffer.partitions if self._buffer.full else ())
        # An empty poll means that the broker has no more just now, so waiting would only add latency.
        if self._buffer.records and (not polled or self._buffer.wait_seconds(self._clock()) <= 0):
            self._run_batch()
        elif not self._buffer.records and assigned:
            self._run_idle(assigned)
        self._check_lag(assigned)

    def _poll(self) -> Mapping[TopicPartition, Any]:
        # A rebalance completes inside poll(), and one whose slice ends too early may be left half done.
        slice_seconds = REBALANCE_SLICE_SECONDS
        if not self._unstable:
            wait_seconds = self._buffer.wait_seconds(self._clock())
            slice_seconds = min(self._settings.batches.poll_seconds, wait_seconds)
        try:
            return dict(self._consumer.poll(timeout_ms=round(slice_seconds * 1000)))
        except kafka_errors.FencedInstanceIdError as error:
            raise SlotTakenError(f"another process runs under this slot's name: {error}") from error
        except (kafka_errors.AuthorizationError, kafka_errors.SaslAuthenticationFailedError) as error:
            raise CredentialsRefusedError(f"reading {self._topic} refused: {error}") from error
        except kafka_errors.KafkaError as error:
            if not error.retriable:
                raise
            log.warning("poll_failed", error=str(error))
            self._stop.wait(RETRY_SECONDS)
            return {}

    def _apply_rebalance(self) -> Collection[TopicPartition]:
        """Act on the notes; returns the partitions whose position was set anew, past what was just polled."""
        claimed: set[TopicPartition] = set()
        for note in self._notes.take():
            self._watchdog.progress()
            self._observer.rebalanced(note.change.value, len(note.partitions))
            log.info("rebalanced", change=note.change.value, partitions=_names(note.partitions))
            if note.change is Change.ASSIGNED:
                self._claim(note.partitions)
                claimed |= note.partitions
            else:
                self._release(note.partitions)
        member = self._consumer.group_metadata().member_id
        if member and member != self._member:
            # Expelled and back before a heartbeat told: kafka-python then keeps partitions and positions as
            # if nothing had happened, though others had them meanwhile.
            kept = frozenset(self._next) - claimed
            if self._member and kept:
                log.warning("membership_was_lost", partitions=_names(kept))
                self._observer.rebalanced(Change.LOST.value, len(kept))
                self._release(kept)
                kept &= self._consumer.assignment()
                self._claim(kept)
                claimed |= kept
            self._member = member
        return claimed

    def _claim(self, partitions: Collection[TopicPartition]) -> None:
        """Take partitions over: end what a dead owner left open, and start at the committed positions."""
        if partitions:
            self._watchdog.alive("taking over")
            self._before_taking_over()
            self._seek_to_committed(partitions)
            self._report_expired(partitions)
        self._step.on_assigned(partitions)

    def _release(self, partitions: Collection[TopicPartition]) -> None:
        self._buffer.drop(partitions)
        for at in partitions:
            self._next.pop(at, None)
            self._careful_until.pop(at, None)
            self._observer.released(at.topic, at.partition)
        self._doomed = {key: why for key, why in self._doomed.items() if key[0] not in partitions}
        self._step.on_revoked(partitions)

    def _hold_input(self, partitions: Collection[TopicPartition]) -> None:
        """Pause exactly these partitions: polling goes on, for the heartbeat, but returns none of them."""
        paused = self._consumer.paused()
        wanted = set(partitions) & set(self._consumer.assignment())
        if wanted - paused:
            self._consumer.pause(*(wanted - paused))
        if paused - wanted:
            self._consumer.resume(*(paused - wanted))

    def _run_batch(self) -> None:
        group = self._stable_group()
        if group is None:
            return
        batch = self._buffer.take(self._clock(), limit=self._careful_records if self._careful_until else None)
        if not self._continues(batch):
            self._undo()
            return
        self._watchdog.alive("processing")
        started = self._clock()
        doom = self._doomed.get(_first(batch)) if len(batch.records) == 1 else None
        if doom is not None:
            self._publish(batch, self._step.reject(batch.records[0], doom), group, rejected=True)
            return
        try:
            outcome = self._step.process(batch.records)
        except Exception as error:
            log.exception("step_failed", records=len(batch.records))
            self._isolate(batch, error)
            return
        self._observer.batch_processed(len(batch.records), self._clock() - started)
        self._publish(batch, outcome, group)

    def _continues(self, batch: Batch) -> bool:
        """Whether the batch is ours and begins no earlier than the last commit ended.

        The last line of defence: whatever makes a client forget its position, nothing is published twice.
        """
        if not set(batch.offsets) <= set(self._consumer.assignment()):
            return False
        for record in batch.records:
            at = TopicPartition(record.topic, record.partition)
            if record.offset < self._next.get(at, record.offset + 1):
                log.error("position_went_back", partition=_names([at]), offset=record.offset)
                return False
        return True

    def _stable_group(self) -> Any:
        """The group metadata that fences the next transaction; None while a rebalance is under way.

        Taken before anything else of a batch: if the group moves on after this, the broker refuses the
        batch. While rejoining, kafka-python shows the new generation beside the old assignment; a batch of
        partitions that are already another's would pass the broker's check with it. `state` tells.
        """
        group = self._consumer.group_metadata()
        self._unstable = group.state != MemberState.STABLE or self._notes.pending
        return None if self._unstable else group

    def _run_idle(self, assigned: Collection[TopicPartition]) -> None:
        group = self._stable_group()
        outcome = self._step.idle() if group is not None else None
        if outcome is None:
            return
        # Commits the positions as they are: the offsets fence this transaction as they do any other.
        limit_ms = round(self._settings.transactions.deadline_seconds * 1000)
        positions = {at: self._consumer.position(at, timeout_ms=limit_ms) for at in assigned}
        offsets = {at: offset for at, offset in positions.items() if offset is not None}
        self._publish(Batch((), offsets), outcome, group)

    def _publish(self, batch: Batch, outcome: Outcome, group: Any, *, rejected: bool = False) -> None:
        # Before publishing: on a bad deploy the input must stay unread rather than end as dead letters.
        self._limiter.check(len(batch.records), outcome.dead_letters)
        self._watchdog.alive("publishing")
        verdict = self._producer.publish(outcome.records, batch.offsets, group, self._read_committed)
        match verdict:
            case Committed():
                self._next |= batch.offsets
                self._limiter.count(len(batch.records), outcome.dead_letters)
                self._step.committed()
                self._watchdog.progress()
                self._relax(batch, rejected=rejected)
                if outcome.dead_letters:
                    self._observer.dead_lettered(outcome.dead_letters)
            case Aborted(failure=Failure.UNPUBLISHABLE, error=error) if batch.records:
                if rejected:
                    raise UnpublishableError(f"the broker refuses even the dead letter: {error}") from error
                self._isolate(batch, error)
            case Aborted():
                self._undo()

    def _isolate(self, batch: Batch, error: BaseException) -> None:
        """Find the record that fails by reading the batch again in halves; doom it when it is alone.

        Some twenty transactions find one among 2,000, where one at a time would take a minute.
        """
        for at, offset in batch.offsets.items():
            self._careful_until[at] = max(offset, self._careful_until.get(at, 0))
        self._careful_records = max(1, len(batch.records) // 2)
        if len(batch.records) == 1:
            self._doomed[_first(batch)] = error
        self._undo()

    def _relax(self, batch: Batch, *, rejected: bool) -> None:
        """Back to full batches: past the suspect range, or when its culprit is dealt with."""
        if rejected:
            del self._doomed[_first(batch)]
            self._careful_until.clear()
        for at, offset in batch.offsets.items():
            if offset >= self._careful_until.get(at, 0):
                self._careful_until.pop(at, None)

    def _undo(self) -> None:
        self._step.aborted()
        self._rewind()

    def _rewind(self) -> None:
        """Read again from the committed positions."""
        self._buffer.clear()
        self._seek_to_committed(self._next.keys() & self._consumer.assignment())

    def _seek_to_committed(self, partitions: Collection[TopicPartition]) -> None:
        """Set the positions ourselves; keeps trying while the broker is away."""
        while not self._stop.requested:
            self._watchdog.alive("reading committed positions")
            try:
                committed = self._read_committed(partitions)
            except kafka_errors.KafkaError as error:
                if classify(error) is Failure.REFUSED:
                    raise CredentialsRefusedError(f"reading offsets refused: {error}") from error
                log.warning("committed_positions_unknown", error=str(error))
                self._stop.wait(RETRY_SECONDS)
                continue
            for at in set(partitions) & self._consumer.assignment():
                if at in committed:
                    self._consumer.seek(at, committed[at].offset)
                else:
                    self._consumer.seek_to_beginning(at)
                self._next[at] = committed[at].offset if at in committed else 0
            return

    def _read_committed(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, OffsetAndMetadata]:
        limit_seconds = self._settings.transactions.deadline_seconds
        return read_committed(self._consumer, partitions, limit_seconds)

    def _report_expired(self, partitions: Collection[TopicPartition]) -> None:
        """Say so when retention has removed input that was never read; nothing is dropped silently."""
        limit_ms = round(self._settings.consumer.request_timeout_seconds * 1000)
        try:
            begins = self._consumer.beginning_offsets(list(partitions), timeout_ms=limit_ms)
        except kafka_errors.KafkaError as error:
            log.warning("expiry_check_failed", error=str(error))
            return
        for at, begin in begins.items():
            committed = self._next.get(at, 0)
            if committed and begin > committed:
                log.error(
                    "records_expired", topic=at.topic, partition=at.partition, records=begin - committed
                )
                self._observer.records_expired(at.topic, at.partition, begin - committed)

    def _check_lag(self, assigned: Collection[TopicPartition]) -> None:
        settings = self._settings.watchdog
        if self._clock() - self._lag_checked_at < settings.lag_check_seconds:
            return
        self._lag_checked_at = self._clock()
        self._watchdog.alive("measuring lag")
        try:
            lag = position_lag(self._consumer, assigned, self._settings.consumer.request_timeout_seconds)
        except kafka_errors.KafkaError as error:
            log.warning("lag_unknown", error=str(error))
            return
        for at, records in lag.items():
            self._observer.lag(at.topic, at.partition, records)
        self._watchdog.lag(sum(lag.values()) + self._buffer.records)


def _first(batch: Batch) -> tuple[TopicPartition, int]:
    record = batch.records[0]
    return TopicPartition(record.topic, record.partition), record.offset


def _names(partitions: Collection[TopicPartition]) -> list[str]:
    return [f"{at.topic}[{at.partition}]" for at in sorted(partitions)]
