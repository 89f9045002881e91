"""The role *sign*: articles in, signed articles out. Stateless, so any number of workers share the input."""

import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

import numpy as np
from kafka import TopicPartition

from config.kafka import KafkaSettings
from config.settings import Settings, milliseconds
from pipeline.article import Article, Rejected, about, parse_line
from pipeline.engine import Engine
from pipeline.signed import SignedArticles, encode_signed
from workers.health import Health
from workers.kafka.deadletters import dead_letter
from workers.kafka.records import Outcome, Outgoing, Record
from workers.metrics import Metrics

# Room that one article takes in a signed record besides tokens and texts: signature, id, offsets.
ARTICLE_OVERHEAD_BYTES = 1600
# A record is filled to this share of the largest that the topic takes: sizes are estimated.
FILL = 0.6


class SignStep:
    """Parses, sketches and signs a batch; writes few, large records, one desk each."""

    def __init__(self, engine: Engine, settings: Settings, metrics: Metrics, health: Health) -> None:
        self._engine = engine
        self._settings = settings
        self._kafka: KafkaSettings = settings.kafka
        self._metrics = metrics
        self._health = health
        health.not_ready("unassigned", "the group has given this worker no partition yet")

    def on_assigned(self, partitions: Collection[TopicPartition]) -> None:
        """Nothing to prepare: there is no state. A spare worker is ready as well."""
        self._health.ready()

    def on_revoked(self, partitions: Collection[TopicPartition]) -> None:
        """Nothing to forget."""

    def ready(self) -> bool:
        """Always: there is no state to wait for."""
        return True

    def process(self, records: Sequence[Record]) -> Outcome:
        """Sign a batch; what cannot be used becomes a dead letter."""
        started = time.perf_counter()
        outgoing: list[Outgoing] = []
        desks: defaultdict[int, tuple[list[Article], list[int]]] = defaultdict(lambda: ([], []))
        skew_ms = milliseconds(self._settings.window.max_clock_skew)
        clamped = 0
        for record in records:
            try:
                article = self._parse(record)
            except Rejected as rejected:
                outgoing.append(self._dead(record, rejected.reason, rejected))
                self._metrics.count("articles_dead", reason=rejected.reason)
                continue
            moment = article.published_ms
            if moment is None:
                moment = record.timestamp  # the arrival, which is the same at every repetition
            elif moment > record.timestamp + skew_ms:
                moment = record.timestamp
                clamped += 1
            articles, times = desks[self._kafka.desks.desk_of(article.lang)]
            articles.append(article)
            times.append(moment)
        dead = len(outgoing)
        for desk, (articles, times) in sorted(desks.items()):
            for signed in self._sign(articles, times):
                value = encode_signed(signed, self._engine.fingerprint)
                outgoing.append(Outgoing(self._kafka.topics.signed, None, value, partition=desk))
        self._metrics.count("articles_read", len(records))
        self._metrics.count("articles_clamped", clamped)
        self._metrics.count("articles_signed", len(records) - dead)
        self._metrics.observe("batch_seconds", time.perf_counter() - started)
        return Outcome(outgoing, dead)

    def reject(self, record: Record, error: BaseException) -> Outcome:
        """A dead letter for a record that made signing fail."""
        self._metrics.count("articles_dead", reason="failed")
        return Outcome([self._dead(record, "failed", error)], 1)

    def idle(self) -> Outcome | None:
        """Nothing is due without input."""
        return None

    def committed(self) -> None:
        """Nothing to keep."""

    def aborted(self) -> None:
        """Nothing to undo."""

    def _parse(self, record: Record) -> Article:
        if record.value is None:
            raise Rejected("tombstone", "the record has no value")
        return parse_line(record.value, self._settings.input.max_text_bytes)

    def _dead(self, record: Record, reason: str, error: BaseException) -> Outgoing:
        topics = self._kafka.topics
        return dead_letter(record, reason, error, topics.dead, topics.max_record_bytes)

    def _sign(self, articles: Sequence[Article], times: Sequence[int]) -> Iterator[SignedArticles]:
        """Yield signed articles in runs that fit into one record each."""
        sketches, signatures = self._engine.sketcher.signed(articles)
        descriptions = [about(a, self._settings.state.keep_texts) for a in articles]
        signed = SignedArticles(
            [a.id for a in articles], np.array(times, np.int64), sketches, signatures, descriptions
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
