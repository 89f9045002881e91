"""A stretch of a stream, processed again into fresh files, to compare settings.

The stretch is any iterable of lines as :mod:`workers.sources` reads them, so that it can come
from files or from a topic's records. It is written to a file of its own first: what was
compared can be looked at, and run again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from config.settings import Settings
from pipeline.article import LINE_ALLOWANCE, Rejected, format_date, parse_date, parse_line
from pipeline.engine import Engine
from pipeline.errors import InputError, OutputError
from pipeline.weights import TermTable
from workers.local import LocalWorker, Summary
from workers.sources import STDIN, Reader
from workers.tools.catalogue import Catalogue
from workers.tools.compare import Differences, compare_partitions
from workers.tools.feed import StateFeed

STRETCH = "stretch.jsonl"
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was cut out of a stream. ``undated`` and ``unusable`` lines cannot be placed and are left out."""

    kept: int
    outside: int
    undated: int
    unusable: int


@dataclass(frozen=True, slots=True)
class Replayed:
    """A replay: the stretch, and what became of it under each of the settings."""

    stretch: Stretch
    engine: str
    other_engine: str
    articles: int
    clusters: int
    differences: Differences

    def record(self) -> dict[str, Any]:
        """Return everything as JSON-ready values."""
        return asdict(self)


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


def lines_of(
    location: str, max_text_bytes: int, on_progress: Progress = lambda _d, _a: None
) -> Iterator[bytes]:
    """Yield the lines of a file, a folder or stdin."""
    reader = Reader(location, follow=False, max_line_bytes=LINE_ALLOWANCE * max_text_bytes, poll_seconds=1.0)
    for number, line in enumerate(reader.lines()):
        if line is not None:
            yield line.content
        if number % 256 == 0:
            on_progress(reader.bytes_read, number)


def input_bytes(location: str) -> int | None:
    """Return the size of an input, where that is known."""
    if location == STDIN:
        return None
    return Reader(location, follow=False, max_line_bytes=1, poll_seconds=1.0).total_bytes


def cut(
    lines: Iterable[bytes], target: Path, start_ms: int | None, end_ms: int | None, max_text_bytes: int
) -> Stretch:
    """Write the lines published in ``start_ms <= t < end_ms`` to ``target``, as they are.

    Without bounds every line is kept, also what would be a dead letter. Raises :class:`InputError` when nothing is left.
    """
    kept = outside = undated = unusable = 0
    bounded = start_ms is not None or end_ms is not None
    with target.open("wb") as file:
        for line in lines:
            if bounded:
                try:
                    moment = parse_line(line, max_text_bytes).published_ms
                except Rejected:
                    unusable += 1
                    continue
                if moment is None:
                    undated += 1
                    continue
                if (start_ms is not None and moment < start_ms) or (end_ms is not None and moment >= end_ms):
                    outside += 1
                    continue
            file.write(line + b"\n")
            kept += 1
    stretch = Stretch(kept, outside, undated, unusable)
    if not kept:
        span = " to ".join("…" if ms is None else format_date(ms) for ms in (start_ms, end_ms))
        raise InputError(
            f"no article was published in {span} ({outside:,} lie outside, {undated:,} are undated, "
            f"{unusable:,} unusable); widen --from and --to"
        )
    return stretch


def fresh_folder(folder: Path) -> None:
    """Make the folder for a replay; raises :class:`OutputError` when something is in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = next(folder.iterdir(), None)
    except OSError as error:
        raise OutputError(f"{folder}: {error.strerror}; choose a folder that can be written") from error
    if taken is not None:
        raise OutputError(
            f"{folder} is not empty ({taken.name}); a replay writes fresh files: choose another folder, or remove it"
        )


def process(stretch: Path, folder: Path, settings: Settings, on_progress: Progress) -> tuple[str, Summary]:
    """Cluster a stretch into ``folder`` (articles.jsonl, events.jsonl, state); returns the engine's fingerprint."""
    terms = settings.engine.terms
    engine = Engine(TermTable.load(terms) if terms is not None else None)
    with LocalWorker(
        engine,
        settings,
        source=str(stretch),
        output=str(folder / "articles.jsonl"),
        events=str(folder / "events.jsonl"),
        dead=None,
        state=folder / "state",
        on_progress=on_progress,
    ) as worker:
        return engine.fingerprint, worker.run()


def partition_of(state: Path) -> tuple[Catalogue, dict[str, int]]:
    """Return a state's catalogue, and every article's cluster."""
    catalogue = Catalogue.from_changes(StateFeed(state).poll(), max_articles=1 << 28)
    return catalogue, catalogue.partition()


def compare_states(old: Path, new: Path, name: str) -> tuple[Catalogue, Catalogue, Differences]:
    """Compare the clusters of two states over the articles in both; ``name``: what to call the old one."""
    before, old_partition = partition_of(old)
    after, new_partition = partition_of(new)
    return before, after, compare_partitions(old_partition, new_partition, name)
