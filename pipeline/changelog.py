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

from pipeline.arrays import I64, U64
from pipeline.columns import check_fingerprint, pack, unpack

MAGIC = b"SWCL"
_IN_HEADER = ("fingerprint", "first", "opened", "watermark_ms")


def _no_numbers() -> I64:
    return np.empty(0, np.int64)


def _no_names() -> U64:
    return np.empty(0, np.uint64)


@dataclass(slots=True)
class Change:
    """One batch of changes to a matcher.

    ``first``: ordinal of the batch's first article. ``opened``: the oldest article
    that could be linked to afterwards. ``watermark_ms``: the newest event time.
    By article: ``ids``, ``time`` (ms), ``tokens`` and ``ends``, the answer (``name``,
    ``relation``, ``score``, ``matched_ids``), the article's ``cluster`` after the whole
    batch with its ``founded``, ``earliest`` and ``size`` (0: outside every cluster),
    ``version`` and ``updated`` (its stamp), ``marks`` (JSON that is published with the answer),
    ``about`` (JSON for readers of the state; not used for matching). ``merge_names``:
    (surviving, lost) ``[m, 2]``, at ``merge_positions`` in the batch.

    What happened to articles, of this batch or before it (:mod:`pipeline.removal`), by ordinal:
    ``removed``; ``stamped`` with (version, update time) in ``stamps`` ``[k, 2]``; ``moved``
    to the clusters ``moved_to``, of which ``renamed`` were told so (``renamed_to``); ``bonded`` by the
    numbers ``bonds``. ``shape_names`` and ``shapes`` ``[c, 4]``: founded, earliest, latest, size of
    clusters that lost members. ``kill_ids`` and ``kills`` ``[q, 3]``: last version, watermark, next ordinal;
    ``kill_clusters``: the clusters they were taken from. For readers of the state: ``kill_about`` (JSON:
    when and why); ``split_names`` (kept, new) ``[s, 2]`` with the articles ``split_by`` whose leaving did it;
    ``heir_names`` (joined, emptied) ``[h, 2]`` where a correction ``heir_by`` was the last to leave a cluster.
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
    version: npt.NDArray[np.int32]
    updated: npt.NDArray[np.int64]
    marks: Sequence[str]
    merge_names: npt.NDArray[np.uint64]
    merge_positions: npt.NDArray[np.int64]
    about: Sequence[str] = field(default_factory=list)
    removed: I64 = field(default_factory=_no_numbers)
    stamped: I64 = field(default_factory=_no_numbers)
    stamps: I64 = field(default_factory=lambda: _no_numbers().reshape(0, 2))
    moved: I64 = field(default_factory=_no_numbers)
    moved_to: U64 = field(default_factory=_no_names)
    renamed: I64 = field(default_factory=_no_numbers)
    renamed_to: U64 = field(default_factory=_no_names)
    bonded: I64 = field(default_factory=_no_numbers)
    bonds: I64 = field(default_factory=_no_numbers)
    shape_names: U64 = field(default_factory=_no_names)
    shapes: I64 = field(default_factory=lambda: _no_numbers().reshape(0, 4))
    kill_ids: Sequence[str] = field(default_factory=list)
    kills: I64 = field(default_factory=lambda: _no_numbers().reshape(0, 3))
    kill_clusters: U64 = field(default_factory=_no_names)
    kill_about: Sequence[str] = field(default_factory=list)
    split_names: U64 = field(default_factory=lambda: _no_names().reshape(0, 2))
    split_by: Sequence[str] = field(default_factory=list)
    heir_names: U64 = field(default_factory=lambda: _no_names().reshape(0, 2))
    heir_by: Sequence[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether folding it changes nothing."""
        told = (self.ids, self.removed, self.stamped, self.bonded, self.kill_ids)
        return not any(len(column) for column in told)


_COLUMNS = tuple(f.name for f in fields(Change) if f.name not in _IN_HEADER)
_WIDTHS = {"merge_names": 2, "stamps": 2, "shapes": 4, "kills": 3, "split_names": 2, "heir_names": 2}
# Most batches have none of these.
_SELDOM = frozenset(
    {
        *("marks", "removed", "stamped", "stamps", "moved", "moved_to", "bonded", "bonds"),
        *("renamed", "renamed_to"),
        *("shape_names", "shapes", "kill_ids", "kills", "kill_clusters"),
        *("kill_about", "split_names", "split_by", "heir_names", "heir_by"),
    }
)


def encode(change: Change, extra: dict[str, Any] | None = None) -> bytes:
    """Return a change as bytes; ``extra`` (JSON) travels in the header."""
    header = {name: getattr(change, name) for name in _IN_HEADER}
    columns = {name: getattr(change, name) for name in _COLUMNS}
    columns = {name: column for name, column in columns.items() if len(column) or name not in _SELDOM}
    return pack(MAGIC, {**header, "extra": extra or {}}, columns)


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
    for name, width in _WIDTHS.items():
        if name in columns:
            columns[name] = columns[name].reshape(-1, width)
    columns.setdefault("marks", [])
    return Change(**header, **columns), extra
