"""The embedded run's durable state: a folder of changelog records.

One record a batch, appended to segment files; its header also carries how far the
inputs were read and how long the outputs are, so that one append commits all three.
Folding the records gives the matcher back (:meth:`pipeline.matcher.Matcher.apply`).

A commit, and what if it stops after step *n*:

1. outputs are written and synced: the next start cuts them back to the committed length;
2. the record is appended and synced: it is complete, or cut short and dropped;
3. the mark (how long the journal is) is written: it is behind, which is harmless; a
   journal *shorter* than its mark was damaged after the commit, and is refused.
"""

from __future__ import annotations

import fcntl
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

import structlog

from pipeline.changelog import MAGIC, Change, decode, encode
from pipeline.columns import PREFIX_BYTES, record_length
from pipeline.errors import StateError

log = structlog.get_logger()

_MARK = struct.Struct("<4sQQI")  # magic, segment number, its length, crc32 of both
_MARK_MAGIC = b"SWMK"
_SEGMENT = "journal-{:010d}.swj"


class Place(NamedTuple):
    """Where a record ends: the number of its segment and an offset in it."""

    segment: int = 0
    offset: int = 0


START = Place()


class Journal:
    """Appends to the newest segment; holds the folder's lock."""

    def __init__(self, folder: Path, segment_bytes: int, sync: bool) -> None:
        self._folder = folder
        self._segment_bytes = segment_bytes
        self._sync = sync
        self._number = 0
        self._length = 0
        self._last_ordinals: dict[int, int] = {}  # last ordinal in each older segment
        self._newest_ordinal = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StateError(
                f"state folder {folder}: {error.strerror}; choose a folder that can be written"
            ) from error
        self._lock = lock_folder(folder)
        self._mark = os.open(folder / "mark", os.O_RDWR | os.O_CREAT, 0o644)
        self._file: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files and give the lock back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        os.close(self._mark)
        self._lock.close()

    def restore(self, fingerprint: str) -> Iterator[tuple[Change, dict[str, Any]]]:
        """Yield the records in order, then get ready to append.

        Drops a record that was being written when the process died; raises
        :class:`StateError` for any other damage.
        """
        segments = segment_files(self._folder)
        marked = read_mark(self._folder)
        begins, kept_from = 0, 0
        numbers = [segment_number(path) for path in segments]
        whole = not numbers or numbers == list(range(numbers[0], numbers[-1] + 1))
        if not whole or (marked is not None and marked[0] not in numbers):
            raise StateError(
                f"state folder {self._folder} has lost journal files; restore it from a copy or start a new one"
            )
        for path in segments:
            number = segment_number(path)
            floor = marked[1] if marked is not None and marked[0] == number else 0
            newest = path == segments[-1]
            offset = 0
            for record, offset in read_records(path, torn_from=floor if newest else None):  # noqa: B007
                change, extra = decode(record, fingerprint)
                begins = begins or change.first
                kept_from = extra["kept_from"]
                self._newest_ordinal = change.first + len(change.ids) - 1
                yield change, extra
            if newest:
                if offset < path.stat().st_size:
                    log.warning("state_tail_dropped", file=str(path), bytes=path.stat().st_size - offset)
                self._open(number, offset)
            else:
                self._last_ordinals[number] = self._newest_ordinal
        if begins > kept_from:
            raise StateError(
                f"state folder {self._folder} has lost its first journal files; "
                "restore it from a copy or start a new one"
            )
        if not segments:
            self._open(1, 0)

    def append(self, change: Change, extra: dict[str, Any], oldest_kept: int) -> None:
        """Commit one batch. Segments with articles before ``oldest_kept`` alone are deleted."""
        assert self._file is not None
        record = encode(change, {**extra, "kept_from": oldest_kept})
        view = memoryview(record)
        try:
            while view:
                view = view[os.write(self._file, view) :]
            if self._sync:
                os.fdatasync(self._file)
        except OSError as error:
            raise StateError(
                f"state folder {self._folder}: {error.strerror}; make room and run the same command again"
            ) from error
        self._length += len(record)
        self._newest_ordinal = change.first + len(change.ids) - 1
        body = struct.pack("<QQ", self._number, self._length)
        os.pwrite(self._mark, _MARK.pack(_MARK_MAGIC, self._number, self._length, zlib.crc32(body)), 0)
        if self._length >= self._segment_bytes:
            self._last_ordinals[self._number] = self._newest_ordinal
            self._open(self._number + 1, 0)
        for number, last in list(self._last_ordinals.items()):
            if last < oldest_kept:
                (self._folder / _SEGMENT.format(number)).unlink()
                del self._last_ordinals[number]

    def _open(self, number: int, length: int) -> None:
        if self._file is not None:
            os.close(self._file)
        self._file = os.open(self._folder / _SEGMENT.format(number), os.O_WRONLY | os.O_CREAT, 0o644)
        os.ftruncate(self._file, length)
        os.lseek(self._file, length, os.SEEK_SET)
        self._number, self._length = number, length
        if self._sync:
            folder = os.open(self._folder, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)


