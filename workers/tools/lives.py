"""The lives of articles: their versions, who was withdrawn, and who changed since a reader last looked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from workers.tools.articles import Killed


class Lives:
    """Editions by the catalogue's ordinals, kills by article id; at most ``most`` kills, the newest."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kills: dict[str, Killed] = {}
        self._replaced: dict[int, bool] = {}  # of those withdrawn: by a later version, or by a kill
        self._before: dict[int, int] = {}  # the edition with the same id that came before
        self._touches = 0
        self._touched: dict[str, int] = {}  # the number of the last touch, the newest at the end

    def __contains__(self, ordinal: int) -> bool:
        """Tell whether an edition was withdrawn."""
        return ordinal in self._replaced

    def __len__(self) -> int:
        """How many editions were withdrawn."""
        return len(self._replaced)

    def kill(self, article_id: str) -> Killed | None:
        """Return an article's kill; a later version may stand all the same."""
        return self._kills.get(article_id)

    def kills(self) -> Iterator[Killed]:
        """Yield the kills, oldest first."""
        yield from self._kills.values()

    def was_replaced(self, ordinal: int) -> bool:
        """Tell of an edition that was withdrawn whether a later version took its place."""
        return self._replaced[ordinal]

    def follow(self, ordinal: int, before: int) -> None:
        """Note that an edition has the id of an earlier one."""
        self._before[ordinal] = before

    def before(self, ordinal: int) -> Iterator[int]:
        """Yield the editions with the same id before this one, the latest first."""
        while ordinal in self._before:
            ordinal = self._before[ordinal]
            yield ordinal

    def withdraw(self, ordinal: int, replaced: bool) -> None:
        """Take an edition out."""
        self._replaced[ordinal] = replaced

    def remember(self, killed: Killed) -> Killed:
        """Keep a kill; what an earlier one of the same article told, and this one does not, stays."""
        known = self._kills.pop(killed.article_id, None)
        if known is not None:
            killed = replace(
                killed,
                cluster=killed.cluster or known.cluster,
                reason=killed.reason or known.reason,
                entry=killed.entry or known.entry,
            )
        self._kills[killed.article_id] = killed
        if len(self._kills) > self._most:
            oldest = next(iter(self._kills))
            del self._kills[oldest]
            self._touched.pop(oldest, None)
        return killed

    def touch(self, article_id: str) -> None:
        """Note that something was told of an article."""
        self._touches += 1
        self._touched.pop(article_id, None)
        self._touched[article_id] = self._touches

    def touched(self, after: int) -> list[tuple[str, int]]:
        """Return of whom something was told since touch number ``after``, with the number of the last, oldest first."""
        found = []
        for article_id, number in reversed(self._touched.items()):
            if number <= after:
                break
            found.append((article_id, number))
        return found[::-1]

    def forget(self, ordinal: int, article_id: str, newest: bool) -> None:
        """Forget an edition; ``newest``: it was the last one with its id."""
        self._replaced.pop(ordinal, None)
        self._before.pop(ordinal, None)
        if newest and article_id not in self._kills:
            self._touched.pop(article_id, None)
