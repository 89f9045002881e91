"""The life of a story: which version of an article stands, and which were withdrawn.

An agency corrects a story by sending it again under its id with a higher ``version``
or a later ``updated_at``, and withdraws it with a kill. Both may arrive before what
they are about, so the rules depend on these marks alone and never on the order:

* the *stamp* of an article is (version, update time); the highest one stands;
* a kill withdraws every version up to the one that it names, or all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import orjson

from pipeline.advisory import advisory
from pipeline.article import Article
from pipeline.dates import format_date

ALL_VERSIONS = 1 << 62
"""What a kill without a version withdraws."""


KILL, QUIET_KILL = 1, 2


class Stamp(NamedTuple):
    """Which edition of an article: its version (0: none given) and update time (ms, -1: none)."""

    version: int = 0
    updated_ms: int = -1


FIRST = Stamp()


@dataclass(slots=True)
class Notices:
    """What a batch of ``n`` articles says about their lives; every column has ``n`` entries.

    ``kill``: 0 for an article, :data:`KILL`, or :data:`QUIET_KILL`, which is answered only where the
    article was. ``version``: its version; of a kill the last
    one withdrawn, 0 for none given. ``updated_ms``: -1 where not given. ``undated``: the time
    is that of the arrival. ``marks``: a JSON object of fields to publish with the answer, or "".
    """

    kill: npt.NDArray[np.uint8]
    version: npt.NDArray[np.int64]
    updated_ms: npt.NDArray[np.int64]
    undated: npt.NDArray[np.bool_]
    marks: Sequence[str]

    @classmethod
    def none(cls, n: int) -> Self:
        """Return the notices of ``n`` plain articles."""
        return cls(
            np.zeros(n, np.uint8),
            np.zeros(n, np.int64),
            np.full(n, FIRST.updated_ms, np.int64),
            np.zeros(n, np.bool_),
            [""] * n,
        )

    def between(self, first: int, end: int) -> Notices:
        """Return the notices of a run of the articles."""
        return Notices(
            self.kill[first:end],
            self.version[first:end],
            self.updated_ms[first:end],
            self.undated[first:end],
            self.marks[first:end],
        )

    @classmethod
    def of(
        cls, articles: Sequence[Article], arrived_ms: Sequence[int], obey_advisories: bool = False
    ) -> Self:
        """Return the notices of parsed articles.

        ``arrived_ms``: when each arrived; an embargo that ends later is marked. ``obey_advisories``:
        whether a withdrawal in prose withdraws the id that it comes under.
        """
        found = cls.none(len(articles))
        marks = [""] * len(articles)
        for position, article in enumerate(articles):
            told = advisory(article.title, article.text)
            if not (
                told
                or article.kill
                or article.version
                or article.embargo_ms is not None
                or article.updated_ms is not None
            ):  # almost all end here
                continue
            found.kill[position] = article.kill or (obey_advisories and told == "kill")
            if article.kill or not found.kill[position]:
                found.version[position] = article.version
            if article.updated_ms is not None:
                found.updated_ms[position] = article.updated_ms
            mark = _mark(article, told, arrived_ms[position])
            if mark:
                marks[position] = orjson.dumps(mark).decode()
        found.undated[:] = [article.published_ms is None for article in articles]
        found.marks = marks
        return found

    @classmethod
    def concatenate(cls, parts: Sequence[Notices]) -> Notices:
        """Return the notices of several batches as those of one."""
        return cls(
            np.concatenate([part.kill for part in parts]),
            np.concatenate([part.version for part in parts]),
            np.concatenate([part.updated_ms for part in parts]),
            np.concatenate([part.undated for part in parts]),
            [mark for part in parts for mark in part.marks],
        )

    def stamp(self, position: int) -> Stamp:
        """Return the stamp of one article."""
        return Stamp(int(self.version[position]), int(self.updated_ms[position]))


class Kill(NamedTuple):
    """A withdrawal that is remembered.

    ``through``: the last version withdrawn (:data:`ALL_VERSIONS`: all). ``cluster``: the name
    of the cluster that the article was taken out of, 0 while it was never there.
    ``since_ms``: the watermark when the kill came. ``ordinal``: the next article's at that time.
    """

    through: int
    cluster: int
    since_ms: int
    ordinal: int


@dataclass(slots=True)
class Kills:
    """The kills of a window, oldest first, by article id."""

    by_id: dict[str, Kill] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.by_id)

    def __contains__(self, article_id: str) -> bool:
        return article_id in self.by_id

    def get(self, article_id: str) -> Kill | None:
        """Return the kill of an article, if there was one."""
        return self.by_id.get(article_id)

    def withdraws(self, article_id: str, version: int) -> bool:
        """Tell whether this version of an article was killed."""
        kill = self.by_id.get(article_id)
        return kill is not None and version <= kill.through

    def put(self, article_id: str, kill: Kill) -> None:
        """Remember a kill as the newest."""
        self.by_id.pop(article_id, None)
        self.by_id[article_id] = kill

    def forget(self, horizon_ms: int, most: int) -> int:
        """Forget kills that came before ``horizon_ms``, and the oldest beyond ``most``.

        Returns how many were forgotten early.
        """
        early = 0
        for article_id in list(self._leaving(horizon_ms, most)):
            early += self.by_id[article_id].since_ms >= horizon_ms
            del self.by_id[article_id]
        return early

    def _leaving(self, horizon_ms: int, most: int) -> Iterator[str]:
        over = len(self.by_id) - most
        for number, (article_id, kill) in enumerate(self.by_id.items()):
            if kill.since_ms >= horizon_ms and number >= over:
                return
            yield article_id

    @property
    def oldest_ordinal(self) -> int | None:
        """The ordinal at which the oldest kill came."""
        return next(iter(self.by_id.values())).ordinal if self.by_id else None


def _mark(article: Article, told: str | None, arrived_ms: int) -> dict[str, Any]:
    """Return what is published with the answer besides the match."""
    mark: dict[str, Any] = {}
    if article.updated_ms is not None:
        mark["updated_at"] = format_date(article.updated_ms)
    if article.embargo_ms is not None:
        mark["embargo_until"] = format_date(article.embargo_ms)
        mark["embargoed"] = article.embargo_ms > arrived_ms
    if told is not None:
        mark["advisory"] = told
    if article.reason:
        mark["reason"] = article.reason
    return mark
