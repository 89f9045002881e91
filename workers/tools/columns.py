"""Articles as the pages read them: columns of plain values, bounded whatever the articles hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pipeline.answers import cluster_id
from pipeline.verify import RELATIONS
from workers.tools.articles import Entry, Merge
from workers.tools.catalogue import Catalogue

MAX_TITLE = 300
MAX_SOURCE = 120
MAX_LANG = 24
"""Characters kept in lists; the whole title comes with the text."""

COMMON_WORDS = 3000

_RELATION = {name: code for code, name in enumerate(RELATIONS)}


def clip(text: str, limit: int) -> str:
    """Return text of at most ``limit`` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def index_columns(catalogue: Catalogue, entries: Iterable[Entry], merges: Sequence[Merge]) -> dict[str, Any]:
    """Return articles and merges in the form that the pages' scripts add to what they have."""
    sources: dict[str, int] = {}
    langs: dict[str, int] = {}
    articles: dict[str, list[Any]] = {
        name: []
        for name in (
            "ordinal",
            "id",
            "title",
            "time",
            "source",
            "lang",
            "relation",
            "score",
            "matched",
            "cluster",
        )
    }
    for entry in entries:
        source, lang = clip(entry.source, MAX_SOURCE), clip(entry.lang, MAX_LANG)
        values = (
            entry.ordinal,
            entry.id,
            clip(entry.title, MAX_TITLE),
            entry.time_ms,
            sources.setdefault(source, len(sources)),
            langs.setdefault(lang, len(langs)),
            _RELATION[entry.relation],
            round(entry.score * 10_000),
            entry.matched_id,
            cluster_id(catalogue.resolve(entry.published_in)),
        )
        for column, value in zip(articles.values(), values, strict=True):
            column.append(value)
    return {
        "sources": list(sources),
        "langs": list(langs),
        "relations": list(RELATIONS),
        "articles": articles,
        "merges": [[cluster_id(m.survivor), cluster_id(m.lost), m.article_id, m.time_ms] for m in merges],
        "forgotten": catalogue.forgotten,
    }
