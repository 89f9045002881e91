"""Which of the catalogue's ordinals is which of a desk's: each desk counts its articles by itself."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict


class Desks:
    """Runs of articles that came in one record. They come, and are forgotten, in order."""

    def __init__(self) -> None:
        self._runs: defaultdict[int, list[tuple[int, int, int]]] = defaultdict(list)

    def add(self, desk: int, place: int, ordinal: int, count: int) -> None:
        """Keep a run: ``place`` is its first article's ordinal at the desk, ``ordinal`` the catalogue's."""
        self._runs[desk].append((place, ordinal, count))

    def find(self, desk: int, place: int) -> int | None:
        """Return the catalogue's ordinal; None when the article is not, or no longer, there."""
        runs = self._runs[desk]
        at = bisect_right(runs, place, key=lambda run: run[0]) - 1
        if at < 0:
            return None
        first, ordinal, count = runs[at]
        return ordinal + place - first if place < first + count else None

    def drop_oldest(self, desk: int) -> None:
        """Forget a desk's oldest run."""
        self._runs[desk].pop(0)
