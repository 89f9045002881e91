"""What is published: an answer for each article and events about clusters."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import orjson

from pipeline.article import format_date

ARTICLE_SCHEMA = "samewire.article/1"
CLUSTER_SCHEMA = "samewire.cluster/1"
_LATE = ',"late":true'
_REPEATED = ',"repeated":true'
_OTHER = {"merged": "merged_id", "split": "split_id"}

MAX_COPIES = 1000
"""Most articles that the event of a kill names; an event must fit into a record."""


class Answer(NamedTuple):
    """Where an article belongs.

    ``relation`` says how the article relates to ``matched_id``, the article that it
    is closest to; ``new`` when there is none, ``killed`` when it was withdrawn; a killed article
    that was in no cluster has ``cluster`` 0. ``score`` is in units of 1/10,000.
    ``version``: 0 when none was given. ``replaces``: cluster and relation of the version that
    this one corrects. ``conflict``: another text came under the same id and version; the
    first one stands. ``moved``: its cluster came apart, and it is now in another one.
    ``mark``: a JSON object of further fields, or "".
    """

    article_id: str
    cluster: int
    relation: str
    score: int
    matched_id: str | None
    published_ms: int
    late: bool = False
    repeated: bool = False
    version: int = 0
    replaces: tuple[int, str] | None = None
    conflict: bool = False
    moved: bool = False
    mark: str = ""

    def line(self, engine: str) -> bytes:
        """Return :meth:`record` as JSON, written directly: one for each article is a cost."""
        matched = orjson.dumps(self.matched_id).decode()
        cluster = f'"c{self.cluster:016x}"' if self.cluster else "null"
        return (
            f'{{"article_id":{orjson.dumps(self.article_id).decode()},"cluster_id":{cluster},'
            f'"relation":"{self.relation}","score":{self.score / 10_000!r},"matched_id":{matched},'
            f'"published_at":"{format_date(self.published_ms)}","engine":"{engine}","schema":"{ARTICLE_SCHEMA}"'
            f"{_LATE if self.late else ''}{_REPEATED if self.repeated else ''}{self._life()}}}"
        ).encode()

    def _life(self) -> str:
        if not (self.version or self.replaces or self.conflict or self.moved or self.mark):
            return ""
        fields: dict[str, Any] = {}
        self._add_life(fields)
        return f",{orjson.dumps(fields).decode()[1:-1]}"

    def _add_life(self, fields: dict[str, Any]) -> None:
        if self.version:
            fields["version"] = self.version
        if self.replaces is not None:
            name, relation = self.replaces
            fields["replaces"] = {"cluster_id": cluster_id(name), "relation": relation}
        if self.conflict:
            fields["conflict"] = True
        if self.moved:
            fields["moved"] = True
        if self.mark:
            fields |= orjson.loads(self.mark)

    def record(self, engine: str) -> dict[str, Any]:
        """Return the published form (``config/schemas/clustered.schema.json``)."""
        fields: dict[str, Any] = {
            "article_id": self.article_id,
            "cluster_id": cluster_id(self.cluster) if self.cluster else None,
            "relation": self.relation,
            "score": self.score / 10_000,
            "matched_id": self.matched_id,
            "published_at": format_date(self.published_ms),
            "engine": engine,
            "schema": ARTICLE_SCHEMA,
        }
        if self.late:
            fields["late"] = True
        if self.repeated:
            fields["repeated"] = True
        self._add_life(fields)
        return fields


class ClusterEvent(NamedTuple):
    """Something that happened to a cluster.

    ``other``: for ``merged``, the id that is now an alias of ``cluster``; for ``split``, the id of the
    part that left it (``size`` and the times are then that part's). ``article_id``: the article that did it.
    ``copies``: for ``killed``, the articles that derive from the killed one, at most
    :data:`MAX_COPIES` of ``copies_found``.
    """

    event: Literal["created", "grown", "merged", "closed", "shrunk", "split", "killed"]
    cluster: int
    size: int
    first_ms: int
    last_ms: int
    other: int | None = None
    article_id: str | None = None
    copies: tuple[str, ...] | None = None
    copies_found: int = 0

    def line(self, engine: str) -> bytes:
        """Return :meth:`record` as JSON, written directly."""
        if self.copies is not None:
            return orjson.dumps(self.record(engine))
        other = "" if self.other is None else f'"{_OTHER[self.event]}":"c{self.other:016x}",'
        article = "" if self.article_id is None else f'"article_id":{orjson.dumps(self.article_id).decode()},'
        return (
            f'{{"event":"{self.event}","cluster_id":"c{self.cluster:016x}",{other}{article}"articles":{self.size},'
            f'"first_published":"{format_date(self.first_ms)}","last_published":"{format_date(self.last_ms)}",'
            f'"engine":"{engine}","schema":"{CLUSTER_SCHEMA}"}}'
        ).encode()

    def record(self, engine: str) -> dict[str, Any]:
        """Return the published form (``config/schemas/cluster-event.schema.json``)."""
        fields: dict[str, Any] = {"event": self.event, "cluster_id": cluster_id(self.cluster)}
        if self.other is not None:
            fields[_OTHER[self.event]] = cluster_id(self.other)
        if self.article_id is not None:
            fields["article_id"] = self.article_id
        if self.copies is not None:
            fields |= {"copies": self.copies, "copies_found": self.copies_found}
        fields |= {
            "articles": self.size,
            "first_published": format_date(self.first_ms),
            "last_published": format_date(self.last_ms),
            "engine": engine,
            "schema": CLUSTER_SCHEMA,
        }
        return fields


def cluster_id(name: int) -> str:
    """Return the published form of a cluster's 64-bit name."""
    return f"c{name:016x}"


def cluster_name(identifier: str) -> int:
    """Return the 64-bit name of a published cluster id; raises :class:`ValueError`."""
    if len(identifier) != 17 or identifier[0] != "c":
        raise ValueError(f"{identifier!r} is no cluster id")
    return int(identifier[1:], 16)
