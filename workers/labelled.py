"""Labelled input of `samewire evaluate`, `tune` and `weights`: what kind it is, and its records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson

from config.settings import Settings
from pipeline.article import LINE_ALLOWANCE, Article, Rejected, article_from
from pipeline.engine import Engine
from pipeline.errors import InputError
from pipeline.weights import TermTable
from workers.sources import STDIN, Reader

Record = dict[str, Any]


class Kind(StrEnum):
    """The three kinds of labelled input."""

    PAIRS = "pairs"
    CLUSTERS = "clusters"
    EVENTS = "events"


# A pair of this grade or more is a copy, of that or less is none; between, it does not score.
COPY_GRADE, OTHER_GRADE = 3.0, 1.0
COPY_LABEL, OTHER_LABEL = 1.0, 0.0


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """Two articles and how alike people found them. ``scale``: the field that says so, ``grade`` or ``label``."""

    left: Article
    right: Article
    grade: float
    scale: str

    @property
    def is_copy(self) -> bool | None:
        """Whether the two are the same copy; None when the pair does not score."""
        copy, other = (COPY_GRADE, OTHER_GRADE) if self.scale == "grade" else (COPY_LABEL, OTHER_LABEL)
        if self.grade >= copy:
            return True
        return False if self.grade <= other else None


@dataclass(slots=True)
class Labelled:
    """What a file held. ``labels``: one for each article. ``unusable``: lines that could not be read, with reasons."""

    kind: Kind
    pairs: list[LabelledPair]
    articles: list[Article]
    labels: list[str]
    unusable: dict[str, int]


def engine_for(settings: Settings) -> Engine:
    """Return the engine that the settings ask for."""
    terms = settings.engine.terms
    return Engine(TermTable.load(terms) if terms is not None else None)


def records(file: str, settings: Settings, unusable: dict[str, int]) -> Iterator[Record]:
    """Yield the JSON objects of a file; count lines that hold none."""
    if file != STDIN and not Path(file).exists():
        raise InputError(f"input {file}: not found; check the path")
    # A line of pairs holds two articles.
    limit = 2 * LINE_ALLOWANCE * settings.input.max_text_bytes
    reader = Reader(file, follow=False, max_line_bytes=limit, poll_seconds=1.0)
    for line in reader.lines():
        if line is None:
            continue
        try:
            record = orjson.loads(line.content)
        except orjson.JSONDecodeError:
            record = None
        if isinstance(record, dict):
            yield record
        else:
            unusable["malformed"] = unusable.get("malformed", 0) + 1


def kind_of(record: Record) -> Kind | None:
    """Tell from its fields what a record is; None when it has no label."""
    if "a" in record and "b" in record:
        return Kind.PAIRS if "grade" in record or "label" in record else None
    if "event" in record:
        return Kind.EVENTS
    return Kind.CLUSTERS if "label" in record else None


def read_labelled(file: str, settings: Settings, kind: Kind | None = None) -> Labelled:
    """Read a labelled file; its kind follows from the fields of the first record unless given.

    Raises :class:`InputError` when nothing in it can be used.
    """
    found = Labelled(kind or Kind.PAIRS, [], [], [], {})
    limit = settings.input.max_text_bytes
    decided = kind
    for record in records(file, settings, found.unusable):
        if decided is None:
            decided = kind_of(record)
            if decided is None:
                raise InputError(
                    f"{file}: the first line has no label; expected a pair (a, b, grade), or articles with "
                    "label (same label, same copy) or event (same event, written independently)"
                )
            found.kind = decided
        try:
            if decided is Kind.PAIRS:
                found.pairs.append(_pair(record, limit))
            else:
                label = record.get("event" if decided is Kind.EVENTS else "label")
                if label is None:
                    raise Rejected("malformed", "no label")
                found.articles.append(article_from(record, limit))
                found.labels.append(str(label))
        except Rejected as rejected:
            found.unusable[rejected.reason] = found.unusable.get(rejected.reason, 0) + 1
    if not found.pairs and not found.articles:
        raise InputError(
            f"{file}: no labelled article or pair could be used ({found.unusable or 'it is empty'})"
        )
    return found


def _pair(record: Record, limit: int) -> LabelledPair:
    scale = "grade" if "grade" in record else "label"
    grade = record.get(scale)
    if "a" not in record or "b" not in record or not isinstance(grade, int | float):
        raise Rejected("malformed", f"expected a, b and a number as {scale}")
    return LabelledPair(
        article_from(record["a"], limit), article_from(record["b"], limit), float(grade), scale
    )
