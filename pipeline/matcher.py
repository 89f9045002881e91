"""The matcher: one desk's window, index and clusters, moved forward batch by batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipeline.answers import Answer, ClusterEvent
from pipeline.changelog import Change
from pipeline.clusters import join_all, unite
from pipeline.columns import check_fingerprint
from pipeline.errors import StateError
from pipeline.expiry import expire, free
from pipeline.hashing import identity64
from pipeline.index import link_all
from pipeline.matching import CANDIDATES, CHECKS, COUNTERS, CUT_BUCKETS, LINKS, Batch, Workspace, match_batch
from pipeline.sketch import Sketches, resketch
from pipeline.verify import NEW, RELATIONS
from pipeline.window import NO_ROW, Window, store_tokens

MAX_BUCKET_WALK = 128
"""Members of one bucket that a query looks at, newest first; beyond it the bucket is hot."""

_CLOSE_CHUNK = 4096
_NEVER = -(1 << 62)


@dataclass(frozen=True, slots=True)
class WindowRules:
    """How long articles can be linked.

    ``window_ms``: the greatest distance in event time between linked articles.
    ``max_lateness_ms``: how far behind the newest article one may arrive and still be
    linked; None: any (for archives; then only ``max_articles`` bounds the memory).
    ``max_articles``: when so many are kept, the oldest leave early, which is counted.
    """

    window_ms: int = 7 * 86_400_000
    max_lateness_ms: int | None = 2 * 86_400_000
    max_articles: int = 1 << 20


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


@dataclass(slots=True)
class Matched:
    """The result of a batch: an answer for each article in order, events, the change to log.

    ``grown``: how the clusters that grew stand after the batch, once each.
    """

    answers: list[Answer]
    events: list[ClusterEvent]
    change: Change
    counters: Counters = field(default_factory=Counters)
    grown: list[ClusterEvent] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster as it stands: its name and members in order of event time."""

    name: int
    article_ids: list[str]
    first_ms: int
    last_ms: int


