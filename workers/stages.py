"""A stopwatch that says which stage of a batch the time went to."""

from __future__ import annotations

import time

from workers.metrics import Metrics


class Stages:
    """Seconds by stage, gathered over a batch and reported once.

    ``mark(stage)`` credits the time since the last mark to ``stage``.
    """

    def __init__(self) -> None:
        self._started = self._marked = time.perf_counter()
        self._seconds: dict[str, float] = {}

    def mark(self, stage: str) -> None:
        """Credit the time since the last mark."""
        now = time.perf_counter()
        self._seconds[stage] = self._seconds.get(stage, 0.0) + now - self._marked
        self._marked = now

    def report(self, metrics: Metrics, articles: int) -> None:
        """Add the batch to the metrics: its size, its whole time and its stages."""
        for stage, seconds in self._seconds.items():
            metrics.count("stage_seconds", seconds, stage=stage)
        metrics.observe("batch_seconds", self._marked - self._started)
        metrics.observe("batch_articles", articles)
