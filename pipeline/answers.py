"""What is published: an answer for each article and events about clusters."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from pipeline.article import format_date

ARTICLE_SCHEMA = "samewire.article/1"
CLUSTER_SCHEMA = "samewire.cluster/1"


class Answer(NamedTuple):
    """Where an article belongs.

    ``relation`` says how the article relates to ``matched_id``, the article that it
    is closest to; ``new`` when there is none. ``score`` is in units of 1/10,000.
    """

    article_id: str
    cluster: int
    relation: str
    score: int
    matched_id: str | None
    published_ms: int
    late: bool = False
    repeated: bool = False

    def record(self, engine: str) -> dict[str, Any]:
        """Return the published form (``config/schemas/clustered.schema.json``)."""
        fields: dict[str, Any] = {
            "article_id": self.article_id,
            "cluster_id": cluster_id(self.cluster),
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
        return fields


class ClusterEvent(NamedTuple):
    """Something that happened to a cluster.

    ``other``: for ``merged``, the id that is now an alias of ``cluster``.
    """

    event: Literal["created", "grown", "merged", "closed"]
    cluster: int
    size: int
    first_ms: int
    last_ms: int
    other: int | None = None
    article_id: str | None = None

    def record(self, engine: str) -> dict[str, Any]:
        """Return the published form (``config/schemas/cluster-event.schema.json``)."""
        fields: dict[str, Any] = {"event": self.event, "cluster_id": cluster_id(self.cluster)}
        if self.other is not None:
            fields["merged_id"] = cluster_id(self.other)
        if self.article_id is not None:
            fields["article_id"] = self.article_id
        fields |= {
            "articles": self.size,
            "first_published": (first := format_date(self.first_ms)),
            "last_published": first if self.last_ms == self.first_ms else format_date(self.last_ms),
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
