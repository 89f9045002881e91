"""The role *match*: signed articles in, answers, cluster events and the changelog out. One owner a desk."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import structlog
from kafka import TopicPartition

from config.settings import Settings
from pipeline.answers import answer_lines, event_lines
from pipeline.changelog import encode
from pipeline.errors import FingerprintError, StateError
from pipeline.matcher import Matcher
from pipeline.signed import SignedArticles, concatenate, decode_signed
from workers.health import Health
from workers.kafka.deadletters import dead_letter, header
from workers.kafka.desk import Desk
from workers.kafka.event_keys import event_key
from workers.kafka.records import Headers, Outcome, Outgoing, Record
from workers.kafka.replay import Replay
from workers.kafka.sign import ARRIVED
from workers.matched import Tally, count_matched, set_window, tally
from workers.metrics import Metrics
from workers.stages import Stages
from workers.state import window_rules
from workers.tracing import SIGNED_TRACES, TRACEPARENT, Tracing, unpack_traces

log = structlog.get_logger(__name__)

# One slice of restoring: long enough to be worth a poll, short enough for heartbeats and stop signals.
RESTORE_SLICE_SECONDS = 0.1
FOLLOW_SLICE_SECONDS = 0.01
# Articles that are matched, and logged as one changelog record, together.
RUN_ARTICLES = 1000


class _Read(NamedTuple):
    """A signed record with what it holds."""

    record: Record
    signed: SignedArticles

    def arrived_ms(self) -> npt.NDArray[np.int64]:
        """When its articles arrived; by the record's own time where the signer's header is missing."""
        content = header(self.record.headers, ARRIVED) or b""
        if len(content) != 8 * len(self.signed):
            return np.full(len(self.signed), self.record.timestamp, np.int64)
        return np.frombuffer(content, "<i8").astype(np.int64)


class MatchStep:
    """Owns the desks that the group gives it, and follows the others while it owns none."""

    def __init__(
        self,
        fingerprint: str,
        settings: Settings,
        metrics: Metrics,
        health: Health,
        make_replay: Callable[[TopicPartition], Replay],
        tracing: Tracing | None = None,
    ) -> None:
        self._fingerprint = fingerprint
        self._settings = settings
        self._topics = settings.kafka.topics
        self._metrics = metrics
        self._health = health
        health.not_ready("unassigned", "the group has not answered yet")
        self._make_replay = make_replay
        self._rules = window_rules(settings, live=True)
        self._desks: dict[int, Desk] = {}
        self._ahead: set[int] = set()
        self._tracing = tracing or Tracing()
        # What the metrics learn when the batch is committed, and never if it is undone.
        self._pending: list[Tally] = []
        self._pending_dead: Counter[str] = Counter()
        self._standby_measured = 0.0
        metrics.set("desks_configured", settings.kafka.desks.count)
        metrics.set("window_limit_articles", settings.window.max_articles)

    # --- ownership

    def on_assigned(self, partitions: Collection[TopicPartition]) -> None:
        """Take the desks over; `ready` restores them."""
        for at in partitions:
            self._desk(at.partition).take_over()
            self._metrics.forget("standby_records_behind", desk=str(at.partition))

    def on_revoked(self, partitions: Collection[TopicPartition]) -> None:
        """Forget the desks: from now on another owner writes their changelog."""
        for at in partitions:
            self._forget(at.partition)

    def ready(self) -> bool:
        """Restore owned desks a slice at a time; as a standby, follow all of them."""
        owned = [desk for desk in self._desks.values() if desk.owned]
        for desk in owned:
            if not desk.restored:
                restored = desk.follow(RESTORE_SLICE_SECONDS)
                name = str(desk.partition.partition)
                self._metrics.set("restoring_records", desk.behind, desk=name)
                if restored:
                    self._metrics.set("restore_seconds", desk.restore_seconds, desk=name)
                    set_window(self._metrics, [each.matcher for each in owned])
        if not owned:
            for number in range(min(self._settings.kafka.desks.count, self._settings.kafka.desks.followed)):
                desk = self._desk(number)
                desk.follow(FOLLOW_SLICE_SECONDS)
                self._metrics.set("standby_records_behind", desk.behind, desk=str(number))
            self._measure_standby()
        self._metrics.set("desks_owned", len(owned))
        restoring = [desk for desk in owned if not desk.restored]
        if restoring:
            left = sum(desk.behind for desk in restoring)
            self._health.not_ready("restoring", f"{left} changelog records are still to be read")
        else:
            self._health.ready()
        return bool(owned) and not restoring

    # --- batches

    def process(self, records: Sequence[Record]) -> Outcome:
        """Match a batch, record by record in the order of the log."""
        stages = Stages()
        outgoing: list[Outgoing] = []
        dead = articles = 0
        for desk, run in self._runs(records):
            stages.mark("decode")
            if isinstance(run, Outgoing):
                outgoing.append(run)
                dead += 1
            else:
                articles += sum(len(each.signed) for each in run)
                outgoing += self._match(desk, run, stages)
        stages.mark("decode")
        stages.report(self._metrics, articles)
        return Outcome(outgoing, dead)

    def _runs(self, records: Sequence[Record]) -> Iterator[tuple[int, list[_Read] | Outgoing]]:
        """Yield runs of signed articles of one desk, and dead letters for what cannot be read."""
        run: list[_Read] = []
        size = articles = 0
        desk = -1
        most_bytes = self._topics.max_record_bytes // 2
        for record in records:
            try:
                signed = self._read(record)
            except (StateError, ValueError) as error:
                yield record.partition, self._dead(record, error)
                continue
            length = len(record.value or b"")
            if run and (
                record.partition != desk
                or size + length > most_bytes
                or articles + len(signed) > RUN_ARTICLES
            ):
                yield desk, run
                run, size, articles = [], 0, 0
            desk = record.partition
            run.append(_Read(record, signed))
            size += length
            articles += len(signed)
        if run:
            yield desk, run

    def _read(self, record: Record) -> SignedArticles:
        if record.value is None:
            raise ValueError("tombstone: the record has no value")
        return decode_signed(record.value, self._fingerprint)

    def _match(self, desk: int, run: Sequence[_Read], stages: Stages) -> list[Outgoing]:
        self._ahead.add(desk)
        matcher = self._desks[desk].matcher
        signed = concatenate([each.signed for each in run])
        matched = matcher.match(signed.ids, signed.time, signed.sketches, signed.about, signed.notices)
        stages.mark("match")
        topics, engine = self._topics, self._fingerprint
        answers = matched.published(self._settings.output.repeated == "skip")
        events = (*matched.events, *matched.grown)
        traces = self._traces(run) if self._tracing.enabled else {}
        outgoing = [
            Outgoing(
                topics.clustered,
                answer.article_id.encode(),
                line,
                traces.get(answer.article_id, ()) if traces else (),
            )
            for answer, line in zip(answers, answer_lines(answers, engine), strict=True)
        ]
        outgoing += [
            Outgoing(topics.clusters, event_key(event), line)
            for event, line in zip(events, event_lines(events, engine), strict=True)
        ]
        if not matched.change.empty or matched.events:
            outgoing.append(Outgoing(topics.changelog, None, encode(matched.change), partition=desk))
        arrived_ms = np.concatenate([each.arrived_ms() for each in run])
        self._pending.append(tally(matched, answers, events, signed.time, arrived_ms))
        stages.mark("encode")
        return outgoing

    def _traces(self, run: Sequence[_Read]) -> dict[str, Headers]:
        """Begin the spans of the traced articles; returns the header of each one's answer."""
        found: dict[str, Headers] = {}
        for each in run:
            traced = unpack_traces(header(each.record.headers, SIGNED_TRACES), len(each.signed))
            for position, parent in traced.items():
                article_id = each.signed.ids[position]
                attributes = {
                    "messaging.destination.name": each.record.topic,
                    "samewire.article_id": article_id,
                }
                found[article_id] = [(TRACEPARENT, self._tracing.start(parent, attributes).encode())]
        return found

    def reject(self, record: Record, error: BaseException) -> Outcome:
        """A dead letter for a record that made matching fail."""
        self._pending_dead["failed"] += 1
        letter = dead_letter(record, "failed", error, self._topics.dead, self._topics.max_record_bytes)
        return Outcome([letter], 1)

    def _dead(self, record: Record, error: Exception) -> Outgoing:
        if record.value is None:
            reason = "tombstone"
        else:
            reason = "wrong_engine" if isinstance(error, FingerprintError) else "damaged"
        self._pending_dead[reason] += 1
        return dead_letter(record, reason, error, self._topics.dead, self._topics.max_record_bytes)

    def idle(self) -> Outcome | None:
        """Nothing is due without input: the window follows event time."""
        return None

    def committed(self) -> None:
        """The state is what was published; tell the metrics."""
        now_ms = time.time_ns() // 1_000_000
        for batch in self._pending:
            count_matched(self._metrics, batch, now_ms)
        for reason, number in self._pending_dead.items():
            self._metrics.count("articles_dead", number, reason=reason)
        set_window(self._metrics, [desk.matcher for desk in self._desks.values() if desk.owned])
        self._tracing.committed()
        self._settle()

    def aborted(self) -> None:
        """Throw away the desks that ran ahead; `ready` restores them from the changelog."""
        for number in sorted(self._ahead):
            log.warning("desk_discarded", desk=number)
            self._forget(number)
            self._desk(number).take_over()
        self._tracing.aborted()
        self._settle()

    def _settle(self) -> None:
        self._ahead.clear()
        self._pending.clear()
        self._pending_dead.clear()

    # --- desks

    def _measure_standby(self) -> None:
        """Show the followed window, at most once a second: this is called every few milliseconds."""
        if time.monotonic() - self._standby_measured > 1.0:
            self._standby_measured = time.monotonic()
            set_window(self._metrics, [desk.matcher for desk in self._desks.values()])

    def _desk(self, number: int) -> Desk:
        desk = self._desks.get(number)
        if desk is None:
            partition = TopicPartition(self._topics.changelog, number)
            desk = Desk(
                partition, Matcher(self._fingerprint, self._rules), lambda: self._make_replay(partition)
            )
            self._desks[number] = desk
        return desk

    def _forget(self, number: int) -> None:
        desk = self._desks.pop(number, None)
        if desk is not None:
            desk.close()
        for gauge in ("restoring_records", "restore_seconds", "standby_records_behind"):
            self._metrics.forget(gauge, desk=str(number))
        self._ahead.discard(number)
