"""The metrics of one process, kept for the table in :mod:`workers.metric_table`.

Hand-made rather than ``prometheus_client``'s own metric classes, for three reasons: a histogram takes a batch
of observations in one call (numpy), label values are bounded by the table, and a gauge that a role never sets
is not exposed as a zero. ``python -m workers.metrics`` writes the reference page.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from workers.memory import memory_limit_bytes
from workers.metric_table import METRICS, OTHER, PREFIX, PROCESS_METRICS, Metric

__all__ = ["METRICS", "Metric", "Metrics", "reference"]

REFERENCE = Path(__file__).parents[1] / "docs" / "metrics.md"

Values = dict[tuple[str, ...], float]


class _Histogram:
    """Counts by bucket; the last one is above all bounds."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = np.array(bounds)
        self.counts = np.zeros(len(bounds) + 1, np.int64)
        self.total = 0.0

    def add(self, values: npt.NDArray[np.float64]) -> None:
        """Add observations; a value equal to a bound belongs to that bucket."""
        places = np.searchsorted(self.bounds, values, side="left")
        self.counts += np.bincount(places, minlength=len(self.counts))
        self.total += float(values.sum())


class Metrics(Collector):
    """Counters, gauges and histograms by name. Updates are for once a batch: each costs about a microsecond."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_name = {metric.name: metric for metric in METRICS}
        self._values: dict[str, Values] = {}
        self._histograms: dict[str, _Histogram] = {}
        self._live: dict[str, Callable[[], float]] = {}
        self._seen: dict[tuple[str, str], set[str]] = {}
        for metric in METRICS:
            if metric.kind == "histogram":
                self._histograms[metric.name] = _Histogram(metric.buckets)
                continue
            values: Values = {}
            # A counter that appears with its first event hides that event from rate(): start at zero.
            if metric.kind == "counter" and all(label.values for label in metric.labels):
                values = dict.fromkeys(product(*(label.values for label in metric.labels)), 0.0)
            self._values[metric.name] = values
        self._values["memory_limit_bytes"][()] = memory_limit_bytes()
        self.registry = CollectorRegistry()
        self.registry.register(self)
        ProcessCollector(registry=self.registry)

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""
        if amount:
            with self._lock:
                values, key = self._values[name], self._key(name, labels)
                values[key] = values.get(key, 0.0) + amount

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        with self._lock:
            self._values[name][self._key(name, labels)] = value

    def forget(self, name: str, **labels: str) -> None:
        """Stop reporting a gauge's series: somebody else has the partition or the desk now."""
        with self._lock:
            self._values[name].pop(self._key(name, labels), None)

    def live(self, name: str, value: Callable[[], float]) -> None:
        """Ask ``value`` at every scrape, on the scraping thread."""
        self._live[name] = value

    def observe(self, name: str, value: float) -> None:
        """Add one observation to a histogram."""
        self.observe_many(name, np.array([value]))

    def observe_many(self, name: str, values: npt.NDArray[np.float64]) -> None:
        """Add a batch of observations to a histogram."""
        if len(values):
            with self._lock:
                self._histograms[name].add(values)

    def _key(self, name: str, labels: dict[str, str]) -> tuple[str, ...]:
        """Return the label values in the table's order, each within its bound."""
        metric = self._by_name[name]
        if not labels and not metric.labels:
            return ()
        if len(labels) != len(metric.labels):
            raise KeyError(
                f"{name} has the labels {[label.name for label in metric.labels]}, not {list(labels)}"
            )
        key = []
        for label in metric.labels:
            value = labels[label.name]
            if label.values:
                value = value if value in label.values else OTHER
            else:
                seen = self._seen.setdefault((name, label.name), set())
                if value not in seen:
                    if len(seen) >= label.most:
                        value = OTHER
                    else:
                        seen.add(value)
            key.append(value)
        return tuple(key)

    def collect(self) -> Iterator[Family]:
        """Yield what a scrape shows."""
        for name, ask in self._live.items():
            self.set(name, ask())
        for metric in METRICS:
            yield self._histogram(metric) if metric.kind == "histogram" else self._simple(metric)

    def _simple(self, metric: Metric) -> Family:
        make = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
        family = make(PREFIX + metric.name, metric.meaning, labels=[label.name for label in metric.labels])
        with self._lock:
            samples = list(self._values[metric.name].items())
        for key, value in samples:
            family.add_metric(list(key), value)
        return family

    def _histogram(self, metric: Metric) -> Family:
        with self._lock:
            histogram = self._histograms[metric.name]
            counts, total = np.cumsum(histogram.counts).tolist(), histogram.total
        bounds = [*(str(bound) for bound in metric.buckets), "+Inf"]
        family = HistogramMetricFamily(PREFIX + metric.name, metric.meaning)
        family.add_metric([], list(zip(bounds, counts, strict=True)), total)
        return family


def reference() -> str:
    """Return the reference page of all metrics."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterable[str]:
    yield "# Metrics"
    yield ""
    yield "Generated by `python -m workers.metrics` from `workers/metric_table.py`; a test holds both together."
    yield ""
    yield "Counters and delays of articles change when their batch is committed, so they add up:"
    yield "what was read = what was published + what is dead, whatever was repeated after a failure in between."
    yield "A counter whose labels are all known is exposed from the start, at zero; a gauge once it is set."
    yield f"Label values outside the known ones, or beyond their number, are counted under `{OTHER}`."
    yield ""
    yield "| metric | type | told by | meaning |"
    yield "| --- | --- | --- | --- |"
    for metric in METRICS:
        roles = ", ".join(f"`{role}`" for role in metric.roles.split())
        labels = "{" + ",".join(label.name for label in metric.labels) + "}" if metric.labels else ""
        yield f"| `{metric.exposed}{labels}` | {metric.kind} | {roles} | {metric.meaning} |"
    for name, meaning in PROCESS_METRICS:
        kind = "counter" if name.endswith("_total") else "gauge"
        yield f"| `{name}` | {kind} | all | {meaning} |"
    yield ""
    yield "## Labels"
    yield ""
    yield "| metric | label | meaning | values |"
    yield "| --- | --- | --- | --- |"
    for metric in METRICS:
        for label in metric.labels:
            values = ", ".join(f"`{v}`" for v in label.values) or f"at most {label.most} different ones"
            yield f"| `{metric.exposed}` | `{label.name}` | {label.meaning} | {values} |"
    yield ""
    yield "## Buckets of the histograms"
    yield ""
    for metric in METRICS:
        if metric.kind == "histogram":
            yield f"- `{metric.exposed}`: {', '.join(f'{bound:g}' for bound in metric.buckets)}"


if __name__ == "__main__":
    REFERENCE.write_text(reference(), "utf-8")
