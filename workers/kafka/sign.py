"""The role *sign*: articles in, signed articles out. Stateless, so any number of workers share the input."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from kafka import TopicPartition

from config.kafka import KafkaSettings
from config.settings import Settings, milliseconds
from pipeline.article import Article, Rejected, about, parse_line
from pipeline.engine import Engine
from pipeline.life import QUIET_KILL, Notices
from pipeline.signed import SignedArticles, encode_signed
from workers.health import Health
from workers.kafka.deadletters import dead_letter
from workers.kafka.records import Headers, Outcome, Outgoing, Record
from workers.metrics import Metrics
from workers.stages import Stages
from workers.tracing import SIGNED_TRACES, Tracing, pack_traces, sampled_parent

ARRIVED = "samewire.arrived"
"""Header of a signed record: when its articles arrived, int64 milliseconds since 1970, little-endian."""

# Room that one article takes in a signed record besides tokens and texts: signature, id, offsets.
ARTICLE_OVERHEAD_BYTES = 1600
# A record is filled to this share of the largest that the topic takes: sizes are estimated.
FILL = 0.6


@dataclass(slots=True)
class _Part:
    """A batch's articles for one desk: event times, arrivals; by position the traces and quiet kills."""

    articles: list[Article] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    arrived: list[int] = field(default_factory=list)
    traces: dict[int, str] = field(default_factory=dict)
    quiet: list[int] = field(default_factory=list)

    def add(self, article: Article, moment: int, arrived: int) -> None:
        """Add an article with its event time and arrival (ms)."""
        self.articles.append(article)
        self.times.append(moment)
        self.arrived.append(arrived)

    def add_quietly(self, article: Article, moment: int, arrived: int) -> None:
        """Add a kill that another desk answers where the article is unknown."""
        self.quiet.append(len(self.articles))
        self.add(article, moment, arrived)

    def headers(self, first: int, end: int) -> Headers:
        """Return the headers of the signed record with these articles."""
        found = [(ARRIVED, np.array(self.arrived[first:end], "<i8").tobytes())]
        traces = {at - first: parent for at, parent in self.traces.items() if first <= at < end}
        if traces:
            found.append((SIGNED_TRACES, pack_traces(traces)))
        return found


class SignStep:
    """Parses, sketches and signs a batch; writes few, large records, one desk each."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        metrics: Metrics,
        health: Health,
        tracing: Tracing | None = None,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._kafka: KafkaSettings = settings.kafka
        self._metrics = metrics
        self._health = health
        self._tracing = tracing or Tracing()
        # What the metrics learn when the batch is committed, and never if it is undone.
        self._pending: Counter[str] = Counter()
        self._pending_dead: Counter[str] = Counter()
        health.not_ready("unassigned", "the group has given this worker no partition yet")

    def on_assigned(self, partitions: Collection[TopicPartition]) -> None:  # noqa: ARG002 - the contract's
        """Nothing to prepare: there is no state. A spare worker is ready as well."""
        self._health.ready()

    def on_revoked(self, partitions: Collection[TopicPartition]) -> None:
        """Nothing to forget."""

    def ready(self) -> bool:
        """Always: there is no state to wait for."""
        return True

    def process(self, records: Sequence[Record]) -> Outcome:
        """Sign a batch; what cannot be used becomes a dead letter."""
        stages = Stages()
        outgoing: list[Outgoing] = []
        desks: defaultdict[int, _Part] = defaultdict(_Part)
        skew_ms = milliseconds(self._settings.window.max_clock_skew)
        clamped = 0
        for record in records:
            try:
                article = self._parse(record)
            except Rejected as rejected:
                outgoing.append(self._dead(record, rejected.reason, rejected))
                self._pending_dead[rejected.reason] += 1
                continue
            moment = article.published_ms
            if moment is None:
                moment = record.timestamp  # the arrival, which is the same at every repetition
            elif moment > record.timestamp + skew_ms:
                moment = record.timestamp
                clamped += 1
            home = self._kafka.desks.desk_of(article.lang)
            if article.kill:
                # a kill does not say where its article is
                for desk in range(self._kafka.desks.count):
                    if desk != home:
                        desks[desk].add_quietly(article, moment, record.timestamp)
            part = desks[home]
            if self._tracing.enabled:
                parent = sampled_parent(record.headers)
                if parent is not None:
                    attributes = {
                        "messaging.destination.name": record.topic,
                        "samewire.article_id": article.id,
                    }
                    part.traces[len(part.articles)] = self._tracing.start(parent, attributes)
            part.add(article, moment, record.timestamp)
        dead = len(outgoing)
        stages.mark("parse")
        for desk, part in sorted(desks.items()):
            first = 0
            for signed in self._sign(part, stages):
                end = first + len(signed)
                value = encode_signed(signed, self._engine.fingerprint)
                headers = part.headers(first, end)
                outgoing.append(Outgoing(self._kafka.topics.signed, None, value, headers, partition=desk))
                first = end
            stages.mark("encode")
        self._pending.update(
            articles_read=len(records), articles_clamped=clamped, articles_signed=len(records) - dead
        )
        stages.report(self._metrics, len(records))
        return Outcome(outgoing, dead)

    def reject(self, record: Record, error: BaseException) -> Outcome:
        """A dead letter for a record that made signing fail."""
        self._pending_dead["failed"] += 1
        self._pending["articles_read"] += 1
        return Outcome([self._dead(record, "failed", error)], 1)

    def idle(self) -> Outcome | None:
        """Nothing is due without input."""
        return None

    def committed(self) -> None:
        """Tell the metrics."""
        for name, number in self._pending.items():
            self._metrics.count(name, number)
        for reason, number in self._pending_dead.items():
            self._metrics.count("articles_dead", number, reason=reason)
        self._tracing.committed()
        self._forget()

    def aborted(self) -> None:
        """Nothing to undo: the batch comes again and is counted then."""
        self._tracing.aborted()
        self._forget()

    def _forget(self) -> None:
        self._pending.clear()
        self._pending_dead.clear()

    def _parse(self, record: Record) -> Article:
        if record.value is None:
            raise Rejected("tombstone", "the record has no value")
        return parse_line(record.value, self._settings.input.max_text_bytes)

    def _dead(self, record: Record, reason: str, error: BaseException) -> Outgoing:
        topics = self._kafka.topics
        return dead_letter(record, reason, error, topics.dead, topics.max_record_bytes)

    def _sign(self, part: _Part, stages: Stages) -> Iterator[SignedArticles]:
        """Yield signed articles in runs that fit into one record each."""
        articles = part.articles
        sketches, signatures = self._engine.sketcher.signed(articles)
        notices = Notices.of(articles, part.arrived, self._settings.life.obey_advisories)
        notices.kill[part.quiet] = QUIET_KILL
        stages.mark("sketch")
        descriptions = [about(a, self._settings.state.keep_texts) for a in articles]
        signed = SignedArticles(
            [a.id for a in articles],
            np.array(part.times, np.int64),
            sketches,
            signatures,
            descriptions,
            notices,
        )
        room = int(self._kafka.topics.max_record_bytes * FILL)
        first = size = 0
        for position, count in enumerate(np.diff(sketches.ends, prepend=0).tolist()):
            needed = ARTICLE_OVERHEAD_BYTES + 4 * count + len(descriptions[position])
            if position > first and size + needed > room:
                yield signed.between(first, position)
                first, size = position, 0
            size += needed
        yield signed.between(first, len(signed))
