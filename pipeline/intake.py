"""Taking in a batch: which of it is new, repeated, a correction or a kill, and matching what is new.

Plain new articles are matched in runs by the kernel of :mod:`pipeline.matching`; a correction
or a kill ends a run, because it changes what later articles find.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.answers import MAX_COPIES, Answer, ClusterEvent
from pipeline.arrays import I64, U8, U64
from pipeline.draft import Draft
from pipeline.hashing import identity64
from pipeline.life import ALL_VERSIONS, FIRST, QUIET_KILL, Kill, Notices, Stamp
from pipeline.matching import CANDIDATES, CHECKS, COUNTERS, CUT_BUCKETS, LINKS, Batch, match_batch
from pipeline.removal import derived_from, remove
from pipeline.sketch import Sketches
from pipeline.store import NEVER, Store
from pipeline.verify import NEW, RELATIONS
from pipeline.window import WITHDRAWN

MAX_BUCKET_WALK = 128
"""Members of one bucket that a query looks at, newest first; beyond it the bucket is hot."""

KILLED = "killed"


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


class Intake:
    """One batch on its way in; see :meth:`pipeline.matcher.Matcher.match`."""

    def __init__(
        self,
        store: Store,
        ids: Sequence[str],
        time: I64,
        sketches: Sketches,
        notices: Notices | None,
    ) -> None:
        self._store = store
        self._ids = ids
        self._time = time
        self._sketches = sketches
        self._notices = notices if notices is not None else Notices.none(len(ids))
        self.draft = Draft(store.window.next)
        self.events: list[ClusterEvent] = []
        self.counters = Counters()
        self._answers: list[Answer | None] = [None] * len(ids)
        # positions of new articles that wait for the kernel, by id
        self._waiting: dict[str, int] = {}
        self._pushed_out: dict[str, Answer] = {}

    @property
    def answers(self) -> list[Answer]:
        """The answers, in order."""
        return [answer for answer in self._answers if answer is not None]

    def run(self) -> None:
        """Take in the whole batch."""
        self._make_room()
        store, waiting = self._store, self._waiting
        known, opened = store.ordinals, store.window.open
        special = store.kills.by_id if not self._pushed_out else self._ids
        for position, (article_id, kill) in enumerate(
            zip(self._ids, self._notices.kill.tolist(), strict=True)
        ):
            if (
                not kill
                and known.get(article_id, 0) < opened
                and article_id not in waiting
                and article_id not in special
            ):
                waiting[article_id] = position  # almost all articles end here
            else:
                self._take(position, article_id)
        self._match_waiting()

    def _make_room(self) -> None:
        store = self._store
        known, opened = store.ordinals, store.window.open
        stamped = (self._notices.version > 0) | (self._notices.updated_ms >= 0)
        entering = sum(known.get(i, 0) < opened for i in self._ids) + int(stamped.sum())
        if len(store.window) + entering > store.rules.max_articles:
            # an article that came before may have to leave for this batch
            self._pushed_out = {
                i: answer_again(store, known[i]) for i in self._ids if known.get(i, 0) >= opened
            }
        self.counters.evicted_early = store.make_room(entering, len(self._sketches.tokens), self.events)
        for article_id in list(self._pushed_out):
            if known.get(article_id, 0) >= store.window.open:
                del self._pushed_out[article_id]

    def _take(self, position: int, article_id: str) -> None:
        if article_id in self._waiting:
            self._match_waiting()
        notices = self._notices
        stamp = notices.stamp(position)
        if notices.kill[position]:
            self._answers[position] = self._kill(position, article_id)
            return
        kill = self._remembered(article_id)
        if kill is not None and stamp.version <= kill.through:
            self._answers[position] = self._withdrawn(position, article_id, kill)
            return
        ordinal = self._store.ordinal(article_id, self._horizon_ms())
        if ordinal is None:
            if article_id in self._pushed_out and stamp == FIRST:
                self._answers[position] = self._pushed_out[article_id]
                self.counters.repeated += 1
            else:
                self._waiting[article_id] = position
        elif stamp > self._store.stamp(self._store.window.slot(ordinal)):
            self._answers[position] = self._newer(position, ordinal, stamp)
        else:
            self._answers[position] = self._repeat(position, ordinal, stamp)

    def _horizon_ms(self) -> int:
        """Return the time before which articles are expired at this point of the batch."""
        store = self._store
        if store.rules.max_lateness_ms is None:
            return NEVER
        waiting = self._time[list(self._waiting.values())]
        return store.horizon_ms(max(store.watermark_ms, int(waiting.max(initial=NEVER))))

    def _remembered(self, article_id: str) -> Kill | None:
        """Return the kill of an article, unless a window has passed over it."""
        kill = self._store.kills.get(article_id)
        return kill if kill is not None and kill.since_ms >= self._horizon_ms() else None

    # --- known articles

    def _repeat(self, position: int, ordinal: int, stamp: Stamp) -> Answer:
        self.counters.repeated += 1
        answer = answer_again(self._store, ordinal)
        if stamp == self._store.stamp(self._store.window.slot(ordinal)) and not self._same_text(
            position, ordinal
        ):
            self.counters.conflicts += 1
            answer = answer._replace(conflict=True)
        return answer

    def _same_text(self, position: int, ordinal: int) -> bool:
        return np.array_equal(self._sketches.tokens_of(position), self._store.window.tokens_of(ordinal))

    def _newer(self, position: int, ordinal: int, stamp: Stamp) -> Answer:
        """A higher version: a correction when anything changed."""
        store = self._store
        slots = store.window.slots
        slot = store.window.slot(ordinal)
        if self._notices.undated[position]:
            self._time[position] = slots.time[slot]
        if self._same_text(position, ordinal) and self._time[position] == slots.time[slot]:
            slots.version[slot], slots.updated[slot] = stamp
            self.draft.stamped[ordinal] = stamp
            self.counters.repeated += 1
            return answer_again(store, ordinal)
        self.counters.corrected += 1
        return self._correct(position, ordinal)

    def _correct(self, position: int, ordinal: int) -> Answer:
        """Match the new version without the old one in sight, then take the old one out."""
        store = self._store
        self._match_waiting()
        slots, rows = store.window.slots, store.window.rows
        old = store.window.slot(ordinal)
        article_id = store.ids[old]
        row = int(slots.row[old])
        before = (int(rows.name[row]) if row >= 0 else int(slots.name[old]), RELATIONS[slots.relation[old]])
        founded = int(rows.founded[row]) if row >= 0 else int(slots.time[old])
        slots.row[old] = WITHDRAWN
        name = store.founding_name(article_id, store.window.next, again=True)
        # never late: its story is still in the window
        new = int(self._match([position], [name], np.zeros(1, np.uint8))[0])
        if slots.row[old] == WITHDRAWN:  # no merge moved it with its cluster
            slots.row[old] = row
        events, emptied = remove(store, ordinal, self.draft)
        target = int(slots.row[new])
        if target >= 0:
            self.draft.touched.add(store.window.next - 1)
        if emptied:
            events = []
            if slots.relation[new] == NEW and target >= 0:
                store.names.pop(name, None)
                store.names[before[0]] = target
                rows.name[target], rows.founded[target] = before[0], founded
            elif slots.relation[new] != NEW:
                facts = (int(rows.size[target]), int(rows.earliest[target]), int(rows.latest[target]))
                events = [ClusterEvent("merged", int(rows.name[target]), *facts, before[0], article_id)]
        name = int(rows.name[target]) if target >= 0 else before[0] if emptied else int(slots.name[new])
        slots.name[new] = name
        if name != before[0] and slots.relation[new] == NEW:
            times = (int(slots.time[new]), int(slots.time[new]))
            self.events.append(ClusterEvent("created", name, 1, *times, article_id=article_id))
        self.events += [event for event in events if event.event != "shrunk" or event.cluster != name]
        return self._answered([position], np.array([new]))[0]._replace(replaces=before)

    # --- kills

    def _kill(self, position: int, article_id: str) -> Answer | None:
        self._match_waiting()
        store, notices = self._store, self._notices
        version = int(notices.version[position])
        through = version or ALL_VERSIONS
        known = self._remembered(article_id)
        ordinal = store.ordinal(article_id)
        slot = store.window.slot(ordinal) if ordinal is not None else 0
        if ordinal is not None and store.window.slots.version[slot] > through:
            # a later version stands; the kill is only remembered
            self._remember(position, through, known)
            self.counters.repeated += 1
            return answer_again(store, ordinal)
        self.counters.kills += 1
        if ordinal is None:
            repeated = known is not None and through <= known.through
            if not repeated:
                self._remember(position, through, known)
            self.counters.repeated += repeated
            self.counters.kills_early += not repeated
            if notices.kill[position] == QUIET_KILL:
                return None
            cluster = known.cluster if known is not None else 0
        else:
            repeated = False
            cluster = self._withdraw(position, ordinal, through, known)
        return Answer(
            article_id,
            cluster,
            KILLED,
            0,
            None,
            int(self._time[position]),
            repeated=repeated,
            version=version,
            mark=notices.marks[position],
        )

    def _withdraw(self, position: int, ordinal: int, through: int, known: Kill | None) -> int:
        """Take a killed article out; returns its cluster's name."""
        store, article_id = self._store, self._ids[position]
        slots, rows = store.window.slots, store.window.rows
        slot = store.window.slot(ordinal)
        row = int(slots.row[slot])
        name = int(rows.name[row]) if row >= 0 else int(slots.name[slot])
        if store.rules.name_copies and row >= 0:
            copies = derived_from(store, ordinal)
            facts = (int(rows.size[row]) - 1, int(rows.earliest[row]), int(rows.latest[row]))
            self.events.append(
                ClusterEvent(
                    "killed",
                    name,
                    *facts,
                    article_id=article_id,
                    copies=tuple(copies[:MAX_COPIES]),
                    copies_found=len(copies),
                )
            )
        events, _ = remove(store, ordinal, self.draft)
        self.events += events
        self._remember(position, through, known, name)
        return name

    def _remember(self, position: int, through: int, known: Kill | None, cluster: int = 0) -> None:
        store, article_id = self._store, self._ids[position]
        if known is not None:
            through = max(through, known.through)
            cluster = cluster or known.cluster
        since = store.watermark_ms if store.watermark_ms != NEVER else int(self._time[position])
        kill = Kill(through, cluster, since, store.window.next)
        store.kills.put(article_id, kill)
        self.draft.kills.pop(article_id, None)
        self.draft.kills[article_id] = kill

    def _withdrawn(self, position: int, article_id: str, kill: Kill) -> Answer:
        """The answer to an article that was killed before it came."""
        self.counters.repeated += 1
        return Answer(
            article_id,
            kill.cluster,
            KILLED,
            0,
            None,
            int(self._time[position]),
            version=int(self._notices.version[position]),
            mark=self._notices.marks[position],
        )

    # --- new articles

    def _match_waiting(self) -> None:
        """Match the new articles that wait."""
        if not self._waiting:
            return
        positions = list(self._waiting.values())
        # a killed version's name may belong to its copies
        store = self._store
        late = self._late(self._time[positions])
        names = [
            identity64(article_id)
            if is_late
            else store.founding_name(article_id, ordinal, again=article_id in store.kills)
            for ordinal, (article_id, is_late) in enumerate(
                zip(self._waiting, late.tolist(), strict=True), start=store.window.next
            )
        ]
        self._waiting.clear()
        places = self._match(positions, names, late)
        for answer, position in zip(self._answered(positions, places), positions, strict=True):
            self._answers[position] = answer
            if answer.relation == "new":
                times = (answer.published_ms, answer.published_ms)
                created = ClusterEvent("created", answer.cluster, 1, *times, article_id=answer.article_id)
                self.events.append(created)
                if answer.late:
                    self.events.append(ClusterEvent("closed", answer.cluster, 1, *times))

    def _match(self, positions: Sequence[int], names: Sequence[int], late: U8) -> I64:
        """Let the articles at these positions into the window; returns their slots."""
        store, draft, notices = self._store, self.draft, self._notices
        window, slots, rows = store.window, store.window.slots, store.window.rows
        whole = len(positions) == len(self._sketches)
        sketches = self._sketches if whole else self._sketches.select(positions)
        time = self._time[positions]
        ids = [self._ids[p] for p in positions]
        first = window.next
        places = store.fill(ids, time, sketches, notices.version[positions], notices.updated_ms[positions])
        most_merges = window.capacity - int(rows.free_count[0]) + len(ids) + 1
        batch = Batch(
            names=np.array(names, np.uint64),
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
        matched_ids = [store.ids[window.slot(o)] if o else "" for o in batch.matched.tolist()]
        for ordinal, position, slot, matched_id in zip(
            range(first, window.next), positions, places.tolist(), matched_ids, strict=True
        ):
            store.matched[slot] = matched_id
            if notices.marks[position]:
                store.marks[ordinal] = notices.marks[position]
        self._rename(places, batch.merge_names[:merges, 1])
        draft.merge_positions.append(batch.merge_facts[:merges, 0] + len(draft.ids))
        draft.merge_names.append(batch.merge_names[:merges].copy())
        draft.ids += ids
        draft.positions += positions
        draft.matched_ids += matched_ids
        if len(time):
            store.watermark_ms = max(store.watermark_ms, int(time.max()))
        return places

    def _rename(self, places: I64, lost: U64) -> None:
        """Keep the names of the clusters that a run founded or merged."""
        slots, rows, names = self._store.window.slots, self._store.window.rows, self._store.names
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

    def _late(self, time: I64) -> U8:
        """Return 1 where an article is too far behind the newest one before it."""
        lateness = self._store.rules.max_lateness_ms
        if lateness is None or not len(time):
            return np.zeros(len(time), np.uint8)
        newest = np.maximum.accumulate(np.concatenate(([self._store.watermark_ms], time[:-1])))
        return (time < newest - lateness).astype(np.uint8)

    def _answered(self, positions: Sequence[int], places: I64) -> list[Answer]:
        slots, matched, marks = self._store.window.slots, self._store.matched, self._notices.marks
        return [
            Answer(
                self._ids[position],
                name,
                RELATIONS[relation],
                score,
                matched[slot] or None,
                time,
                row < 0,
                version=version,
                mark=marks[position],
            )
            for position, name, relation, score, slot, time, row, version in zip(
                positions,
                slots.name[places].tolist(),
                slots.relation[places].tolist(),
                slots.score[places].tolist(),
                places.tolist(),
                slots.time[places].tolist(),
                slots.row[places].tolist(),
                slots.version[places].tolist(),
                strict=True,
            )
        ]


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
