"""The change that a batch will write, while the batch is being matched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.arrays import I64, U64
from pipeline.changelog import Change
from pipeline.life import Kill, Stamp
from pipeline.sketch import Sketches
from pipeline.store import Store
from pipeline.verify import NEW


@dataclass(slots=True)
class Draft:
    """What a batch has done so far; articles by ordinal.

    ``first``: the batch's first article. ``ids`` and ``positions``: the articles that entered the
    window, and where in the batch they came. ``merge_names`` and ``merge_positions``: one array a run.

    About articles that were there before: ``removed``: who was withdrawn. ``stamped``: who got a
    newer stamp and no other change. ``parted``: the members of clusters that came apart.
    ``renamed``: the new names of those that left with a part. ``touched``: a member of each cluster that
    lost one. ``kills``: by article id, ``kill_about``: what readers of the state are told of them.
    ``splits``: cluster, new part, and the id of the article that held them together. ``heirs``: cluster,
    the one that a correction left empty to join it, and the correction's id.
    """

    first: int
    ids: list[str] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    matched_ids: list[str] = field(default_factory=list)
    merge_names: list[U64] = field(default_factory=list)
    merge_positions: list[I64] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    stamped: dict[int, Stamp] = field(default_factory=dict)
    parted: set[int] = field(default_factory=set)
    renamed: dict[int, int] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    kills: dict[str, Kill] = field(default_factory=dict)
    kill_about: dict[str, str] = field(default_factory=dict)
    splits: list[tuple[int, int, str]] = field(default_factory=list)
    heirs: list[tuple[int, int, str]] = field(default_factory=list)

    def grown_rows(self, store: Store) -> I64:
        """Return the rows of the clusters that an article of this batch joined."""
        slots = store.window.slots
        places = self._places(store)
        rows = slots.row[places[slots.relation[places] != NEW]]
        return np.unique(rows[rows >= 0]).astype(np.int64)

    def change(self, fingerprint: str, store: Store, sketches: Sketches, about: Sequence[str]) -> Change:
        """Return what to log, as it stands before articles expire behind the batch."""
        window = store.window
        slots, rows = window.slots, window.rows
        places = self._places(store)
        kept = sketches if len(self.ids) == len(sketches) else sketches.select(self.positions)
        row = slots.row[places]
        inside = row >= 0
        marks = [store.marks.get(self.first + n, "") for n in range(len(self.ids))] if store.marks else []
        return Change(
            fingerprint=fingerprint,
            first=self.first,
            opened=window.open,
            watermark_ms=store.watermark_ms,
            ids=self.ids,
            time=slots.time[places],
            tokens=kept.tokens,
            ends=kept.ends,
            name=slots.name[places],
            relation=slots.relation[places],
            score=slots.score[places],
            matched_ids=self.matched_ids,
            founded=np.where(inside, rows.founded[row], 0),
            earliest=np.where(inside, rows.earliest[row], 0),
            size=np.where(inside, rows.size[row], 0),
            cluster=np.where(inside, rows.name[row], np.uint64(0)),
            version=slots.version[places],
            updated=slots.updated[places],
            marks=marks if any(marks) else [],
            merge_names=np.concatenate([np.empty((0, 2), np.uint64), *self.merge_names]),
            merge_positions=np.concatenate([np.empty(0, np.int64), *self.merge_positions]),
            about=[about[p] for p in self.positions] if len(about) else [],
        )

    def seal(self, change: Change, store: Store) -> None:
        """Add what has become of older articles, after the batch's last step."""
        window = store.window
        slots, rows = window.slots, window.rows
        change.opened = window.open
        change.removed = np.array(self.removed, np.int64)
        change.stamped = np.array(list(self.stamped), np.int64)
        change.stamps = np.array(list(self.stamped.values()), np.int64).reshape(-1, 2)
        moved = np.array(sorted(self.parted), np.int64)
        moved = moved[moved >= window.first]
        to = slots.row[moved & (window.capacity - 1)]
        change.moved, change.moved_to = moved[to >= 0], rows.name[to[to >= 0]]
        change.renamed = np.array(list(self.renamed), np.int64)
        change.renamed_to = np.array(list(self.renamed.values()), np.uint64)
        touched = np.array(sorted(self.touched | self.parted), np.int64)
        touched = touched[touched >= window.first]
        shaped = slots.row[touched & (window.capacity - 1)]
        shaped = np.unique(shaped[shaped >= 0])
        change.shape_names = rows.name[shaped]
        change.shapes = np.stack(
            (rows.founded[shaped], rows.earliest[shaped], rows.latest[shaped], rows.size[shaped]), axis=1
        )
        change.bonded = np.array(list(store.bonded), np.int64)
        change.bonds = np.array(list(store.bonded.values()), np.int64)
        store.bonded.clear()
        change.kill_ids = list(self.kills)
        kills = self.kills.values()
        change.kills = np.array([(k.through, k.since_ms, k.ordinal) for k in kills], np.int64).reshape(-1, 3)
        change.kill_clusters = np.array([k.cluster for k in kills], np.uint64)
        change.kill_about = [self.kill_about[article_id] for article_id in self.kills]
        change.split_names = np.array([names for *names, _ in self.splits], np.uint64).reshape(-1, 2)
        change.split_by = [article_id for *_, article_id in self.splits]
        change.heir_names = np.array([names for *names, _ in self.heirs], np.uint64).reshape(-1, 2)
        change.heir_by = [article_id for *_, article_id in self.heirs]

    def _places(self, store: Store) -> I64:
        window = store.window
        return np.arange(self.first, window.next) & (window.capacity - 1)
