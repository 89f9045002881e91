"""Changes out of a state folder, to its present end and from there on, while a worker may be writing it.

:mod:`workers.tools.topic_feed` gives those of a Kafka deployment in the same way.

Nothing is locked or written. A record that is still being written is left for the next
look; a segment that the worker deleted meanwhile held only articles that left the window.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from pipeline.changelog import MAGIC, decode
from pipeline.columns import PREFIX_BYTES, record_length
from pipeline.errors import StateError
from workers.journal import segment_files, segment_number
from workers.tools.records import DeskChange

_ONLY_DESK = 0  # of an embedded run

Progress = Callable[[int, int], None]
"""Hears how much is done, and of how much."""


class Feed(Protocol):
    """Where changes come from: a state folder, or a changelog topic."""

    @property
    def name(self) -> str:
        """What to call it on a page."""
        ...

    @property
    def restarts(self) -> int:
        """How often the feed began anew: what was read before then no longer counts."""
        ...

    @property
    def progress(self) -> tuple[int, int]:
        """How much has been read of what was there, in whatever unit."""
        ...

    def poll(self) -> Iterator[DeskChange]:
        """Yield the changes since the last call, oldest first; ends where nothing more is there now."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


class StateFeed:
    """A state folder as a :class:`Feed`."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.resolve().name
        self.restarts = 0
        self._bytes_read = 0
        self._folder = folder
        self._number = 0
        self._offset = 0
        self._opening: tuple[int, bytes] | None = None
        if not segment_files(folder):
            raise StateError(
                f"{folder} holds no samewire state; give the folder that `samewire run --state` made"
            )

    @property
    def progress(self) -> tuple[int, int]:
        """Bytes read, and bytes of the journal at this moment."""
        return self._bytes_read, sum(_size(path) for path in segment_files(self._folder))

    def close(self) -> None:
        """Nothing is kept open between two looks."""

    def poll(self) -> Iterator[DeskChange]:
        """Yield the changes since the last call; raises :class:`StateError` for damage."""
        while True:
            segments = {segment_number(path): path for path in segment_files(self._folder)}
            if self._was_replaced(segments):
                self.restarts += 1
                self._go_to(0)
            ahead = [number for number in sorted(segments) if number >= self._number]
            if not ahead:
                return
            if ahead[0] != self._number:
                self._go_to(ahead[0])
            with suppress(FileNotFoundError):  # deleted since it was listed
                yield from self._rest_of(segments[self._number], newest=len(ahead) == 1)
            # A worker goes on to the next segment only when this one is whole.
            if len(ahead) == 1:
                return
            self._go_to(ahead[1])

    def _go_to(self, number: int) -> None:
        self._number, self._offset, self._opening = number, 0, None

    def _was_replaced(self, segments: dict[int, Path]) -> bool:
        """Tell whether the folder now holds another state than the one being read."""
        if not self._number:
            return False
        if self._number not in segments:
            return not segments or max(segments) < self._number
        if self._opening is None:  # nothing was read of this segment yet
            return False
        try:
            with segments[self._number].open("rb") as file:
                status = os.fstat(file.fileno())
                return status.st_size < self._offset or _opening(file) != self._opening
        except FileNotFoundError:
            return False

    def _rest_of(self, path: Path, newest: bool) -> Iterator[DeskChange]:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            file.seek(self._offset)
            while self._offset < status.st_size:
                prefix = file.read(PREFIX_BYTES)
                length = record_length(MAGIC, prefix) if len(prefix) == PREFIX_BYTES else None
                if length is None or self._offset + length > status.st_size:
                    if newest:
                        return  # still being written
                    raise StateError(f"{path} is cut short; restore the state from a copy or start a new one")
                record = prefix + file.read(length - PREFIX_BYTES)
                try:
                    change, _ = decode(record)
                except StateError:
                    # The last record can have its length and not yet its content.
                    if newest and self._offset + length == status.st_size:
                        return
                    raise
                if self._opening is None:
                    here = file.tell()
                    self._opening = _opening(file)
                    file.seek(here)
                self._offset += length
                self._bytes_read += length
                yield DeskChange(_ONLY_DESK, change)


def _opening(file: BinaryIO) -> tuple[int, bytes]:
    """Return what tells a file from one that took its place, even when its number is used again."""
    file.seek(0)
    return os.fstat(file.fileno()).st_ino, file.read(PREFIX_BYTES)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
