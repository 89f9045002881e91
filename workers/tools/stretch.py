"""A stretch cut out of a stream of articles, from files or from a topic, as lines in a file of its own.

What is compared can so be looked at, and run again.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from config.settings import Settings, milliseconds
from pipeline.article import LINE_ALLOWANCE, Rejected, parse_line
from pipeline.dates import format_date, parse_date
from pipeline.errors import InputError
from workers.sources import STDIN, Reader
from workers.tools.feed import Progress


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was cut out of a stream. ``undated`` and ``unusable`` lines cannot be placed and are left out."""

    kept: int
    outside: int
    undated: int
    unusable: int


def bound(value: str | None, option: str) -> int | None:
    """Return a moment given on the command line in ms; raises :class:`InputError`."""
    if value is None:
        return None
    try:
        return parse_date(value)
    except ValueError as error:
        raise InputError(
            f"{option} {value[:40]!r} is no date; write for example 2026-03-10 or 2026-03-10T06:00:00Z"
        ) from error


def lines_of_files(location: str, settings: Settings, on_progress: Progress) -> Generator[bytes, None, None]:
    """Yield the lines of a file, a folder or stdin."""
    limit = LINE_ALLOWANCE * settings.input.max_text_bytes
    reader = Reader(location, follow=False, max_line_bytes=limit, poll_seconds=1.0)
    total = 0 if location == STDIN else reader.total_bytes or 0
    for number, line in enumerate(reader.lines()):
        if line is not None:
            yield line.content
        if number % 256 == 0:
            on_progress(reader.bytes_read, total)


def lines_of_topic(
    settings: Settings, start_ms: int | None, on_progress: Progress
) -> Generator[bytes, None, None]:
    """Yield the articles of the deployment's input topic that can have been published since ``start_ms``.

    To the topic's present end: an article may arrive any time after it was published. It cannot
    arrive before, but for ``window.max_clock_skew``.
    """
    from workers.kafka.reader import open_reader

    skew_ms = milliseconds(settings.window.max_clock_skew)
    since_ms = None if start_ms is None else start_ms - skew_ms
    seen: set[str] = set()
    with closing(open_reader(settings.kafka, settings.kafka.topics.articles, since_ms)) as reader:
        for number, record in enumerate(reader.poll()):
            yield as_line(record.value or b"", record.timestamp, skew_ms, seen)
            if number % 256 == 0:
                on_progress(*reader.progress)


def as_line(value: bytes, arrived_ms: int, skew_ms: int, seen: set[str] | None = None) -> bytes:
    """Return a record's value as one line, with the time that the deployment placed it at.

    An article without a date, or with one more than ``skew_ms`` ahead of its arrival, has its arrival's; but
    an undated correction has that of the version before it. ``seen``: the ids so far, to which this one is added.
    """
    try:
        article = orjson.loads(value)
    except orjson.JSONDecodeError:
        return value.replace(b"\n", b" ")  # a dead letter, but one and not several
    if isinstance(article, dict):
        published = article.get("published_at")
        if seen is not None and isinstance(article.get("id"), str):
            if published in (None, "") and article["id"] in seen and _corrects(article):
                return orjson.dumps(article)
            seen.add(article["id"])
        if published in (None, "") or _is_ahead(published, arrived_ms + skew_ms):
            return orjson.dumps({**article, "published_at": format_date(arrived_ms)})
    return orjson.dumps(article) if b"\n" in value else value


def _corrects(article: dict[str, Any]) -> bool:
    return article.get("kind") != "kill" and bool(article.get("version") or article.get("updated_at"))


def _is_ahead(published: object, limit_ms: int) -> bool:
    try:
        return isinstance(published, str) and parse_date(published) > limit_ms
    except ValueError:
        return False


def cut(
    lines: Iterable[bytes], target: Path, start_ms: int | None, end_ms: int | None, max_text_bytes: int
) -> Stretch:
    """Write the lines published in ``start_ms <= t < end_ms`` to ``target``, as they are.

    Without bounds every line is kept, also what would be a dead letter. What has no date is kept when it is
    a kill, or corrects an article that was kept: they go where their article is. Raises :class:`InputError`, and leaves
    no file, when nothing is left.
    """
    try:
        stretch = _cut(lines, target, start_ms, end_ms, max_text_bytes)
        if not stretch.kept:
            raise InputError(_nothing(stretch, start_ms, end_ms))
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return stretch


def _cut(
    lines: Iterable[bytes], target: Path, start_ms: int | None, end_ms: int | None, max_text_bytes: int
) -> Stretch:
    kept = outside = undated = unusable = 0
    bounded = start_ms is not None or end_ms is not None
    ids: set[str] = set()
    with target.open("wb") as file:
        for line in lines:
            if bounded:
                try:
                    article = parse_line(line, max_text_bytes)
                except Rejected:
                    unusable += 1
                    continue
                moment = article.published_ms
                if moment is None:
                    corrects = article.version > 0 or article.updated_ms is not None
                    if not article.kill and not (corrects and article.id in ids):
                        undated += 1
                        continue
                elif (start_ms is not None and moment < start_ms) or (
                    end_ms is not None and moment >= end_ms
                ):
                    outside += 1
                    continue
                elif not article.kill:
                    ids.add(article.id)
            file.write(line + b"\n")
            kept += 1
    return Stretch(kept, outside, undated, unusable)


def _nothing(stretch: Stretch, start_ms: int | None, end_ms: int | None) -> str:
    if start_ms is None and end_ms is None:
        return "the input holds no articles; check that --input, or kafka.topics.articles, is the right one"
    span = " to ".join("…" if ms is None else format_date(ms) for ms in (start_ms, end_ms))
    return (
        f"no article was published in {span} ({stretch.outside:,} lie outside, {stretch.undated:,} are undated, "
        f"{stretch.unusable:,} unusable); widen --from and --to"
    )
