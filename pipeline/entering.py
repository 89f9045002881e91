"""Letting new articles into the window: they are matched, they found or join clusters, they are answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import repeat

import numpy as np

from pipeline.answers import Answer, ClusterEvent, from_columns
from pipeline.arrays import I64, U8, U64
from pipeline.draft import Draft
from pipeline.life import Notices
from pipeline.matching import CANDIDATES, CHECKS, COUNTERS, CUT_BUCKETS, LINKS, Batch, match_batch
from pipeline.sketch import Sketches
from pipeline.store import Store, overwrite
from pipeline.verify import NEW, RELATIONS

MAX_BUCKET_WALK = 128
"""Members of one bucket that a query looks at, newest first; beyond it the bucket is hot."""


@dataclass(slots=True)
class Counters:
    """What a batch did, for metrics."""

    candidates: int = 0
    checks: int = 0
    links: int = 0
    cut_buckets: int = 0
    repeated: int = 0
    late: int = 0
    evicted_early: int = 0
    corrected: int = 0
    conflicts: int = 0
    kills: int = 0
    kills_early: int = 0
    kills_forgotten: int = 0


@dataclass(slots=True)
class Run:
    """A batch on its way in, and what has come of it so far.

    ``ids``, ``time`` (ms), ``sketches`` and ``notices``: the batch as it came.
    """

    store: Store
    ids: Sequence[str]
    time: I64
    sketches: Sketches
    notices: Notices
    draft: Draft
    events: list[ClusterEvent] = field(default_factory=list)
    counters: Counters = field(default_factory=Counters)

    def enter(self, positions: Sequence[int], names: U64, late: U8) -> I64:
        """Let the articles at these positions into the window; returns their slots."""
        store, draft, notices = self.store, self.draft, self.notices
        window, slots, rows = store.window, store.window.slots, store.window.rows
        whole = len(positions) == len(self.sketches)
        sketches = self.sketches if whole else self.sketches.select(positions)
        time = self.time[positions]
        ids = list(self.ids) if whole else [self.ids[p] for p in positions]
        marks = notices.marks if whole else [notices.marks[p] for p in positions]
        first = window.next
        places = store.fill(ids, time, sketches, notices.version[positions], notices.updated_ms[positions])
        most_merges = window.capacity - int(rows.free_count[0]) + len(ids) + 1
        batch = Batch(
            names=names,
            late=late,
            matched=np.zeros(len(ids), np.int64),
            merge_names=np.empty((most_merges, 2), np.uint64),
            merge_facts=np.empty((most_merges, 4), np.int64),
            counters=np.zeros(COUNTERS, np.int64),
        )
        merges = match_batch(
            first,
            window.next,
            window.open,
            store.rules.window_ms,
            MAX_BUCKET_WALK,
            window.heads,
            window.arena,
            slots,
            rows,
            store.workspace,
            batch,
        )
        self._count(batch)
        merged_ids = self._merged(batch.merge_names[:merges], batch.merge_facts[:merges], ids)
        self.events += merged_ids
        matched_ids = [""] * len(ids)
        for place in np.flatnonzero(batch.matched).tolist():
            matched_ids[place] = store.ids[window.slot(int(batch.matched[place]))]
        overwrite(store.matched, window.slot(first), matched_ids)
        if any(marks):
            store.marks |= {first + place: mark for place, mark in enumerate(marks) if mark}
        self._rename(places, batch.merge_names[:merges, 1])
        draft.merge_positions.append(batch.merge_facts[:merges, 0] + len(draft.ids))
        draft.merge_names.append(batch.merge_names[:merges].copy())
        draft.ids += ids
        draft.positions += positions
        draft.matched_ids += matched_ids
        if len(time):
            store.watermark_ms = max(store.watermark_ms, int(time.max()))
        return places

    def late(self, time: I64) -> U8:
        """Return 1 where an article is too far behind the newest one before it."""
        lateness = self.store.rules.max_lateness_ms
        if lateness is None or not len(time):
            return np.zeros(len(time), np.uint8)
        newest = np.maximum.accumulate(np.concatenate(([self.store.watermark_ms], time[:-1])))
        return (time < newest - lateness).astype(np.uint8)

    def answered(self, positions: Sequence[int], places: I64) -> list[Answer]:
        """Return the answers to the articles at these positions, which are in these slots."""
        slots, matched, marks = self.store.window.slots, self.store.matched, self.notices.marks
        columns = (
            [self.ids[position] for position in positions],
            slots.name[places].tolist(),
            [RELATIONS[relation] for relation in slots.relation[places].tolist()],
            slots.score[places].tolist(),
            [matched[slot] or None for slot in places.tolist()],
            slots.time[places].tolist(),
            (slots.row[places] < 0).tolist(),
            repeat(False),  # repeated
            slots.version[places].tolist(),
            repeat(None),  # replaces
            repeat(False),  # conflict
            repeat(False),  # moved
            [marks[position] for position in positions],
        )
        return from_columns(Answer, *columns)

    def _rename(self, places: I64, lost: U64) -> None:
        """Keep the names of the clusters that a run founded or merged."""
        slots, rows, names = self.store.window.slots, self.store.window.rows, self.store.names
        for name in lost.tolist():
            names.pop(name, None)
        changed = slots.row[places] if len(lost) else slots.row[places[slots.relation[places] == NEW]]
        changed = changed[changed >= 0]
        names.update(zip(rows.name[changed].tolist(), changed.tolist(), strict=True))

    def _count(self, batch: Batch) -> None:
        counters = self.counters
        counters.late += int(batch.late.sum())
        counters.candidates += int(batch.counters[CANDIDATES])
        counters.checks += int(batch.counters[CHECKS])
        counters.links += int(batch.counters[LINKS])
        counters.cut_buckets += int(batch.counters[CUT_BUCKETS])

    def _merged(self, names: U64, facts: I64, ids: Sequence[str]) -> list[ClusterEvent]:
        return [
            ClusterEvent("merged", survivor, size, earliest, latest, lost, ids[position])
            for (survivor, lost), (position, size, earliest, latest) in zip(
                names.tolist(), facts.tolist(), strict=True
            )
        ]


def founded(answers: Sequence[Answer]) -> list[ClusterEvent]:
    """Return the events of the clusters that new articles founded; a late one's is closed at once."""
    new = [answer for answer in answers if answer.relation == "new"]
    times = [answer.published_ms for answer in new]
    created = from_columns(
        ClusterEvent,
        repeat("created"),
        [answer.cluster for answer in new],
        repeat(1),  # size
        times,
        times,
        repeat(None),  # other
        [answer.article_id for answer in new],
        repeat(None),  # copies
        repeat(0),  # copies_found
    )
    if not any(answer.late for answer in new):
        return created
    events = []
    for answer, event in zip(new, created, strict=True):
        events.append(event)
        if answer.late:
            events.append(event._replace(event="closed", article_id=None))
    return events


def answer_again(store: Store, ordinal: int) -> Answer:
    """Return the answer that an article in the window got."""
    slot = store.window.slot(ordinal)
    slots = store.window.slots
    return Answer(
        store.ids[slot],
        int(slots.name[slot]),
        RELATIONS[slots.relation[slot]],
        int(slots.score[slot]),
        store.matched[slot] or None,
        int(slots.time[slot]),
        repeated=True,
        version=int(slots.version[slot]),
        mark=store.marks.get(ordinal, ""),
    )
