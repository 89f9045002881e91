"""What the JSON API answers; FastAPI describes these in OpenAPI."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from pipeline.answers import cluster_id
from pipeline.article import format_date
from workers.tools.articles import Entry, Story
from workers.tools.catalogue import Catalogue
from workers.tools.columns import MAX_TITLE, clip

Relation = Literal["new", "exact", "copy", "rewrite", "abridged"]
MAX_MEMBERS_LISTED = 1000


class ArticleHead(BaseModel):
    """An article without its text."""

    id: str
    title: str = Field(description=f"At most {MAX_TITLE} characters; the article itself has all.")
    source: str
    lang: str
    published_at: str = Field(description="RFC 3339, UTC.")
    relation: Relation = Field(description="How it relates to matched_id; new: to none before it.")
    score: float = Field(ge=0, le=1)
    matched_id: str | None = Field(description="The article that it is closest to.")


class ArticleDetail(ArticleHead):
    """An article."""

    url: str
    text: str | None = Field(description="null where the state keeps no texts.")
    cluster_id: str = Field(description="The cluster that it stands in now.")
    published_cluster_id: str = Field(
        description="The cluster that its answer named; it may have merged since."
    )


class MergeRecord(BaseModel):
    """Two clusters became one."""

    cluster_id: str
    merged_id: str = Field(description="Now an alias.")
    article_id: str = Field(description="The article that joined them.")


class ClusterHead(BaseModel):
    """A cluster without its articles."""

    cluster_id: str
    articles: int
    sources: int
    first_published: str
    last_published: str
    first_article: ArticleHead


class ClusterDetail(ClusterHead):
    """A cluster with its articles by time of publication."""

    merged_ids: list[MergeRecord]
    members: list[ArticleHead] = Field(description=f"At most {MAX_MEMBERS_LISTED}, the earliest.")


class ClusterPage(BaseModel):
    """Clusters, the last to grow first."""

    clusters: list[ClusterHead]
    next: int | None = Field(description="Give it as `before` for the next page; null: this is the last.")


class Status(BaseModel):
    """What is being shown."""

    name: str
    articles: int
    clusters: int
    merges: int
    forgotten: int = Field(description="Older articles that are no longer kept in memory.")
    newest_published: str | None
    engines: list[str]


class Problem(BaseModel):
    """Why a request could not be answered, and what to do."""

    detail: str


def article_head(entry: Entry) -> ArticleHead:
    """Return an article without its text."""
    return ArticleHead(**_head(entry))


def article_detail(catalogue: Catalogue, entry: Entry) -> ArticleDetail:
    """Return an article."""
    fields = _head(entry) | {"title": entry.title}
    return ArticleDetail(
        **fields,
        url=entry.url,
        text=catalogue.text(entry),
        cluster_id=cluster_id(catalogue.resolve(entry.published_in)),
        published_cluster_id=cluster_id(entry.published_in),
    )


def cluster_head(story: Story) -> ClusterHead:
    """Return a cluster without its articles."""
    return ClusterHead(
        cluster_id=story.id,
        articles=len(story.entries),
        sources=len({entry.source for entry in story.entries}),
        first_published=format_date(story.first_ms),
        last_published=format_date(story.last_ms),
        first_article=article_head(story.entries[0]),
    )


def cluster_detail(story: Story) -> ClusterDetail:
    """Return a cluster."""
    return ClusterDetail(
        **cluster_head(story).model_dump(),
        merged_ids=[
            MergeRecord(cluster_id=story.id, merged_id=cluster_id(m.lost), article_id=m.article_id)
            for m in story.merges
        ],
        members=[article_head(entry) for entry in story.entries[:MAX_MEMBERS_LISTED]],
    )


def _head(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "title": clip(entry.title, MAX_TITLE),
        "source": entry.source,
        "lang": entry.lang,
        "published_at": format_date(entry.time_ms),
        "relation": entry.relation,
        "score": entry.score,
        "matched_id": entry.matched_id or None,
    }
