"""Draws the main panels from Prometheus' data with matplotlib, for the documentation.

``python -m deploy.grafana.render --prometheus http://localhost:9090 --minutes 10 --output docs/images/overview.png``
"""

from __future__ import annotations

import argparse
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import orjson
from matplotlib.axes import Axes

from deploy.grafana.boards import OVERVIEW, QUALITY
from deploy.grafana.panels import Panel

DRAWN = (
    (OVERVIEW, "Articles a second"),
    (OVERVIEW, "Arrival to answer"),
    (OVERVIEW, "Cores by stage"),
    (OVERVIEW, "Records waiting, by topic"),
    (QUALITY, "Answers by relation"),
    (QUALITY, "Linked share"),
    (OVERVIEW, "Memory of its limit"),
    (OVERVIEW, "Window"),
)
UNITS = {"cps": "a second", "s": "seconds", "percentunit": "share", "short": ""}


def series(address: str, expression: str, minutes: float, step: float) -> list[dict[str, Any]]:
    """Return a range of a query."""
    now = time.time()
    arguments = {"query": expression, "start": now - minutes * 60, "end": now, "step": step}
    url = f"{address}/api/v1/query_range?{urllib.parse.urlencode(arguments)}"
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - the address is the caller's
        result: list[dict[str, Any]] = orjson.loads(answer.read())["data"]["result"]
    return result


def named(legend: str, labels: dict[str, str]) -> str:
    """Fill in a Grafana legend."""
    for label, value in labels.items():
        legend = legend.replace("{{" + label + "}}", value)
    return legend


def draw(axes: Axes, panel: Panel, address: str, minutes: float, step: float) -> None:
    """Draw one panel."""
    end = time.time()
    lines: list[tuple[str, list[float], list[float]]] = []
    for query in panel.queries:
        for each in series(address, query.expr, minutes, step):
            at: list[float] = []
            values: list[float] = []
            for moment, value in each["values"]:
                if at and float(moment) - end - at[-1] * 60 > 2 * step and panel.kind != "stacked":
                    at.append(at[-1] + step / 60)  # nothing was there: the line breaks
                    values.append(float("nan"))
                at.append((float(moment) - end) / 60)
                values.append(float(value))
            lines.append((named(query.legend, each["metric"]), at, values))
    if panel.kind == "stacked" and lines:
        moments = sorted({moment for _, at, _ in lines for moment in at})
        stacks = [
            [dict(zip(at, values, strict=True)).get(m, 0.0) for m in moments] for _, at, values in lines
        ]
        axes.stackplot(moments, stacks, labels=[name for name, _, _ in lines], alpha=0.75)
    else:
        for name, at, values in lines:
            axes.plot(at, values, label=name, linewidth=1.5)
    axes.set_title(panel.title, loc="left", fontsize=11, fontweight="bold")
    axes.set_ylabel(UNITS[panel.unit], fontsize=9)
    # room above for the legend
    axes.set_ylim(0, max(1.3 * axes.get_ylim()[1], 1e-9))
    axes.set_xlim(-minutes, 0)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if lines:
        axes.legend(fontsize=7, loc="upper left", frameon=False, ncols=2 if len(lines) > 4 else 1)


def render(address: str, minutes: float, step: float, output: Path) -> None:
    """Draw the panels into a picture."""
    figure, grid = plt.subplots(4, 2, figsize=(12, 13), layout="constrained")
    for axes, (board, title) in zip(grid.flat, DRAWN, strict=True):
        (panel,) = [panel for row in board.rows.values() for panel in row if panel.title == title]
        draw(axes, panel, address, minutes, step)
    for axes in grid[-1]:
        axes.set_xlabel("minutes ago", fontsize=9)
    figure.savefig(output, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prometheus", default="http://localhost:9090")
    parser.add_argument("--minutes", type=float, default=180.0)
    parser.add_argument("--step", type=float, default=15.0, help="seconds")
    parser.add_argument("--output", type=Path, default=Path("docs/images/overview.png"))
    options = parser.parse_args()
    render(options.prometheus, options.minutes, options.step, options.output)
