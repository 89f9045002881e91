"""The figures of `samewire evaluate`, `tune` and `weights` as tables for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table


def shown(value: Any) -> str:
    """Return a figure as people read it."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def flat(figures: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return nested figures as rows."""
    rows: list[tuple[str, Any]] = []
    for key, value in figures.items():
        name = f"{prefix}{key.replace('_', ' ')}"
        if isinstance(value, Mapping):
            rows += flat(value, f"{name}: ")
        else:
            rows.append((name, value))
    return rows


def print_figures(console: Console, title: str, figures: Mapping[str, Any]) -> None:
    """Print figures; grades of pairs get a table of their own."""
    table = Table(title=title, title_justify="left")
    table.add_column("measure")
    table.add_column("value", justify="right")
    for name, value in flat({k: v for k, v in figures.items() if k not in ("by_grade", "schema", "curve")}):
        table.add_row(name, shown(value))
    console.print(table)
    if by_grade := figures.get("by_grade"):
        grades = Table(title="by grade", title_justify="left")
        for column in ("grade", "pairs", "linked", "linked and proposed by the index"):
            grades.add_column(column, justify="right")
        for grade, row in by_grade.items():
            grades.add_row(
                grade, shown(row["pairs"]), shown(row["linked"]), shown(row["linked_by_the_index"])
            )
        console.print(grades)
