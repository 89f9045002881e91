"""States made by hand: records with any clusters, merges and contents, without an engine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from pipeline.changelog import Change
from pipeline.hashing import identity64
from pipeline.verify import RELATIONS
from workers.journal import Journal

ENGINE = "sw1-000000000000"
START_MS = 1_773_100_800_000  # 10 March 2026
MINUTE_MS = 60_000


@dataclass(frozen=True)
class Item:
    """An article and what was decided about it; ``cluster``: the id of its founding article."""

    id: str
    cluster: str
    minute: float = 0
    relation: str = "new"
    matched_id: str = ""
    score: float = 0.0
    title: str = ""
    text: str | None = ""
    source: str = "Gazette"
    lang: str = "en"
    url: str = ""
    merges: Sequence[tuple[str, str]] = ()
    """Pairs (surviving, lost) of founding articles, which this article joined."""


def change_of(items: Sequence[Item], first: int = 1, engine: str = ENGINE) -> Change:
    """Return the record of a batch."""
    merges = [(at, pair) for at, item in enumerate(items) for pair in item.merges]
    names = np.array([identity64(item.cluster) for item in items], np.uint64)
    count = len(items)
    return Change(
        fingerprint=engine,
        first=first,
        opened=1,
        watermark_ms=START_MS,
        ids=[item.id for item in items],
        time=np.array([START_MS + int(item.minute * MINUTE_MS) for item in items], np.int64),
        tokens=np.arange(count, dtype=np.uint32) << np.uint32(8),
        ends=np.arange(1, count + 1, dtype=np.int64),
        name=names,
        relation=np.array([RELATIONS.index(item.relation) for item in items], np.uint8),
        score=np.array([round(item.score * 10_000) for item in items], np.uint16),
        matched_ids=[item.matched_id for item in items],
        founded=np.zeros(count, np.int64),
        earliest=np.zeros(count, np.int64),
        size=np.ones(count, np.int64),
        cluster=names,
        version=np.zeros(count, np.int32),
        updated=np.full(count, -1, np.int64),
        marks=[],
        merge_names=np.array([[identity64(a), identity64(b)] for _, (a, b) in merges], np.uint64).reshape(
            -1, 2
        ),
        merge_positions=np.array([at for at, _ in merges], np.int64),
        about=[_about(item) for item in items],
    )


def _about(item: Item) -> str:
    fields: dict[str, Any] = {"title": item.title, "source": item.source, "lang": item.lang, "url": item.url}
    if item.text is not None:
        fields["text"] = item.text
    return orjson.dumps(fields).decode()


def changes_of(batches: Iterable[Sequence[Item]], engine: str = ENGINE) -> list[Change]:
    """Return the records of batches, one after the other."""
    changes = []
    first = 1
    for items in batches:
        changes.append(change_of(items, first, engine))
        first += len(items)
    return changes


class Writer:
    """A worker that writes records into a state folder, and holds its lock."""

    def __init__(self, folder: Path, segment_bytes: int = 1 << 26) -> None:
        self.folder = folder
        self.first = 1
        self._closed = False
        self._journal = Journal(folder, segment_bytes, sync=False)
        for change, _ in self._journal.restore(ENGINE):
            self.first = change.first + len(change.ids)

    def write(self, items: Sequence[Item], oldest_kept: int = 1) -> None:
        """Append one batch."""
        extra: dict[str, Any] = {"positions": {}, "lengths": {}}
        self._journal.append(change_of(items, self.first), extra, oldest_kept)
        self.first += len(items)

    def close(self) -> None:
        """Give the lock back; once more does nothing."""
        if not self._closed:
            self._journal.close()
        self._closed = True


def write_state(folder: Path, *batches: Sequence[Item]) -> Path:
    """Make a state folder of batches."""
    writer = Writer(folder)
    for items in batches:
        writer.write(items)
    writer.close()
    return folder
