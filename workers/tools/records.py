"""A changelog record as readers take it: from which desk it is, its articles with their texts, its kills."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from pipeline.changelog import Change
from pipeline.dates import parse_date
from pipeline.verify import RELATIONS
from workers.tools.articles import Entry, Killed


class DeskChange(NamedTuple):
    """A record and the desk that wrote it: each desk counts its articles by itself."""

    desk: int
    change: Change


def entries_of(change: Change, desk: int, first: int) -> Iterator[tuple[Entry, str]]:
    """Yield a record's articles with their texts; the first one gets the ordinal ``first``."""
    count = len(change.ids)
    abouts = change.about if len(change.about) == count else [""] * count
    marks = change.marks if len(change.marks) == count else [""] * count
    columns = zip(
        change.ids,
        change.time.tolist(),
        change.name.tolist(),
        change.relation.tolist(),
        change.score.tolist(),
        change.matched_ids,
        change.version.tolist(),
        change.updated.tolist(),
        abouts,
        marks,
        strict=True,
    )
    for position, values in enumerate(columns):
        article_id, time_ms, name, relation, score, matched_id, version, updated_ms, about, mark = values
        fields: dict[str, Any] = orjson.loads(about) if about else {}
        marked: dict[str, Any] = orjson.loads(mark) if mark else {}
        embargo = marked.get("embargo_until")
        entry = Entry(
            ordinal=first + position,
            desk=desk,
            place=change.first + position,
            id=article_id,
            time_ms=time_ms,
            published_in=name,
            relation=RELATIONS[relation],
            score=score / 10_000,
            matched_id=matched_id,
            title=fields.get("title") or "",
            source=fields.get("source") or "",
            lang=fields.get("lang") or "",
            url=fields.get("url") or "",
            version=version,
            updated_ms=updated_ms,
            embargo_ms=None if embargo is None else parse_date(embargo),
            advisory=marked.get("advisory") or "",
        )
        yield entry, fields.get("text") or ""


def kills_of(change: Change) -> Iterator[tuple[Killed, int]]:
    """Yield a record's kills, each with the ordinal that the next article at its desk was to have."""
    # Records from before the log told when and why have the newest event time instead.
    abouts = change.kill_about or [""] * len(change.kill_ids)
    for article_id, (through, since_ms, ordinal), cluster, about in zip(
        change.kill_ids, change.kills.tolist(), change.kill_clusters.tolist(), abouts, strict=True
    ):
        fields: dict[str, Any] = orjson.loads(about) if about else {}
        at = fields.get("published_at")
        at_ms = since_ms if at is None else parse_date(at)
        yield Killed(article_id, at_ms, through, cluster, fields.get("reason") or ""), ordinal
