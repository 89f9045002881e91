"""A comparison of two ways to cluster, as tables."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from workers.tools.catalogue import Catalogue
from workers.tools.compare import Differences
from workers.tools.shown import one_line

SHOWN = 30


def print_differences(
    console: Console, differences: Differences, before: Catalogue, after: Catalogue
) -> None:
    """Print what was joined and split, with headlines."""
    d = differences
    console.print(
        f"[bold]{d.compared:,}[/] articles compared: {d.same_clusters:,} clusters are the same, "
        f"[bold]{len(d.joined):,}[/] joined, [bold]{len(d.split):,}[/] split; of the pairs that share a cluster "
        f"{d.pairs_both:,} do in both, {d.pairs_only_old:,} only before, {d.pairs_only_new:,} only now"
    )
    if d.withdrawn:
        console.print(f"{d.withdrawn:,} left out: killed before or now, or standing in different versions")
    for title, rows in (
        ("Joined: together now, apart before", [(j.id, j.of, j.articles, after) for j in d.joined]),
        ("Split: apart now, together before", [(s.id, s.into, s.articles, before) for s in d.split]),
    ):
        if not rows:
            continue
        table = Table(box=None, title=title, title_justify="left", padding=(0, 2, 0, 0), expand=True)
        table.add_column("articles", justify="right", no_wrap=True)
        table.add_column("cluster", no_wrap=True, min_width=17)
        table.add_column("parts", justify="right", no_wrap=True)
        table.add_column("first article", overflow="ellipsis", no_wrap=True, ratio=1)
        for identifier, parts, articles, catalogue in rows[:SHOWN]:
            story = catalogue.expect_story(identifier)
            headline = one_line(story.entries[0].title or story.entries[0].id, 90)
            table.add_row(f"{articles:,}", identifier, str(len(parts)), Text(headline))
        console.print(table)
        if len(rows) > SHOWN:
            console.print(Text(f"… {len(rows) - SHOWN:,} more; --json lists all", style="dim"))