class Matcher:
    """State and logic of *match*. Not thread-safe: one owner."""

    def __init__(self, fingerprint: str, rules: WindowRules | None = None, capacity: int = 0) -> None:
        self.fingerprint = fingerprint
        self.rules = rules if rules is not None else WindowRules()
        self.watermark_ms = _NEVER
        self.window = Window(capacity)
        self._ids: list[str] = [""] * self.window.capacity
        self._matched: list[str] = [""] * self.window.capacity
        self._ordinals: dict[str, int] = {}
        self._workspace = Workspace.empty(self.window.capacity)
        self._rows_by_name: dict[int, int] | None = {}  # only while changes are applied

    def __len__(self) -> int:
        return len(self.window)

    def __contains__(self, article_id: str) -> bool:
        return article_id in self._ordinals

    # --- matching

    def match(
        self, ids: Sequence[str], times: Sequence[int], sketches: Sketches, about: Sequence[str] = ()
    ) -> Matched:
        """Match a batch of articles, in order.

        ``times``: event times in ms. An id that is in the window already (or earlier in
        the batch) is not matched again: it gets the answer that it got before.
        """
        self._rows_by_name = None
        counters = Counters()
        events: list[ClusterEvent] = []
        fresh = self._first_sights(ids)
        fresh_ids = ids if len(fresh) == len(ids) else [ids[p] for p in fresh]
        kept = sketches if len(fresh) == len(ids) else sketches.select(fresh)
        time = np.array(times, np.int64)[fresh]
        # before room is made: an article that came before may have to leave for this batch
        again = (
            {i: self.answer_again(i) for i in set(ids).difference(fresh_ids)} if len(fresh) < len(ids) else {}
        )
        late = self._late(time)
        counters.late = int(late.sum())
        counters.evicted_early = self._make_room(len(fresh), len(kept.tokens), events)

        window, slots, rows = self.window, self.window.slots, self.window.rows
        first = window.next
        places = self._fill(fresh_ids, time, kept)
        in_use = window.capacity - int(rows.free_count[0])
        most_merges = in_use + len(fresh) + 1
        batch = Batch(
            names=np.array([identity64(i) for i in fresh_ids], np.uint64),
            late=late,
            matched=np.zeros(len(fresh), np.int64),
            merge_names=np.empty((most_merges, 2), np.uint64),
            merge_facts=np.empty((most_merges, 4), np.int64),
            counters=np.zeros(COUNTERS, np.int64),
        )
        merges = match_batch(
            first,
            window.next,
            window.open,
            self.rules.window_ms,
            MAX_BUCKET_WALK,
            window.heads,
            window.arena,
            slots,
            rows,
            self._workspace,
            batch,
        )
        merge_names, merge_facts = batch.merge_names[:merges], batch.merge_facts[:merges]
        counters.candidates, counters.checks = int(batch.counters[CANDIDATES]), int(batch.counters[CHECKS])
        counters.links, counters.cut_buckets = int(batch.counters[LINKS]), int(batch.counters[CUT_BUCKETS])

        matched_ids = [self._ids[window.slot(o)] if o else "" for o in batch.matched.tolist()]
        for slot, matched_id in zip(places.tolist(), matched_ids, strict=True):
            self._matched[slot] = matched_id
        answers = self._answers(fresh_ids, places, late)
        events += _creations(answers)
        events += _mergers(fresh_ids, merge_names.tolist(), merge_facts.tolist())
        if len(fresh) < len(ids):
            counters.repeated = len(ids) - len(fresh)
            firsts = set(fresh)
            answers_in_order = iter(answers)
            answers = [
                next(answers_in_order) if p in firsts else again.get(i) or self.answer_again(i)
                for p, i in enumerate(ids)
            ]

        grown = self._growth(slots.row[places[slots.relation[places] != NEW]])
        if len(time):
            self.watermark_ms = max(self.watermark_ms, int(time.max()))
        row = slots.row[places]
        change = Change(
            fingerprint=self.fingerprint,
            first=first,
            opened=window.open,
            watermark_ms=self.watermark_ms,
            ids=list(fresh_ids),
            time=time,
            tokens=kept.tokens,
            ends=kept.ends,
            name=slots.name[places],
            relation=slots.relation[places],
            score=slots.score[places],
            matched_ids=matched_ids,
            founded=np.where(row == NO_ROW, 0, rows.founded[row]),
            earliest=np.where(row == NO_ROW, 0, rows.earliest[row]),
            size=np.where(row == NO_ROW, 0, rows.size[row]),
            cluster=np.where(row == NO_ROW, 0, rows.name[row]),
            merge_names=merge_names.copy(),
            merge_positions=merge_facts[:, 0].copy(),
            about=[about[p] for p in fresh] if about else [],
        )
        if self.rules.max_lateness_ms is not None:
            events += self._expire(self.watermark_ms - self.rules.max_lateness_ms - self.rules.window_ms)
            change.opened = window.open
        return Matched(answers, events, change, counters, grown)

    def close(self) -> Matched:
        """End a finite input: close the clusters that are a window behind the newest article."""
        self._rows_by_name = None
        lateness = self.rules.max_lateness_ms or 0
        events = self._expire(self.watermark_ms - lateness - self.rules.window_ms)
        return Matched([], events, self._empty_change())

    def nothing(self) -> Matched:
        """Return the result of an empty batch, for a commit that carries no articles."""
        return Matched([], [], self._empty_change())

    def answer_again(self, article_id: str) -> Answer:
        """Return the answer that an article in the window got; raises :class:`KeyError`."""
        slot = self.window.slot(self._ordinals[article_id])
        slots = self.window.slots
        return Answer(
            article_id,
            int(slots.name[slot]),
            RELATIONS[slots.relation[slot]],
            int(slots.score[slot]),
            self._matched[slot] or None,
            int(slots.time[slot]),
            repeated=True,
        )

    def event_time(self, article_id: str) -> int | None:
        """Return the event time (ms) under which an article is in the window, if it is."""
        ordinal = self._ordinals.get(article_id)
        return None if ordinal is None else int(self.window.slots.time[self.window.slot(ordinal)])

    def clusters(self) -> Iterator[Cluster]:
        """Yield the clusters in the window, by the event time of their first article."""
        window = self.window
        members: defaultdict[int, list[tuple[int, int, str]]] = defaultdict(list)
        for ordinal in range(window.first, window.next):
            slot = window.slot(ordinal)
            row = int(window.slots.row[slot])
            # a late article has no row: it stands alone under the name that it was given
            key = row if row != NO_ROW else -1 - slot
            members[key].append((int(window.slots.time[slot]), ordinal, self._ids[slot]))
        for key, found in sorted(members.items(), key=lambda item: min(item[1])):
            found.sort()
            name = window.rows.name[key] if key >= 0 else window.slots.name[-1 - key]
            yield Cluster(int(name), [article_id for _, _, article_id in found], found[0][0], found[-1][0])

    # --- folding

    def apply(self, change: Change) -> None:
        """Fold one change into the state, as if its batch had just been matched.

        Raises :class:`StateError` when a change is missing before this one.
        """
        check_fingerprint(change.fingerprint, self.fingerprint)
        window = self.window
        if len(window) == 0 and window.next <= change.first:
            window.first = window.open = window.next = change.first
        if change.first != window.next:
            raise StateError(
                f"the changelog has a gap: article {window.next} is missing, the next record begins at "
                f"{change.first}; restore the state from a copy or start a new one"
            )
        if self._rows_by_name is None:
            self._rows_by_name = self._names_in_use()
        self._expire(_NEVER, min(change.opened, change.first))
        self._make_room(len(change.ids), len(change.tokens), [])
        window, slots, rows = self.window, self.window.slots, self.window.rows
        first = window.next
        places = self._fill(change.ids, change.time, resketch(change.tokens, change.ends))
        slots.name[places] = change.name
        slots.relation[places] = change.relation
        slots.score[places] = change.score
        for slot, matched_id in zip(places.tolist(), change.matched_ids, strict=True):
            self._matched[slot] = matched_id
        link_all(first, window.next, window.heads, slots)
        # Clusters that merged in this batch first; then each article goes where it was at the batch's end.
        for survivor, lost in change.merge_names.tolist():
            self._fold_merge(survivor, lost)
        row = np.array(
            [
                self._row_named(cluster) if size else NO_ROW  # a late article is in no cluster
                for cluster, size in zip(change.cluster.tolist(), change.size.tolist(), strict=True)
            ],
            np.int64,
        )
        join_all(places, row, slots, rows)
        # What a cluster's dropped articles left behind: its age and size.
        inside = row != NO_ROW
        rows.founded[row[inside]] = change.founded[inside]
        rows.earliest[row[inside]] = change.earliest[inside]
        rows.size[row[inside]] = change.size[inside]
        self.watermark_ms = max(self.watermark_ms, change.watermark_ms)
        self._expire(_NEVER, change.opened)

    def _row_named(self, name: int) -> int:
        assert self._rows_by_name is not None
        row = self._rows_by_name.get(name)
        if row is None:
            rows = self.window.rows
            rows.free_count[0] -= 1
            row = int(rows.free[rows.free_count[0]])
            rows.name[row] = name
            rows.members[row] = rows.open[row] = rows.size[row] = 0
            rows.latest[row] = _NEVER
            self._rows_by_name[name] = row
        return row

    def _fold_merge(self, survivor: int, lost: int) -> None:
        assert self._rows_by_name is not None
        slots, rows = self.window.slots, self.window.rows
        # Either may consist of dropped articles alone; then there is nothing to move.
        drop = self._rows_by_name.pop(lost, None)
        if drop is None:
            return
        row = self._rows_by_name.pop(survivor, drop)
        if row != drop:
            row, _, _ = unite(row, drop, slots, rows)
        rows.name[row] = survivor
        self._rows_by_name[survivor] = row

    def _names_in_use(self) -> dict[int, int]:
        window = self.window
        rows = {int(window.slots.row[window.slot(o)]) for o in range(window.first, window.next)}
        return {int(window.rows.name[row]): row for row in rows if row != NO_ROW}

    def _empty_change(self) -> Change:
        none = np.empty(0, np.int64)
        return Change(
            fingerprint=self.fingerprint,
            first=self.window.next,
            opened=self.window.open,
            watermark_ms=self.watermark_ms,
            ids=[],
            time=none,
            tokens=np.empty(0, np.uint32),
            ends=none,
            name=np.empty(0, np.uint64),
            relation=np.empty(0, np.uint8),
            score=np.empty(0, np.uint16),
            matched_ids=[],
            founded=none,
            earliest=none,
            size=none,
            cluster=np.empty(0, np.uint64),
            merge_names=np.empty((0, 2), np.uint64),
            merge_positions=none,
        )

    # --- the window

    def _first_sights(self, ids: Sequence[str]) -> list[int]:
        known = self._ordinals
        batch: set[str] = set()
        fresh = []
        for position, article_id in enumerate(ids):
            if article_id not in known and article_id not in batch:
                batch.add(article_id)
                fresh.append(position)
        return fresh

    def _late(self, time: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """Return 1 where an article is too far behind the newest one before it."""
        lateness = self.rules.max_lateness_ms
        if lateness is None or not len(time):
            return np.zeros(len(time), np.uint8)
        newest = np.maximum.accumulate(np.concatenate(([self.watermark_ms], time[:-1])))
        return (time < newest - lateness).astype(np.uint8)

    def _fill(
        self, ids: Sequence[str], time: npt.NDArray[np.int64], sketches: Sketches
    ) -> npt.NDArray[np.int64]:
        """Write a batch into its slots; returns the slots."""
        window, slots = self.window, self.window.slots
        first = window.next
        places = np.arange(first, first + len(ids)) & (window.capacity - 1)
        counts = np.diff(sketches.ends, prepend=0)
        starts = window.place_tokens(counts)
        slots.time[places] = time
        slots.start[places] = starts
        slots.tokens[places] = counts
        slots.low[places] = sketches.low
        store_tokens(sketches.tokens, sketches.ends, starts, window.arena)
        for slot, article_id in zip(places.tolist(), ids, strict=True):
            self._ids[slot] = article_id
        self._ordinals.update(zip(ids, range(first, first + len(ids)), strict=True))
        window.next = first + len(ids)
        return places

    def _make_room(self, articles: int, tokens: int, events: list[ClusterEvent]) -> int:
        """Make room for a batch; returns how many articles had to leave before their time."""
        window = self.window
        limit = self.rules.max_articles
        evicted = 0
        if len(window) + articles > min(window.capacity, limit) or window.arena_short(tokens):
            self._free_expired()
        if len(window) + articles > limit:
            target = min(window.next, window.next + articles - limit)
            evicted = max(0, target - window.open)
            events += self._expire(_NEVER, target)
            self._free_expired()
        while len(window) + articles > window.capacity:
            self._grow()
        while window.arena_short(tokens):
            window.grow_arena()
        return evicted

    def _grow(self) -> None:
        window = self.window
        alive = range(window.first, window.next)
        old_ids, old_matched, old_slot = self._ids, self._matched, window.slot
        old_slots = [old_slot(o) for o in alive]
        window.grow_slots()
        self._ids = [""] * window.capacity
        self._matched = [""] * window.capacity
        for ordinal, slot in zip(alive, old_slots, strict=True):
            self._ids[window.slot(ordinal)] = old_ids[slot]
            self._matched[window.slot(ordinal)] = old_matched[slot]
        self._workspace = Workspace.empty(window.capacity)
        link_all(window.first, window.next, window.heads, window.slots)

    def _expire(self, horizon_ms: int, forced: int = 0) -> list[ClusterEvent]:
        window = self.window
        events = []
        closed = np.empty((_CLOSE_CHUNK, 3), np.int64)
        names = np.empty(_CLOSE_CHUNK, np.uint64)
        while True:
            window.open, count = expire(
                window.open, window.next, horizon_ms, forced, window.slots, window.rows, closed, names
            )
            for name, (size, earliest, latest) in zip(
                names[:count].tolist(), closed[:count].tolist(), strict=True
            ):
                events.append(ClusterEvent("closed", name, size, earliest, latest))
            if count < _CLOSE_CHUNK:
                return events

    def _free_expired(self) -> None:
        window = self.window
        first, end = window.first, window.open
        gone = np.empty(end - first, np.uint64)
        count = free(first, end, window.slots, window.rows, gone)
        if self._rows_by_name is not None:
            for name in gone[:count].tolist():
                self._rows_by_name.pop(name, None)
        for ordinal in range(first, end):
            slot = window.slot(ordinal)
            if self._ordinals.get(self._ids[slot]) == ordinal:
                del self._ordinals[self._ids[slot]]
            self._ids[slot] = self._matched[slot] = ""
        window.first = end
        window.arena_first = (
            int(window.slots.start[window.slot(end)]) if end < window.next else window.arena_next
        )

    def _growth(self, grown: npt.NDArray[np.int32]) -> list[ClusterEvent]:
        rows = self.window.rows
        return [
            ClusterEvent(
                "grown", int(rows.name[r]), int(rows.size[r]), int(rows.earliest[r]), int(rows.latest[r])
            )
            for r in np.unique(grown).tolist()
        ]

    def _answers(
        self, ids: Sequence[str], places: npt.NDArray[np.int64], late: npt.NDArray[np.uint8]
    ) -> list[Answer]:
        slots = self.window.slots
        return [
            Answer(
                article_id, name, RELATIONS[relation], score, self._matched[slot] or None, time, bool(is_late)
            )
            for article_id, name, relation, score, slot, time, is_late in zip(
                ids,
                slots.name[places].tolist(),
                slots.relation[places].tolist(),
                slots.score[places].tolist(),
                places.tolist(),
                slots.time[places].tolist(),
                late.tolist(),
                strict=True,
            )
        ]


def _creations(answers: Sequence[Answer]) -> list[ClusterEvent]:
    events = []
    for answer in answers:
        if answer.relation == "new":
            times = (answer.published_ms, answer.published_ms)
            events.append(ClusterEvent("created", answer.cluster, 1, *times, article_id=answer.article_id))
            if answer.late:
                events.append(ClusterEvent("closed", answer.cluster, 1, *times))
    return events


def _mergers(ids: Sequence[str], names: list[list[int]], facts: list[list[int]]) -> list[ClusterEvent]:
    return [
        ClusterEvent("merged", survivor, size, earliest, latest, lost, ids[position])
        for (survivor, lost), (position, size, earliest, latest) in zip(names, facts, strict=True)
    ]
