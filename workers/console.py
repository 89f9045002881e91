"""What the commands say: progress and words to people on standard error, JSON to programs, pages to files."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from pipeline.errors import OutputError


@contextmanager
def bar(what: str, quiet: bool) -> Iterator[Callable[[int, int | None], None]]:
    """Show progress while the body runs; it tells how much is done, and of how much where that is known.

    Shows nothing when ``quiet``, or where standard error is no terminal.
    """
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _done, _total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def print_json(value: Any) -> None:
    """Print one JSON object on a line of its own."""
    sys.stdout.buffer.write(orjson.dumps(value) + b"\n")
    sys.stdout.buffer.flush()


def say(message: str, quiet: bool) -> None:
    """Tell people something, unless they asked for quiet."""
    if not quiet:
        sys.stderr.write(f"{message}\n")
        sys.stderr.flush()


def write_page(path: Path, page: str) -> None:
    """Write a page; raises :class:`OutputError`."""
    try:
        path.write_text(page, "utf-8", errors="replace")
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror}; choose a place that can be written") from error
