"""The one binary format of samewire: a JSON header and columns, with a checksum.

Layout: magic (4 bytes) | version u16 | crc32 of what follows u32 | its length u32 |
header length u32 | header (JSON) | columns, back to back. Numbers are little-endian
arrays, lists of strings are JSON. Reading runs no code.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import zstandard

from pipeline.errors import FingerprintError, StateError

VERSION = 2
_PREFIX = struct.Struct("<4sHII")
PREFIX_BYTES = _PREFIX.size
_TEXT = "text"
_PACKED_TEXT = "text+zstd"
_MAX_TEXT_BYTES = 1 << 30
_WORTH_PACKING_BYTES = 1 << 14
_REMEDY = "restore it from a copy or start again from the stream"

Column = npt.NDArray[np.generic] | Sequence[str]


def pack(magic: bytes, header: Mapping[str, Any], columns: Mapping[str, Column]) -> bytes:
    """Return a record of ``columns``: arrays of numbers, or lists of strings."""
    table: list[tuple[str, str, int]] = []
    pieces: list[bytes] = []
    for name, column in columns.items():
        if isinstance(column, np.ndarray):
            little = np.ascontiguousarray(column, dtype=column.dtype.newbyteorder("<"))
            kind, raw = little.dtype.str, little.tobytes()
        else:
            kind, raw = _TEXT, orjson.dumps(list(column))
            if len(raw) > _WORTH_PACKING_BYTES:
                kind, raw = _PACKED_TEXT, zstandard.compress(raw, 1)
        table.append((name, kind, len(raw)))
        pieces.append(raw)
    head = orjson.dumps({**header, "columns": table})
    body = b"".join((struct.pack("<I", len(head)), head, *pieces))
    return _PREFIX.pack(magic, VERSION, zlib.crc32(body), len(body)) + body


def unpack(
    magic: bytes, record: bytes | memoryview, without: Collection[str] = ()
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the header and columns of a record; raises :class:`StateError` when it is damaged.

    Columns named in ``without`` are checked but not read: they come back as empty lists.
    """
    view = memoryview(record)
    if len(view) < PREFIX_BYTES + 4:
        raise StateError(f"record is cut short; {_REMEDY}")
    length = record_length(magic, view[:PREFIX_BYTES])
    checksum = _PREFIX.unpack_from(view)[2]
    body = view[PREFIX_BYTES:]
    if length != len(view) or zlib.crc32(body) != checksum:
        raise StateError(f"record fails its checksum; {_REMEDY}")
    (head_length,) = struct.unpack_from("<I", body)
    header: dict[str, Any] = orjson.loads(body[4 : 4 + head_length])
    columns: dict[str, Any] = {}
    offset = 4 + head_length
    for name, kind, size in header.pop("columns"):
        raw = body[offset : offset + size]
        if name in without:
            columns[name] = []
        elif kind == _TEXT:
            columns[name] = orjson.loads(raw)
        elif kind == _PACKED_TEXT:
            columns[name] = orjson.loads(zstandard.decompress(raw, max_output_size=_MAX_TEXT_BYTES))
        else:
            # a copy, because kernels would be compiled once more for read-only arrays
            columns[name] = np.frombuffer(raw, dtype=kind).copy()
        offset += size
    return header, columns


def record_length(magic: bytes, prefix: bytes | memoryview) -> int | None:
    """Return the length of the record that begins with ``prefix`` (:data:`PREFIX_BYTES`).

    ``None`` when it holds only zeros, as a file's end can after a power failure.
    Raises :class:`StateError` when no record of this kind and version begins so.
    """
    found, version, _, length = _PREFIX.unpack(prefix)
    if found == magic and version == VERSION:
        return PREFIX_BYTES + int(length)
    if not any(prefix):
        return None
    if found == magic:
        raise StateError(
            f"record has format version {version}, this samewire reads {VERSION}; use the samewire that wrote it"
        )
    raise StateError(f"record does not begin with {magic!r}; check the path or topic, or {_REMEDY}")


def check_fingerprint(found: str, expected: str | None) -> None:
    """Raise :class:`FingerprintError` when ``found`` is not the ``expected`` engine (None: any)."""
    if expected is not None and found != expected:
        raise FingerprintError(
            f"this was made by engine {found}, but engine {expected} is running: their answers must not be mixed. "
            "Run the version and settings that made it, or start a new state and feed it the stream again"
        )
