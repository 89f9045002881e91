"""What the engine kept of particular articles: tokens, time and text, gathered in one pass."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import orjson

from pipeline.article import DEFAULT_MAX_TEXT_BYTES, Article, Rejected, article_from
from pipeline.errors import InputError
from pipeline.tokens import Tokens
from workers.tools.records import DeskChange


@dataclass(frozen=True, slots=True)
class Material:
    """An article with its tokens. ``article.text`` is empty where the state keeps no texts."""

    article: Article
    tokens: Tokens
    engine: str


def gather(changes: Iterable[DeskChange], wanted: Collection[str]) -> dict[tuple[int, int], Material]:
    """Return the material of all editions of the ``wanted`` ids, by :attr:`Entry.key`."""
    found: dict[tuple[int, int], Material] = {}
    for desk, change in changes:
        for position, article_id in enumerate(change.ids):
            if article_id not in wanted:
                continue
            fields = orjson.loads(change.about[position]) if position < len(change.about) else {}
            begin = int(change.ends[position - 1]) if position else 0
            found[desk, change.first + position] = Material(
                Article(
                    id=article_id,
                    text=fields.get("text") or "",
                    title=fields.get("title") or "",
                    published_ms=int(change.time[position]),
                    source=fields.get("source") or "",
                    lang=fields.get("lang") or "",
                    url=fields.get("url") or "",
                ),
                change.tokens[begin : int(change.ends[position])].copy(),
                change.fingerprint,
            )
    return found


def read_article(path: Path, max_text_bytes: int = DEFAULT_MAX_TEXT_BYTES) -> Article:
    """Read one article from a file: a JSON object, one line of JSON, or plain text.

    Raises :class:`InputError`.
    """
    try:
        with path.open("rb") as file:
            content = file.read(16 * max_text_bytes + 1)
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror}; give a file with one article, or --state and ids"
        ) from error
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not UTF-8 ({error.reason}); convert it, for example with iconv"
        ) from error
    if not text.strip():
        raise InputError(f"{path} is empty; give a file with one article as JSON or plain text")
    if text.lstrip().startswith("{"):
        try:
            record = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            lines = sum(1 for line in text.splitlines() if line.strip())
            raise InputError(
                f"{path} holds {lines} lines and is not one JSON object ({error}); "
                "give a file with one article, or cluster it with `samewire run` and give --state and ids"
            ) from error
        try:
            return article_from({"id": path.name, **record}, max_text_bytes)
        except Rejected as rejected:
            raise InputError(f"{path}: {rejected}; see config/schemas/article.schema.json") from rejected
    try:
        return article_from({"id": path.name, "text": text}, max_text_bytes)
    except Rejected as rejected:
        raise InputError(
            f"{path}: {rejected}; give a shorter text, or raise input.max_text_bytes"
        ) from rejected
