"""What is published: an answer for each article and events about clusters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
import orjson

from pipeline.dates import format_date, format_dates

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
        """Return :meth:`record` as JSON."""
        return answer_lines((self,), engine)[0]

    def life(self) -> dict[str, Any]:
        """Return the fields that few answers have."""
        fields: dict[str, Any] = {}
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
        return fields

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
        return fields | self.life()


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
        """Return :meth:`record` as JSON."""
        return event_lines((self,), engine)[0]

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


_PLAIN = Answer("", 0, "", 0, None, 0)[6:]
_T = TypeVar("_T", Answer, ClusterEvent)


def from_columns(kind: type[_T], *columns: Iterable[Any]) -> list[_T]:
    """Return one ``kind`` a row of the columns of all its fields, in half of the time that calling it takes."""
    return list(map(partial(tuple.__new__, kind), zip(*columns, strict=False)))


def answer_lines(answers: Sequence[Answer], engine: str) -> list[bytes]:
    """Return :meth:`Answer.record` of each as JSON, written directly: one for each article is a cost."""
    end = f'"engine":"{engine}","schema":"{ARTICLE_SCHEMA}"'
    ids = _quoted([answer.article_id for answer in answers])
    dates = format_dates([answer.published_ms for answer in answers])
    names = _hexadecimal([answer.cluster for answer in answers])
    lines = []
    for answer, article_id, digits, published in zip(answers, ids, names, dates, strict=True):
        _, name, relation, score, matched_id = answer[:5]
        cluster = f'"c{digits}"' if name else "null"
        matched = "null" if matched_id is None else orjson.dumps(matched_id).decode()
        lines.append(
            f'{{"article_id":{article_id},"cluster_id":{cluster},'
            f'"relation":"{relation}","score":{score / 10_000!r},"matched_id":{matched},'
            f'"published_at":"{published}",{end}{"" if answer[6:] == _PLAIN else _seldom(answer)}}}'.encode()
        )
    return lines


def _seldom(answer: Answer) -> str:
    life = answer.life()
    return (
        f"{_LATE if answer.late else ''}{_REPEATED if answer.repeated else ''}"
        f"{f',{orjson.dumps(life).decode()[1:-1]}' if life else ''}"
    )


def event_lines(events: Sequence[ClusterEvent], engine: str) -> list[bytes]:
    """Return :meth:`ClusterEvent.record` of each as JSON, written directly."""
    end = f'"engine":"{engine}","schema":"{CLUSTER_SCHEMA}"'
    ids = _quoted([event.article_id or "" for event in events])
    firsts = format_dates([event.first_ms for event in events])
    names = _hexadecimal([event.cluster for event in events])
    lines = []
    for event, by, digits, first in zip(events, ids, names, firsts, strict=True):
        kind, _, size, first_ms, last_ms, other, article_id, copies, _ = event
        if copies is not None:
            lines.append(orjson.dumps(event.record(engine)))
            continue
        last = first if last_ms == first_ms else format_date(last_ms)
        alias = "" if other is None else f'"{_OTHER[kind]}":"c{other:016x}",'
        article = "" if article_id is None else f'"article_id":{by},'
        lines.append(
            f'{{"event":"{kind}","cluster_id":"c{digits}",{alias}{article}"articles":{size},'
            f'"first_published":"{first}","last_published":"{last}",{end}}}'.encode()
        )
    return lines


def _quoted(texts: Sequence[str]) -> list[str]:
    """Return each as JSON. Whether any needs escapes is asked of all at once: ids hardly ever do."""
    together = "".join(texts)
    if together.isprintable() and '"' not in together and "\\" not in together:
        return [f'"{text}"' for text in texts]
    return [orjson.dumps(text).decode() for text in texts]


def _hexadecimal(names: Sequence[int]) -> list[str]:
    """Return the 16 digits of each name; for many at once faster than formatting."""
    digits = np.array(names, ">u8").tobytes().hex()
    return [digits[at : at + 16] for at in range(0, len(digits), 16)]


def cluster_id(name: int) -> str:
    """Return the published form of a cluster's 64-bit name."""
    return f"c{name:016x}"


def cluster_name(identifier: str) -> int:
    """Return the 64-bit name of a published cluster id; raises :class:`ValueError`."""
    if len(identifier) != 17 or identifier[0] != "c":
        raise ValueError(f"{identifier!r} is no cluster id")
    return int(identifier[1:], 16)
