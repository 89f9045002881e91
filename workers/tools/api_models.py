"""What the JSON API answers; FastAPI describes these in OpenAPI."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from pipeline.answers import cluster_id
from pipeline.dates import format_date
from workers.tools.articles import Entry, Killed, Story
from workers.tools.catalogue import Catalogue
from workers.tools.columns import MAX_TITLE, clip

Relation = Literal["new", "exact", "copy", "rewrite", "abridged"]
MAX_MEMBERS_LISTED = 1000
MAX_VERSIONS_LISTED = 20


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
    version: int | None = Field(description="As its source numbers it; null where it does not.")
    updated_at: str | None
    corrected: bool = Field(description="An earlier version was replaced, or killed.")
    embargo_until: str | None = Field(description="Not to be published before; look at the clock.")
    advisory: Literal["kill", "correction"] | None = Field(
        description="What its title or first lines announce in prose."
    )


class KillRecord(BaseModel):
    """The order that withdrew an article."""

    article_id: str
    killed_at: str
    through_version: int | None = Field(description="The last version withdrawn; null: all.")
    reason: str | None
    cluster_id: str | None = Field(description="The cluster it was taken from; null: it was in none.")
    title: str | None = Field(description="null when it was killed before it came.")
    source: str | None


class VersionRecord(BaseModel):
    """One version of an article."""

    version: int | None
    published_at: str
    updated_at: str | None
    status: Literal["stands", "replaced", "killed"]
    title: str | None = Field(description="null when it was killed.")
    text: str | None = Field(description="null when it was killed, or where the state keeps no texts.")
    killed: KillRecord | None


class ArticleDetail(ArticleHead):
    """An article, as its newest version has it."""

    url: str
    text: str | None = Field(description="null where the state keeps no texts.")
    versions: list[VersionRecord] = Field(
        description=f"Oldest first, this one last; at most {MAX_VERSIONS_LISTED}, the newest."
    )
    cluster_id: str = Field(description="The cluster that it stands in now.")
    published_cluster_id: str = Field(
        description="The cluster that its answer named; it may have merged since."
    )


class MergeRecord(BaseModel):
    """Two clusters became one."""

    cluster_id: str
    merged_id: str = Field(description="Now an alias.")
    article_id: str = Field(description="The article that joined them.")


class SplitRecord(BaseModel):
    """A part left a cluster."""

    cluster_id: str = Field(description="The one that kept its id.")
    split_id: str = Field(description="The id of the part.")
    article_id: str = Field(
        description="The article that had held them together, and was withdrawn or corrected."
    )


class LeftRecord(BaseModel):
    """An article was in the cluster until it was corrected; what copied it may carry the earlier version."""

    article_id: str
    version: int | None = Field(description="The version that was here.")
    cluster_id: str = Field(description="Where the correction stands.")


class ClusterHead(BaseModel):
    """A cluster without its articles."""

    cluster_id: str
    articles: int
    killed_articles: int = Field(description="Withdrawn from it; they are not among its articles.")
    sources: int
    first_published: str
    last_published: str
    first_article: ArticleHead


class ClusterDetail(ClusterHead):
    """A cluster with its articles by time of publication."""

    merged_ids: list[MergeRecord]
    splits: list[SplitRecord]
    killed: list[KillRecord]
    left: list[LeftRecord]
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
    splits: int
    killed: int = Field(description="Articles that were withdrawn, also before they came.")
    forgotten: int = Field(description="Older articles that are no longer kept in memory.")
    newest_published: str | None
    engines: list[str]


class Problem(BaseModel):
    """Why a request could not be answered, and what to do."""

    detail: str


class Gone(Problem):
    """What was asked for was withdrawn."""

    killed: KillRecord | None


def article_head(catalogue: Catalogue, entry: Entry) -> ArticleHead:
    """Return an article without its text."""
    return ArticleHead(**_head(catalogue, entry))


def article_detail(catalogue: Catalogue, entry: Entry) -> ArticleDetail:
    """Return an article."""
    fields = _head(catalogue, entry) | {"title": entry.title}
    return ArticleDetail(
        **fields,
        url=entry.url,
        text=catalogue.text(entry),
        versions=versions(catalogue, entry),
        cluster_id=cluster_id(catalogue.resolve(entry.published_in)),
        published_cluster_id=cluster_id(entry.published_in),
    )


def versions(catalogue: Catalogue, entry: Entry) -> list[VersionRecord]:
    """Return the versions of an article, oldest first. What was killed is not shown: that is what a kill is for."""
    return [
        VersionRecord(
            version=edition.entry.version or None,
            published_at=format_date(edition.entry.time_ms),
            updated_at=_updated_at(edition.entry),
            status=edition.status,
            title=edition.entry.title if edition.killed is None else None,
            text=catalogue.text(edition.entry) if edition.killed is None else None,
            killed=None if edition.killed is None else kill_record(edition.killed),
        )
        for edition in catalogue.editions(entry)[-MAX_VERSIONS_LISTED:]
    ]


def kill_record(killed: Killed) -> KillRecord:
    """Return a kill."""
    entry = killed.entry
    return KillRecord(
        article_id=killed.article_id,
        killed_at=format_date(killed.at_ms),
        through_version=killed.through_version,
        reason=killed.reason or None,
        cluster_id=cluster_id(killed.cluster) if killed.cluster else None,
        title=None if entry is None else entry.title,
        source=None if entry is None else entry.source,
    )


def cluster_head(catalogue: Catalogue, story: Story) -> ClusterHead:
    """Return a cluster without its articles."""
    return ClusterHead(
        cluster_id=story.id,
        articles=len(story.entries),
        killed_articles=len(story.killed),
        sources=len({entry.source for entry in story.entries}),
        first_published=format_date(story.first_ms),
        last_published=format_date(story.last_ms),
        first_article=article_head(catalogue, story.entries[0]),
    )


def cluster_detail(catalogue: Catalogue, story: Story) -> ClusterDetail:
    """Return a cluster."""
    return ClusterDetail(
        **cluster_head(catalogue, story).model_dump(),
        merged_ids=[
            MergeRecord(cluster_id=story.id, merged_id=cluster_id(m.lost), article_id=m.article_id)
            for m in story.merges
        ],
        splits=[
            SplitRecord(cluster_id=cluster_id(s.kept), split_id=cluster_id(s.parted), article_id=s.article_id)
            for s in story.splits
        ],
        killed=[kill_record(killed) for killed in story.killed[-MAX_MEMBERS_LISTED:]],
        left=[
            LeftRecord(
                article_id=entry.id,
                version=entry.version or None,
                cluster_id=cluster_id(catalogue.resolve(catalogue.expect(entry.id).published_in)),
            )
            for entry in story.left[-MAX_MEMBERS_LISTED:]
        ],
        members=[article_head(catalogue, entry) for entry in story.entries[:MAX_MEMBERS_LISTED]],
    )


def _updated_at(entry: Entry) -> str | None:
    return format_date(entry.updated_ms) if entry.updated_ms >= 0 else None


def _head(catalogue: Catalogue, entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "title": clip(entry.title, MAX_TITLE),
        "source": entry.source,
        "lang": entry.lang,
        "published_at": format_date(entry.time_ms),
        "relation": entry.relation,
        "score": entry.score,
        "matched_id": entry.matched_id or None,
        "version": entry.version or None,
        "updated_at": _updated_at(entry),
        "corrected": len(catalogue.editions(entry)) > 1,
        "embargo_until": None if entry.embargo_ms is None else format_date(entry.embargo_ms),
        "advisory": entry.advisory or None,
    }
