"""What differs between two states, as tables."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from workers.migrate.differences import Compared
from workers.tools.shown import one_line

SHOWN = 30


def print_compared(console: Console, compared: Compared) -> None:
    """Print which clusters were joined and split, each with two articles that tell."""
    d = compared.differences
    console.print(
        f"[bold]{d.compared:,}[/] articles stand in both: {d.same_clusters:,} clusters hold the same articles "
        f"({len(compared.renamed):,} under another id), [bold]{len(d.joined):,}[/] are joined, "
        f"[bold]{len(d.split):,}[/] split; {compared.regrouped:,} articles ({compared.share_regrouped:.2%}) "
        f"stand with others than before"
    )
    if d.only_old or d.only_new:
        console.print(f"{d.only_old:,} articles stand only in the old state, {d.only_new:,} only in the new")
    for title, rows, pairs in (
        (
            "Joined: together now, apart before",
            [(j.id, j.of, j.articles) for j in d.joined],
            compared.joined_pairs,
        ),
        (
            "Split: apart now, together before",
            [(s.id, s.into, s.articles) for s in d.split],
            compared.split_pairs,
        ),
    ):
        if not rows:
            continue
        table = Table(box=None, title=title, title_justify="left", padding=(0, 2, 0, 0))
        table.add_column("articles", justify="right", no_wrap=True)
        table.add_column("cluster", no_wrap=True, min_width=17)
        table.add_column("parts", justify="right", no_wrap=True)
        table.add_column("two of them")
        for identifier, parts, articles in rows[:SHOWN]:
            told = " · ".join(one_line(article_id, 40) for article_id in pairs[identifier])
            table.add_row(f"{articles:,}", identifier, str(len(parts)), Text(told))
        console.print(table)
        if len(rows) > SHOWN:
            console.print(Text(f"… {len(rows) - SHOWN:,} more; --json lists all", style="dim"))
