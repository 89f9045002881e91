"""An article, what happened to it, and a cluster, as readers of a state see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.answers import cluster_id
from pipeline.life import ALL_VERSIONS


@dataclass(frozen=True, slots=True)
class Entry:
    """An edition of an article as the state knows it.

    ``ordinal``: its place in the order in which articles were read, from 1. ``desk`` and ``place``: who
    matched it, and its ordinal there. ``published_in``: the name of the cluster that its last answer named;
    the cluster may have merged since. ``score``: 0 to 1. ``matched_id``: the article it was found closest to.
    ``version``: 0 when none was given. ``updated_ms``: -1 when not given. ``advisory``: "kill",
    "correction" or "".
    """

    ordinal: int
    desk: int
    place: int
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
    version: int = 0
    updated_ms: int = -1
    embargo_ms: int | None = None
    advisory: str = ""

    @property
    def key(self) -> tuple[int, int]:
        """What names this edition whenever the same state is read: its desk and ordinal there."""
        return self.desk, self.place


@dataclass(frozen=True, slots=True)
class Killed:
    """An article that was withdrawn, perhaps before it came.

    ``through``: the last version withdrawn. ``cluster``: the one it was taken from, 0 while it was in none.
    ``entry``: its last edition, if there was one.
    """

    article_id: str
    at_ms: int
    through: int
    cluster: int
    reason: str
    entry: Entry | None = None

    @property
    def through_version(self) -> int | None:
        """The last version withdrawn; None for all."""
        return None if self.through >= ALL_VERSIONS else self.through


@dataclass(frozen=True, slots=True)
class Edition:
    """One version of an article. ``killed``: the kill that withdrew it; ``replaced``: a later one did.

    ``is_later``: there was one before it.
    """

    entry: Entry
    replaced: bool = False
    killed: Killed | None = None
    is_later: bool = False

    @property
    def status(self) -> Literal["stands", "replaced", "killed"]:
        """What has become of it."""
        return "killed" if self.killed else "replaced" if self.replaced else "stands"


@dataclass(frozen=True, slots=True)
class Merge:
    """Cluster ``lost`` became part of ``survivor`` when ``article_id``, published at ``time_ms``, came."""

    survivor: int
    lost: int
    article_id: str
    time_ms: int


@dataclass(frozen=True, slots=True)
class Split:
    """Part of cluster ``kept`` became cluster ``parted`` when ``article_id`` left it."""

    kept: int
    parted: int
    article_id: str


@dataclass(frozen=True, slots=True)
class Story:
    """A cluster: its articles by time of publication, and what has become of it.

    ``left``: earlier versions of articles whose correction stands elsewhere.
    """

    name: int
    entries: list[Entry]
    merges: list[Merge]
    splits: list[Split]
    killed: list[Killed]
    left: list[Entry]

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
