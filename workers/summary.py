"""What a person sees at the end of a run."""

from __future__ import annotations

from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.answers import cluster_id
from workers.journal import read_state
from workers.local import Summary
from workers.state import load_matcher

_SHOWN = 8


def print_summary(console: Console, summary: Summary, state: Path) -> None:
    """Print counts, the rate and the largest clusters with their headlines."""
    matcher = load_matcher(state)
    found = list(matcher.clusters())
    largest = sorted((c for c in found if len(c.article_ids) > 1), key=lambda c: -len(c.article_ids))[:_SHOWN]
    headlines = _headlines(state, {c.article_ids[0] for c in largest})
    rate = summary.read / summary.seconds if summary.seconds else 0.0
    grouped = sum(len(c.article_ids) for c in found if len(c.article_ids) > 1)
    console.print(
        f"[bold]{summary.published:,}[/] articles published, [bold]{len(found):,}[/] clusters in the window "
        f"({grouped:,} articles share one), {summary.dead:,} dead, {summary.repeated:,} repeated; {rate:,.0f} articles/s"
    )
    lives = [
        (summary.corrected, "corrected"),
        (summary.killed, "killed"),
        (summary.splits, "cluster came apart" if summary.splits == 1 else "clusters came apart"),
        (
            summary.conflicts,
            "with another text under an id and version that were there (the first one stands)",
        ),
    ]
    told = [f"{number:,} {what}" for number, what in lives if number]
    if told:
        console.print(f"  {', '.join(told)}")
    for reason, number in sorted(summary.reasons.items()):
        console.print(f"  dead: {number:,} {reason}")
    if not largest:
        return
    table = Table(
        "articles", "cluster", "first article", box=None, title="largest clusters", title_justify="left"
    )
    for cluster in largest:
        headline = Text(headlines.get(cluster.article_ids[0]) or cluster.article_ids[0])
        headline.truncate(80, overflow="ellipsis")
        table.add_row(str(len(cluster.article_ids)), cluster_id(cluster.name), headline)
    console.print(table)


def _headlines(state: Path, wanted: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for change, _ in read_state(state):
        for article_id, about in zip(change.ids, change.about, strict=False):
            if article_id in wanted:
                found[article_id] = str(orjson.loads(about)["title"])
    return found
