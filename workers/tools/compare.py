"""Two partitions of the same articles into clusters: what was joined, what was split."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.answers import cluster_id
from workers.tools.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Joined:
    """Articles of several old clusters stand in the new cluster ``id``."""

    id: str
    of: list[str]
    articles: int


@dataclass(frozen=True, slots=True)
class Split:
    """The articles of the old cluster ``id`` stand in several new ones."""

    id: str
    into: list[str]
    articles: int


@dataclass(frozen=True, slots=True)
class Differences:
    """How a new partition differs from an old one, over the articles in both.

    ``withdrawn``: articles that were killed in one of them, or stand in another version there, and so are
    left out. ``pairs_*``: pairs of articles that share a cluster in both, only in the old, only in the new
    partition.
    """

    other: str
    compared: int
    withdrawn: int
    only_old: int
    only_new: int
    same_clusters: int
    joined: list[Joined]
    split: list[Split]
    pairs_both: int
    pairs_only_old: int
    pairs_only_new: int

    def record(self) -> dict[str, Any]:
        """Return everything as JSON-ready values."""
        return asdict(self)


def compare_states(old: Catalogue, new: Catalogue, other: str) -> Differences:
    """Compare two states over the articles that stand alike in both; ``other``: what to call the old one."""
    withdrawn = {killed.article_id for state in (old, new) for killed in state.kills()}
    for entry in old.entries():
        there = new.entry(entry.id)
        if there is not None and (there.version, there.updated_ms) != (entry.version, entry.updated_ms):
            withdrawn.add(entry.id)
    return compare_partitions(
        old.partition(), new.partition(), other, {i for i in withdrawn if _concerned(i, old, new)}
    )


def _concerned(article_id: str, old: Catalogue, new: Catalogue) -> bool:
    """Tell whether an article would have been compared: what only the old one knew lies outside of the stretch."""
    killed = new.killed(article_id)
    return article_id in new or (killed is not None and (killed.entry is not None or article_id in old))


def compare_partitions(
    old: Mapping[str, int], new: Mapping[str, int], other: str, withdrawn: Set[str] = frozenset()
) -> Differences:
    """Compare two maps from article id to cluster name, but for those ``withdrawn``."""
    old = {article_id: name for article_id, name in old.items() if article_id not in withdrawn}
    new = {article_id: name for article_id, name in new.items() if article_id not in withdrawn}
    common = old.keys() & new.keys()
    of_new: defaultdict[int, dict[int, int]] = defaultdict(dict)
    of_old: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for article_id in common:
        before, after = old[article_id], new[article_id]
        of_new[after][before] = of_new[after].get(before, 0) + 1
        of_old[before][after] = of_old[before].get(after, 0) + 1
    joined = [
        Joined(cluster_id(name), _ids(parts), sum(parts.values()))
        for name, parts in of_new.items()
        if len(parts) > 1
    ]
    split = [
        Split(cluster_id(name), _ids(parts), sum(parts.values()))
        for name, parts in of_old.items()
        if len(parts) > 1
    ]
    same = sum(1 for parts in of_new.values() if len(parts) == 1 and len(of_old[next(iter(parts))]) == 1)
    both = sum(_pairs(n) for parts in of_new.values() for n in parts.values())
    return Differences(
        other=other,
        compared=len(common),
        withdrawn=len(withdrawn),
        only_old=len(old) - len(common),
        only_new=len(new) - len(common),
        same_clusters=same,
        joined=sorted(joined, key=lambda j: (-j.articles, j.id)),
        split=sorted(split, key=lambda s: (-s.articles, s.id)),
        pairs_both=both,
        pairs_only_old=sum(_pairs(sum(parts.values())) for parts in of_old.values()) - both,
        pairs_only_new=sum(_pairs(sum(parts.values())) for parts in of_new.values()) - both,
    )


def _pairs(articles: int) -> int:
    return articles * (articles - 1) // 2


def _ids(parts: Mapping[int, int]) -> list[str]:
    """Return the cluster ids of ``parts``, the largest part first."""
    return [cluster_id(name) for name in sorted(parts, key=lambda name: (-parts[name], name))]