def lock_folder(folder: Path) -> IO[str]:
    """Take the lock of a state folder, until the result is closed; raises :class:`StateError` when it is in use."""
    try:
        lock = (folder / "lock").open("a")
    except OSError as error:
        raise StateError(
            f"state folder {folder}: {error.strerror}; choose a folder that can be written"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise StateError(
            f"state folder {folder} is in use by another samewire; stop it or use another folder"
        ) from error
    return lock


def segment_files(folder: Path) -> list[Path]:
    """Return the journal's files, oldest first."""
    return sorted(folder.glob("journal-*.swj"))


def segment_number(path: Path) -> int:
    """Return a segment's number."""
    return int(path.stem.removeprefix("journal-"))


def read_mark(folder: Path) -> tuple[int, int] | None:
    """Return the number and committed length of the newest segment, if any was marked."""
    path = folder / "mark"
    content = path.read_bytes() if path.exists() else b""
    if not content:
        return None
    if len(content) != _MARK.size:
        raise StateError(f"{path} is damaged; restore the state from a copy or start a new one")
    magic, number, length, checksum = _MARK.unpack(content)
    if magic != _MARK_MAGIC or zlib.crc32(struct.pack("<QQ", number, length)) != checksum:
        raise StateError(f"{path} fails its checksum; restore the state from a copy or start a new one")
    return number, length


def read_records(path: Path, torn_from: int | None) -> Iterator[tuple[bytes, int]]:
    """Yield (record, offset of its end) of a segment.

    ``torn_from``: from this offset on a record that is cut short was being written and
    ends the segment; ``None``: every record must be whole.
    """
    with path.open("rb") as file:
        offset = 0
        size = path.stat().st_size
        if torn_from is not None and size < torn_from:
            raise StateError(
                f"{path} is shorter than what was committed; restore the state from a copy or start a new one"
            )
        while offset < size:
            prefix = file.read(PREFIX_BYTES)
            length = record_length(MAGIC, prefix) if len(prefix) == PREFIX_BYTES else None
            if length is None or offset + length > size:
                if torn_from is not None and offset >= torn_from:
                    return
                raise StateError(f"{path} is cut short; restore the state from a copy or start a new one")
            record = prefix + file.read(length - PREFIX_BYTES)
            offset += length
            yield record, offset


def read_state(
    folder: Path, fingerprint: str | None = None, with_about: bool = True
) -> Iterator[tuple[Change, dict[str, Any]]]:
    """Yield a state's committed records without touching it, also while a worker runs."""
    segments = segment_files(folder)
    if not segments:
        raise StateError(
            f"{folder} holds no samewire state; give the folder that `samewire run --state` made"
        )
    for path in segments:
        for record, _ in read_records(path, torn_from=0 if path == segments[-1] else None):
            yield decode(record, fingerprint, with_about)


def read_committed(folder: Path, after: Place = START) -> Iterator[tuple[Place, bytes]]:
    """Yield the records that the state's mark vouches for, each with where it ends, while a worker may run.

    Raises :class:`StateError` when there is no state, or for damage.
    """
    marked = read_mark(folder)
    if marked is None:
        raise StateError(
            f"{folder} holds no samewire state; give the folder that `samewire run --state` made"
        )
    last, committed = marked
    with ExitStack() as stack:
        files = []
        # All at once: what is open stays readable when the worker deletes it as no longer needed.
        for path in segment_files(folder):
            if after.segment <= segment_number(path) <= last:
                with suppress(FileNotFoundError):
                    files.append((path, stack.enter_context(path.open("rb"))))
        for path, file in files:
            number = segment_number(path)
            offset = after.offset if number == after.segment else 0
            end = committed if number == last else os.fstat(file.fileno()).st_size
            file.seek(offset)
            while offset < end:
                prefix = file.read(PREFIX_BYTES)
                length = record_length(MAGIC, prefix) if len(prefix) == PREFIX_BYTES else None
                if length is None or offset + length > end:
                    raise StateError(f"{path} is cut short; restore the state from a copy or start a new one")
                offset += length
                yield Place(number, offset), prefix + file.read(length - PREFIX_BYTES)
