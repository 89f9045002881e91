"""Articles as the pages read them: columns of plain values, bounded whatever the articles hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pipeline.answers import cluster_id
from pipeline.verify import RELATIONS
from workers.tools.articles import Entry, Killed, Merge, Split
from workers.tools.catalogue import Catalogue

MAX_TITLE = 300
MAX_SOURCE = 120
MAX_LANG = 24
MAX_REASON = 600
"""Characters kept in lists; the whole title comes with the text."""

COMMON_WORDS = 3000

_RELATION = {name: code for code, name in enumerate(RELATIONS)}


def clip(text: str, limit: int) -> str:
    """Return text of at most ``limit`` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def index_columns(
    catalogue: Catalogue,
    entries: Iterable[Entry],
    merges: Sequence[Merge],
    splits: Sequence[Split],
    touched: Iterable[str],
) -> dict[str, Any]:
    """Return articles and what happened to them in the form that the pages' scripts add to what they have.

    ``touched``: the ids of articles whose lives are to be told.
    """
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
        "splits": [[cluster_id(s.kept), cluster_id(s.parted), s.article_id] for s in splits],
        "lives": [life(catalogue, article_id) for article_id in touched],
        "forgotten": catalogue.forgotten,
    }


def life(catalogue: Catalogue, article_id: str) -> dict[str, Any]:
    """Return what became of an article: which of its editions are gone, and which one stands, if any."""
    told: dict[str, Any] = {"id": article_id, "gone": catalogue.withdrawn(article_id)}
    entry = catalogue.entry(article_id)
    killed = catalogue.killed(article_id)
    if entry is not None:
        *earlier, _ = editions = catalogue.editions(entry)
        here = catalogue.resolve(entry.published_in)
        stood = {catalogue.resolve(each.entry.published_in) for each in earlier if each.replaced}
        told |= {
            "stands": entry.ordinal,
            "cluster": cluster_id(here),
            "left": [cluster_id(name) for name in sorted(stood - {here})],
            "version": entry.version,
            "versions": len(editions),
            "embargo": entry.embargo_ms,
            "advisory": entry.advisory,
        }
    elif killed is not None:
        told["killed"] = _killed(killed)
    return told


def _killed(killed: Killed) -> dict[str, Any]:
    entry = killed.entry
    return {
        "at": killed.at_ms,
        "through": killed.through_version,
        "reason": clip(killed.reason, MAX_REASON),
        "cluster": cluster_id(killed.cluster) if killed.cluster else None,
        "title": clip(entry.title, MAX_TITLE) if entry else "",
        "source": clip(entry.source, MAX_SOURCE) if entry else "",
        "time": entry.time_ms if entry else None,
    }
