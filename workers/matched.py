"""Counting what a batch of matching did; the embedded and the Kafka matcher share it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.answers import Answer, ClusterEvent
from pipeline.matcher import Counters, Matched, Matcher
from workers.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Tally:
    """What a matched batch adds to the metrics once it is committed, and never if it is undone.

    ``published_ms``/``arrived_ms``: event time and arrival of each article of the batch.
    """

    relations: Counter[str]
    events: Counter[str]
    counters: Counters
    moved: int
    cluster_articles: npt.NDArray[np.float64]
    closed_articles: npt.NDArray[np.float64]
    largest_grown: int
    published_ms: npt.NDArray[np.int64]
    arrived_ms: npt.NDArray[np.int64]


def tally(
    matched: Matched,
    answers: Sequence[Answer],
    events: Iterable[ClusterEvent],
    published_ms: npt.NDArray[np.int64],
    arrived_ms: npt.NDArray[np.int64],
) -> Tally:
    """Sum up a batch; ``answers`` and ``events`` are those that are published."""
    sizes = matched.change.size
    return Tally(
        relations=Counter(answer.relation for answer in answers if not answer.moved),
        events=Counter(event.event for event in events),
        counters=matched.counters,
        moved=len(matched.moved),
        # a late article has no cluster in the window: it stands alone
        cluster_articles=np.maximum(sizes, 1).astype(np.float64),
        closed_articles=np.array([e.size for e in matched.events if e.event == "closed"], np.float64),
        largest_grown=max((event.size for event in matched.grown), default=0),
        published_ms=published_ms,
        arrived_ms=arrived_ms,
    )


def count_matched(metrics: Metrics, batch: Tally, now_ms: int) -> None:
    """Add a committed batch to the metrics."""
    counted = batch.counters
    for relation, number in batch.relations.items():
        metrics.count("articles_published", number, relation=relation)
    for kind, number in batch.events.items():
        metrics.count("cluster_events", number, event=kind)
    metrics.count("articles_late", counted.late)
    metrics.count("articles_repeated", counted.repeated)
    metrics.count("articles_evicted", counted.evicted_early)
    metrics.count("articles_corrected", counted.corrected)
    metrics.count("articles_conflicting", counted.conflicts)
    metrics.count("articles_moved", batch.moved)
    metrics.count("kills", counted.kills - counted.kills_early, known="yes")
    metrics.count("kills", counted.kills_early, known="no")
    metrics.count("kills_forgotten", counted.kills_forgotten)
    metrics.count("candidates", counted.candidates)
    metrics.count("checks", counted.checks)
    metrics.count("links", counted.links)
    metrics.count("hot_buckets", counted.cut_buckets)
    metrics.observe_many("cluster_articles", batch.cluster_articles)
    metrics.observe_many("closed_cluster_articles", batch.closed_articles)
    metrics.set("largest_grown_cluster_articles", batch.largest_grown)
    # below zero: dated ahead of the clock within window.max_clock_skew
    metrics.observe_many("published_delay_seconds", np.maximum(now_ms - batch.published_ms, 0) / 1000)
    metrics.observe_many("arrival_delay_seconds", np.maximum(now_ms - batch.arrived_ms, 0) / 1000)


def set_window(metrics: Metrics, matchers: Iterable[Matcher]) -> None:
    """Set the gauges of the window, summed over the desks of this process."""
    articles = clusters = size_bytes = kills = 0
    watermark_ms = 0
    for matcher in matchers:
        window = matcher.window
        articles += len(matcher)
        kills += len(matcher.store.kills)
        clusters += window.capacity - int(window.rows.free_count[0])
        size_bytes += window.bytes_allocated
        watermark_ms = max(watermark_ms, matcher.watermark_ms)
    metrics.set("window_articles", articles)
    metrics.set("window_clusters", clusters)
    metrics.set("kills_remembered", kills)
    metrics.set("window_bytes", size_bytes)
    metrics.set("watermark_timestamp_seconds", watermark_ms / 1000)
