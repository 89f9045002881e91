"""Where articles come from in the embedded run: files, a spool folder, standard input.

A position is a file's key and a byte offset into its decompressed content, so that a
run can go on where a lost one stopped.
"""

from __future__ import annotations

import gzip
import io
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import structlog
import zstandard

from pipeline.errors import InputError

log = structlog.get_logger()

STDIN = "-"
_CHUNK_BYTES = 1 << 20
# Names that writers use for files that are not finished yet.
_UNFINISHED = (".tmp", ".part", ".partial", ".swp")
_SUFFIXES = (
    ".jsonl",
    ".ndjson",
    ".json",
    ".txt",
    ".jsonl.gz",
    ".ndjson.gz",
    ".json.gz",
    ".jsonl.zst",
    ".ndjson.zst",
    ".json.zst",
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of input, without its end. ``offset``/``end``: bytes in the decompressed file.

    ``cut``: the line was longer than the limit; ``content`` is its beginning.
    """

    source: str
    number: int
    offset: int
    end: int
    content: bytes
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """How far a source has been read: byte offset and number of lines."""

    offset: int = 0
    lines: int = 0


def open_source(path: Path) -> tuple[IO[bytes], IO[bytes]]:
    """Open a file by its suffix; returns the decompressed stream and the raw file."""
    raw = path.open("rb")
    if path.suffix == ".gz":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=raw)), raw
    if path.suffix == ".zst":
        return io.BufferedReader(_ZstdStream(raw), _CHUNK_BYTES), raw
    return raw, raw


class _ZstdStream(io.RawIOBase):
    """Decompresses frames; unlike zstandard's own reader it raises EOFError when the last one is cut short."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._compressed = b""
        self._content = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._content:
            if not self._compressed:
                self._compressed = self._raw.read(_CHUNK_BYTES)
                if not self._compressed:
                    if self._frame is not None:
                        raise EOFError("the last zstd frame is cut short")
                    return 0
            if self._frame is None:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._content = memoryview(self._frame.decompress(self._compressed))
            self._compressed = self._frame.unused_data
            if self._frame.eof:
                self._frame = None
        length = min(len(buffer), len(self._content))
        buffer[:length] = self._content[:length]
        self._content = self._content[length:]
        return length


class Reader:
    """Reads the lines of an input, from the positions of an earlier run on.

    ``on_progress`` is called with the compressed bytes read so far.
    """

    def __init__(
        self,
        location: str,
        *,
        follow: bool,
        max_line_bytes: int,
        poll_seconds: float,
        positions: Mapping[str, Position] | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self.location = location
        self.follow = follow
        self._max_line_bytes = max_line_bytes
        self._poll_seconds = poll_seconds
        self._positions = dict(positions or {})
        self._stopped = stopped
        self.bytes_read = 0
        if location != STDIN and not Path(location).exists():
            raise InputError(f"input {location} does not exist; check the path given to --input")

    @property
    def total_bytes(self) -> int | None:
        """Size of the input on disk, where that is known."""
        if self.location == STDIN or self.follow:
            return None
        return sum(path.stat().st_size for path in self._files())

    def _files(self) -> list[Path]:
        path = Path(self.location)
        if not path.is_dir():
            return [path]
        return sorted(
            p
            for p in path.iterdir()
            if p.is_file()
            and not p.name.startswith(".")
            and not p.name.endswith(_UNFINISHED)
            and p.name.endswith(_SUFFIXES)
        )

    def lines(self) -> Iterator[Line | None]:
        """Yield lines; ``None`` where nothing more is there at the moment (time to commit)."""
        if self.location == STDIN:
            yield from self._read(STDIN, sys.stdin.buffer, None, Position())
            return
        while True:
            progressed = False
            for path in self._files():
                for line in self._read_file(path):
                    progressed = progressed or line is not None
                    yield line
                    if self._stopped():
                        return
            if not self.follow or self._stopped():
                return
            if not progressed:
                yield None
                time.sleep(self._poll_seconds)

    def _read_file(self, path: Path) -> Iterator[Line | None]:
        key = str(path.resolve())
        position = self._positions.get(key, Position())
        try:
            if self.follow and path.suffix not in (".gz", ".zst") and path.stat().st_size <= position.offset:
                return
            if self.follow and path.suffix in (".gz", ".zst") and position.offset:
                return  # compressed files arrive whole
            stream, raw = open_source(path)
        except OSError as error:
            raise InputError(f"input {path}: {error.strerror}; check that it is readable") from error
        before = self.bytes_read
        with raw:
            try:
                for line in self._read(key, stream, raw, position):
                    if line is not None:
                        self._positions[key] = Position(line.end, line.number)
                    self.bytes_read = before + raw.tell()
                    yield line
            except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
                raise InputError(
                    f"input {path} cannot be read to its end: {error}; what was read is kept, repair the file and run again"
                ) from error

    def _read(
        self, key: str, stream: IO[bytes], raw: IO[bytes] | None, start: Position
    ) -> Iterator[Line | None]:
        offset, number = start.offset, start.lines
        if offset:
            _skip(stream, offset, raw)
        pending = b""
        dropped = 0  # bytes of an overlong line that were let go
        read = getattr(stream, "read1", stream.read)
        while True:
            chunk = read(_CHUNK_BYTES)
            if not chunk:
                break
            pieces = (pending + chunk).split(b"\n")
            pending = pieces.pop()
            for piece in pieces:
                end = offset + dropped + len(piece) + 1
                number += 1
                if piece.strip() or dropped:
                    kept = piece[: self._max_line_bytes] if dropped else piece
                    yield Line(key, number, offset, end, kept, cut=dropped > 0)
                offset, dropped = end, 0
            if len(pending) > self._max_line_bytes:
                # Keep the beginning; the rest of the line only moves the position.
                dropped += len(pending) - self._max_line_bytes
                pending = pending[: self._max_line_bytes]
            if raw is None or self.follow:
                yield None
        # A followed file's last line may still be written; elsewhere it is complete.
        if (pending.strip() or dropped) and not (self.follow and raw is stream):
            kept = pending[: self._max_line_bytes] if dropped else pending
            yield Line(key, number + 1, offset, offset + dropped + len(pending), kept, cut=dropped > 0)


def _skip(stream: IO[bytes], offset: int, raw: IO[bytes] | None) -> None:
    if stream is raw:
        stream.seek(offset)
        return
    left = offset
    while left:
        chunk = stream.read(min(left, _CHUNK_BYTES))
        if not chunk:
            return
        left -= len(chunk)
