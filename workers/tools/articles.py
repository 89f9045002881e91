"""An article, a merge and a cluster as readers of a state see them."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.answers import cluster_id


@dataclass(frozen=True, slots=True)
class Entry:
    """An article as the state knows it.

    ``ordinal``: its place in the order in which articles were read, from 1. ``published_in``: the
    name of the cluster that its answer named; the cluster may have merged since. ``score``: 0 to 1.
    ``matched_id``: the article it was found closest to.
    """

    ordinal: int
    id: str
    time_ms: int
    published_in: int
    relation: str
    score: float
    matched_id: str
    title: str
    source: str
    lang: str
    url: str


@dataclass(frozen=True, slots=True)
class Merge:
    """Cluster ``lost`` became part of ``survivor`` when ``article_id``, published at ``time_ms``, came."""

    survivor: int
    lost: int
    article_id: str
    time_ms: int


@dataclass(frozen=True, slots=True)
class Story:
    """A cluster: its articles by time of publication, and the merges that made it."""

    name: int
    entries: list[Entry]
    merges: list[Merge]

    @property
    def id(self) -> str:
        """The published cluster id."""
        return cluster_id(self.name)

    @property
    def first_ms(self) -> int:
        """When its earliest article was published."""
        return self.entries[0].time_ms

    @property
    def last_ms(self) -> int:
        """When its latest article was published."""
        return self.entries[-1].time_ms
