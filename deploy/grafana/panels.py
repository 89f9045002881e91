"""What a dashboard is made of: boards, panels, queries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Query:
    """A PromQL expression and the legend of its lines."""

    expr: str
    legend: str = ""
    quiet: bool = False
    """Healthy workers give no data, or none in the first minutes."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. ``limit`` draws a line where it gets red."""

    title: str
    queries: tuple[Query, ...]
    unit: str = "short"
    meaning: str = ""
    kind: Literal["lines", "stacked", "number"] = "lines"
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard: rows of panels."""

    uid: str
    title: str
    description: str
    rows: dict[str, tuple[Panel, ...]]
    per_worker: bool = False
    tags: tuple[str, ...] = field(default=("samewire",))


def quantiles(metric: str, where: str = 'job="samewire"', window: str = "5m") -> tuple[Query, ...]:
    """Return the median, 95th and 99th percentile of a histogram."""
    return tuple(
        Query(
            f"histogram_quantile({q}, sum by (le) (rate({metric}_bucket{{{where}}}[{window}])))",
            f"p{q * 100:g}",
        )
        for q in (0.5, 0.95, 0.99)
    )
