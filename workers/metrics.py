"""Every metric with its meaning, in one table, on one registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BATCH_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """The definition of a metric; ``name`` without the prefix ``samewire_``."""

    kind: Literal["counter", "gauge", "histogram"]
    name: str
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


METRICS = (
    Metric("counter", "articles_read", "Lines or records taken from the input."),
    Metric("counter", "articles_signed", "Articles signed."),
    Metric(
        "counter", "articles_published", "Answers published, by relation to the best match.", ("relation",)
    ),
    Metric("counter", "articles_dead", "Articles that could not be used, by reason.", ("reason",)),
    Metric("counter", "articles_late", "Articles published alone because they came too late to be linked."),
    Metric("counter", "articles_repeated", "Articles whose id was known; they got their earlier answer."),
    Metric(
        "counter", "articles_clamped", "Articles dated further ahead of the clock than window.max_clock_skew."
    ),
    Metric("counter", "articles_evicted", "Articles that left the window early because it was full."),
    Metric("counter", "candidates", "Pairs that shared a band."),
    Metric("counter", "checks", "Candidates that were compared exactly."),
    Metric("counter", "links", "Compared pairs that linked."),
    Metric("counter", "hot_buckets", "Bucket walks cut off at the limit."),
    Metric("counter", "cluster_events", "Cluster events published.", ("event",)),
    Metric("histogram", "batch_seconds", "Time for one batch from parsing to commit.", (), BATCH_SECONDS),
    Metric("gauge", "window_articles", "Articles in the window."),
    Metric("gauge", "window_bytes", "Memory reserved for the window, in bytes."),
    Metric("gauge", "desks_owned", "Desks that this matcher owns; 0 on a standby."),
    Metric(
        "gauge", "restoring_records", "Changelog records still to be read before a desk can work.", ("desk",)
    ),
    Metric(
        "gauge", "standby_records_behind", "Changelog records that a standby has not followed yet.", ("desk",)
    ),
    Metric("gauge", "lag_records", "Records waiting in a partition.", ("topic", "partition")),
    Metric("counter", "transactions_committed", "Transactions committed, for certain."),
    Metric("counter", "transactions_aborted", "Transactions undone, by reason.", ("reason",)),
    Metric("histogram", "transaction_seconds", "Time to publish a batch.", (), BATCH_SECONDS),
    Metric("counter", "producer_rebuilds", "Producers that were replaced after a fatal error."),
    Metric("counter", "rebalances", "Changes of assignment, by kind.", ("kind",)),
    Metric("counter", "records_expired", "Input that retention removed before it was read."),
    Metric("counter", "children_ended", "Supervised processes that ended, by exit code.", ("exit_code",)),
    Metric("gauge", "watermark_seconds", "Newest event time seen, in seconds since 1970."),
    Metric("gauge", "build_info", "1; the labels say which engine runs.", ("version", "engine")),
)


class Metrics:
    """The metrics of one process, by name."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        for metric in METRICS:
            name = f"samewire_{metric.name}"
            if metric.kind == "counter":
                self._counters[metric.name] = Counter(
                    name, metric.meaning, metric.labels, registry=self.registry
                )
            elif metric.kind == "gauge":
                self._gauges[metric.name] = Gauge(name, metric.meaning, metric.labels, registry=self.registry)
            else:
                self._histograms[metric.name] = Histogram(
                    name, metric.meaning, metric.labels, buckets=metric.buckets, registry=self.registry
                )

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter; once a batch, since each call costs about a microsecond."""
        if amount:
            counter = self._counters[name]
            (counter.labels(**labels) if labels else counter).inc(amount)

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        gauge = self._gauges[name]
        (gauge.labels(**labels) if labels else gauge).set(value)

    def observe(self, name: str, value: float) -> None:
        """Add an observation to a histogram."""
        self._histograms[name].observe(value)
