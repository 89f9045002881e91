"""The background sets: unrelated articles, each against all, and what reading says of their links."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import news
from benchmarks.judged import COPY_GRADE, OTHER_GRADE, graded
from benchmarks.news import News
from config.settings import WindowSettings, milliseconds
from pipeline.engine import Engine
from workers.candidates import components, links

BACKGROUND = ("background_multinews", "background_us2018")


def _kind(grade: float | None) -> str:
    if grade is None:
        return "not read"
    return "copies" if grade >= COPY_GRADE else "independent" if grade <= OTHER_GRADE else "partial"


@dataclass(slots=True)
class Background:
    """One run over background sets. ``linked``: pairs of positions."""

    name: str
    articles: News
    linked: list[tuple[int, int]]

    @property
    def across(self) -> list[tuple[int, int]]:
        """Links between different events, where the set tells events; otherwise all."""
        of = [record.get("event", number) for number, record in enumerate(self.articles.records)]
        return [(left, right) for left, right in self.linked if of[left] != of[right]]

    def within(self) -> dict[str, int]:
        """Count the links within events by what reading says of them (:func:`benchmarks.judged.graded`)."""
        grades = graded()
        counts = dict.fromkeys(("copies", "partial", "independent", "not read"), 0)
        for left, right in set(self.linked) - set(self.across):
            ids = str(self.articles.records[left]["id"]), str(self.articles.records[right]["id"])
            grade = grades.get(ids, grades.get(ids[::-1]))
            counts[_kind(grade)] += 1
        return counts

    def figures(self) -> dict[str, Any]:
        """Return counts."""
        count = len(self.articles.records)
        sizes = Counter(Counter(components(count, self.linked)).values())
        return {
            "articles": count,
            "links": len(self.linked),
            "links_to_judge": len(self.across),
            "links_to_judge_per_10000": round(len(self.across) / count * 10_000, 2),
            "links_within_events": self.within(),
            "largest_clusters": sorted(sizes, reverse=True)[:3],
        }


def background(engine: Engine, *names: str) -> Background:
    """Run sets in one run, each article against all, at the default settings."""
    articles = news.sketched([record for name in names for record in news.records(name)], engine)
    return Background(" + ".join(names), articles, links(articles, milliseconds(WindowSettings().length)))


def show_links(runs: Sequence[Background], characters: int) -> None:
    """Print the links that reading must judge."""
    for run in runs:
        for left, right in run.across:
            for side in (left, right):
                record = run.articles.records[side]
                text = " ".join(record["text"].split())[:characters]
                sys.stdout.write(f"{run.name} {record['id']} {record['published_at'] or ''} {text}\n")
            sys.stdout.write("\n")
