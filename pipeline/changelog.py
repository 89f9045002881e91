"""The matcher's state as records: one for each batch, from which it can be folded again.

A record holds the tokens of the batch's articles and what was decided about them, not
how: folding needs no comparison of texts. Records of articles that have left the
window can be dropped from the front; what is left folds into a valid state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.columns import check_fingerprint, pack, unpack

MAGIC = b"SWCL"
_IN_HEADER = ("fingerprint", "first", "opened", "watermark_ms")


@dataclass(slots=True)
class Change:
    """One batch of changes to a matcher.

    ``first``: ordinal of the batch's first article. ``opened``: the oldest article
    that could be linked to afterwards. ``watermark_ms``: the newest event time.
    By article: ``ids``, ``time`` (ms), ``tokens`` and ``ends``, the answer (``name``,
    ``relation``, ``score``, ``matched_ids``), the article's ``cluster`` after the whole
    batch with its ``founded``, ``earliest`` and ``size`` (0: outside every cluster),
    ``about`` (JSON for readers of the state; not used for matching). ``merge_names``:
    (surviving, lost) ``[m, 2]``, at ``merge_positions`` in the batch.
    """

    fingerprint: str
    first: int
    opened: int
    watermark_ms: int
    ids: Sequence[str]
    time: npt.NDArray[np.int64]
    tokens: npt.NDArray[np.uint32]
    ends: npt.NDArray[np.int64]
    name: npt.NDArray[np.uint64]
    relation: npt.NDArray[np.uint8]
    score: npt.NDArray[np.uint16]
    matched_ids: Sequence[str]
    founded: npt.NDArray[np.int64]
    earliest: npt.NDArray[np.int64]
    size: npt.NDArray[np.int64]
    cluster: npt.NDArray[np.uint64]
    merge_names: npt.NDArray[np.uint64]
    merge_positions: npt.NDArray[np.int64]
    about: Sequence[str] = field(default_factory=list)


_COLUMNS = tuple(f.name for f in fields(Change) if f.name not in _IN_HEADER)


def encode(change: Change, extra: dict[str, Any] | None = None) -> bytes:
    """Return a change as bytes; ``extra`` (JSON) travels in the header."""
    header = {name: getattr(change, name) for name in _IN_HEADER}
    return pack(MAGIC, {**header, "extra": extra or {}}, {name: getattr(change, name) for name in _COLUMNS})


def decode(
    record: bytes | memoryview, fingerprint: str | None = None, with_about: bool = True
) -> tuple[Change, dict[str, Any]]:
    """Return a change and its extra header; without ``about`` it is read faster.

    Raises :class:`pipeline.errors.StateError` for damage and
    :class:`pipeline.errors.FingerprintError` when the record was written by an engine
    other than ``fingerprint``.
    """
    header, columns = unpack(MAGIC, record, () if with_about else ("about",))
    check_fingerprint(header["fingerprint"], fingerprint)
    extra = header.pop("extra")
    columns["merge_names"] = columns["merge_names"].reshape(-1, 2)
    return Change(**header, **columns), extra
