"""Which clusters differ between two engines' states, and which articles a reader finds elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from pipeline.answers import cluster_id
from pipeline.matcher import Matcher
from pipeline.window import WITHDRAWN
from workers.tools.compare import Differences, compare_partitions


class Standing(NamedTuple):
    """An article that stands: its cluster's name and its event time (ms)."""

    cluster: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class Renamed:
    """A cluster that holds the same articles under another id."""

    id: str
    was: str
    articles: int


@dataclass(frozen=True, slots=True)
class Moved:
    """An article that left the main part of its old cluster ``of`` and stands in ``to``."""

    id: str
    of: str
    to: str


@dataclass(frozen=True, slots=True)
class Compared:
    """How the clusters of the new state differ, over the articles that stand in both.

    ``regrouped``: how many articles stand together with others than before. ``joined_pairs`` and
    ``split_pairs``: for each cluster that was joined or split two articles, apart in the one state and
    together in the other.
    """

    differences: Differences
    regrouped: int
    renamed: list[Renamed]
    moved: list[Moved]
    joined_pairs: dict[str, tuple[str, str]]
    split_pairs: dict[str, tuple[str, str]]

    @property
    def share_regrouped(self) -> float:
        """The regrouped articles among the compared ones, 0 to 1."""
        return self.regrouped / max(1, self.differences.compared)

    def record(self) -> dict[str, Any]:
        """Return everything as JSON-ready values."""
        rest = {
            "regrouped": self.regrouped,
            "share_regrouped": round(self.share_regrouped, 6),
            "renamed": [asdict(each) for each in self.renamed],
            "moved": [asdict(each) for each in self.moved],
            "joined_pairs": self.joined_pairs,
            "split_pairs": self.split_pairs,
        }
        return self.differences.record() | rest


def standing(matchers: Iterable[Matcher]) -> dict[str, Standing]:
    """Return the articles that can still be linked to, over the desks' matchers."""
    found: dict[str, Standing] = {}
    for matcher in matchers:
        window, slots = matcher.window, matcher.window.slots
        for ordinal in range(window.open, window.next):
            slot = window.slot(ordinal)
            row = int(slots.row[slot])
            if row == WITHDRAWN:
                continue
            # a late article has no row: it stands alone under the name that it was given
            name = int(window.rows.name[row] if row >= 0 else slots.name[slot])
            found[matcher.store.ids[slot]] = Standing(name, int(slots.time[slot]))
    return found


def compare_standing(old: Mapping[str, Standing], new: Mapping[str, Standing], name: str) -> Compared:
    """Compare the clusters of two states; ``name``: what to call the old one."""
    common = sorted(old.keys() & new.keys(), key=lambda i: (old[i].time_ms, i))
    of_old: defaultdict[int, defaultdict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    of_new: defaultdict[int, defaultdict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for article_id in common:
        before, after = old[article_id].cluster, new[article_id].cluster
        of_old[before][after].append(article_id)
        of_new[after][before].append(article_id)
    moved, renamed = [], []
    joined_pairs, split_pairs = {}, {}
    for before, parts in of_old.items():
        ranked = _ranked(parts)
        main, ids = ranked[0]
        if len(ranked) > 1:
            split_pairs[cluster_id(before)] = (ids[0], ranked[1][1][0])
        elif len(of_new[main]) == 1 and main != before:
            renamed.append(Renamed(cluster_id(main), cluster_id(before), len(ids)))
        moved += [Moved(i, cluster_id(before), cluster_id(after)) for after, ids in ranked[1:] for i in ids]
    for after, parts in of_new.items():
        if len(parts) > 1:
            ranked = _ranked(parts)
            joined_pairs[cluster_id(after)] = (ranked[0][1][0], ranked[1][1][0])
    regrouped = sum(len(of_new[new[i].cluster]) > 1 or len(of_old[old[i].cluster]) > 1 for i in common)
    differences = compare_partitions(
        {article_id: found.cluster for article_id, found in old.items()},
        {article_id: found.cluster for article_id, found in new.items()},
        name,
    )
    return Compared(differences, regrouped, renamed, moved, joined_pairs, split_pairs)


def _ranked(parts: Mapping[int, list[str]]) -> list[tuple[int, list[str]]]:
    """Return a cluster's parts, the largest first."""
    return sorted(parts.items(), key=lambda part: (-len(part[1]), part[0]))
