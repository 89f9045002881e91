"""One line of input becomes an article, or a rejection that says why.

The contract is ``config/schemas/article.schema.json``. Unknown fields are ignored.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from dataclasses import dataclass
from typing import Any, Final

import orjson

from pipeline.dates import parse_date
from pipeline.errors import SamewireError

MAX_ID_CHARACTERS = 512
INPUT_SCHEMA = "samewire.input/1"
"""What an article's optional field ``schema`` says; another version is refused, not guessed at."""

MAX_VERSION = (1 << 31) - 1
MAX_FIELD_BYTES = 4096  # source, lang, url
MAX_KEPT_CHARACTERS = 65_536  # of a text, for readers of a state
DEFAULT_MAX_TEXT_BYTES = 1 << 20
# The envelope around the text: title, escapes (a control character takes six bytes), other fields.
LINE_ALLOWANCE = 6

REASONS: Final = {
    "too_large": "the line or the text is longer than the limit (input.max_text_bytes)",
    "invalid_utf8": "the line is not UTF-8",
    "malformed": "the line is not a JSON object",
    "missing_id": "there is no id, or it is empty",
    "missing_text": "there is no text, or it is empty",
    "wrong_type": "a field has the wrong type",
    "invalid_id": "the id is too long or has control characters",
    "invalid_date": "a date is not RFC 3339",
    "unknown_schema": "the field schema names a version that this samewire does not read",
    "tombstone": "a Kafka record without a value",
    "failed": "an unexpected error; the dead letter carries it",
    "damaged": "a signed record that fails its checksum or has an unknown format version",
    "wrong_engine": "a signed record of another engine fingerprint",
    "nul": "the text, the title or the id has a NUL character",
    "unknown_kind": "the field kind is neither article nor kill",
}
"""Why a line can be rejected; the keys are the values of the metric's label."""


class Rejected(SamewireError):
    """An article that cannot be used. ``reason`` is a key of :data:`REASONS`."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(slots=True)
class Article:
    """A valid article, or the order to withdraw one (``kill``), which has no text.

    ``published_ms``: milliseconds since 1970 UTC, None when undated; likewise ``updated_ms`` and
    ``embargo_ms``. ``version``: 0 when none is given; of a kill the last one withdrawn.
    ``reason``: why it is withdrawn.
    """

    id: str
    text: str
    title: str = ""
    published_ms: int | None = None
    source: str = ""
    lang: str = ""
    url: str = ""
    version: int = 0
    updated_ms: int | None = None
    embargo_ms: int | None = None
    kill: bool = False
    reason: str = ""


def _misfit(name: str, value: object) -> Rejected:
    return Rejected("wrong_type", f"{name} must be a string, not {type(value).__name__}")


def _absent(name: str, value: object) -> str:
    if value is not None:
        raise _misfit(name, value)
    return ""


def article_from(record: Any, max_text_bytes: int = DEFAULT_MAX_TEXT_BYTES) -> Article:
    """Check a parsed JSON value; raises :class:`Rejected`."""
    if not isinstance(record, dict):
        raise Rejected("malformed", f"expected a JSON object, found {type(record).__name__}")
    schema = record.get("schema")
    if schema is not None and schema != INPUT_SCHEMA:
        raise Rejected("unknown_schema", f"schema {str(schema)[:60]!r} is not {INPUT_SCHEMA}")
    identifier = record.get("id")
    if identifier is None or identifier == "":
        raise Rejected("missing_id", "id is required")
    if not isinstance(identifier, str):
        raise _misfit("id", identifier)
    if identifier.isspace():
        raise Rejected("missing_id", "id is empty")
    if len(identifier) > MAX_ID_CHARACTERS or not identifier.isprintable():
        if "\0" in identifier:
            raise Rejected("nul", "id has a NUL character")
        raise Rejected("invalid_id", f"id must be at most {MAX_ID_CHARACTERS} printable characters")
    kind = record.get("kind")
    if kind is not None and kind != "article":
        return _kill(identifier, record)
    text = record.get("text")
    if text is None:
        raise Rejected("missing_text", "text is required")
    if not isinstance(text, str):
        raise _misfit("text", text)
    if not text or text.isspace():
        raise Rejected("missing_text", "text is empty")
    if len(text) > max_text_bytes or (4 * len(text) > max_text_bytes and len(text.encode()) > max_text_bytes):
        raise Rejected("too_large", f"text has more than {max_text_bytes} bytes")
    title, source, lang, url = (
        record.get("title"),
        record.get("source"),
        record.get("lang"),
        record.get("url"),
    )
    if title.__class__ is not str:
        title = _absent("title", title)
    if source.__class__ is not str:
        source = _absent("source", source)
    if lang.__class__ is not str:
        lang = _absent("lang", lang)
    if url.__class__ is not str:
        url = _absent("url", url)
    if "\0" in text or "\0" in title:
        raise Rejected("nul", "text or title has a NUL character")
    version, updated, embargo = record.get("version"), record.get("updated_at"), record.get("embargo_until")
    return Article(
        identifier,
        text,
        title[:max_text_bytes],
        _moment("published_at", record.get("published_at")),
        source[:MAX_FIELD_BYTES],
        lang[:MAX_FIELD_BYTES],
        url[:MAX_FIELD_BYTES],
        _version(version) if version is not None else 0,
        _moment("updated_at", updated) if updated is not None else None,
        _moment("embargo_until", embargo) if embargo is not None else None,
    )


def _kill(identifier: str, record: dict[str, Any]) -> Article:
    """Read the order to withdraw a story; nothing but the id is required."""
    kind = record["kind"]
    if kind != "kill":
        raise Rejected("unknown_kind", f"kind {str(kind)[:40]!r} is neither article nor kill")
    reason, lang = record.get("reason"), record.get("lang")
    for name, value in (("reason", reason), ("lang", lang)):
        if value is not None and not isinstance(value, str):
            raise _misfit(name, value)
    return Article(
        identifier,
        "",
        published_ms=_moment("published_at", record.get("published_at")),
        lang=(lang or "")[:MAX_FIELD_BYTES],
        version=_version(record.get("version")),
        kill=True,
        reason=(reason or "")[:MAX_FIELD_BYTES],
    )


def _moment(name: str, value: object) -> int | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise _misfit(name, value)
    try:
        return parse_date(value)
    except ValueError as error:
        raise Rejected("invalid_date", f"{name} {value[:40]!r} is not RFC 3339") from error


def _version(value: object) -> int:
    if value is None:
        return 0
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 11:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_VERSION:
        raise Rejected("wrong_type", f"version must be a whole number from 0 to {MAX_VERSION}")
    return value


def about(article: Article, with_text: bool) -> str:
    """Return as JSON what readers of a state want to know of an article."""
    fields = {"title": article.title, "source": article.source, "lang": article.lang, "url": article.url}
    if with_text:
        fields["text"] = article.text[:MAX_KEPT_CHARACTERS]
    return orjson.dumps(fields).decode()


def parse_line(line: bytes, max_text_bytes: int = DEFAULT_MAX_TEXT_BYTES) -> Article:
    """Parse one line of JSON; raises :class:`Rejected`."""
    if len(line) > LINE_ALLOWANCE * max_text_bytes:
        raise Rejected("too_large", f"line has {len(line)} bytes")
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        if line.startswith(BOM_UTF8):  # some editors put it at the beginning of a file
            return parse_line(line[len(BOM_UTF8) :], max_text_bytes)
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as invalid:
            raise Rejected("invalid_utf8", str(invalid)) from error
        raise Rejected("malformed", str(error)) from error
    return article_from(record, max_text_bytes)
