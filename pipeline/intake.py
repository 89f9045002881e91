"""Taking in a batch: which of it is new, repeated, a correction or a kill, and matching what is new.

Plain new articles are matched in runs by the kernel of :mod:`pipeline.matching`; a correction
or a kill ends a run, because it changes what later articles find.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.answers import Answer, ClusterEvent
from pipeline.arrays import I64
from pipeline.draft import Draft
from pipeline.entering import Run, answer_again, founded
from pipeline.killing import kill, withdrawn
from pipeline.life import FIRST, Kill, Notices, Stamp
from pipeline.removal import remove
from pipeline.sketch import Sketches
from pipeline.store import NEVER, Store
from pipeline.verify import NEW, RELATIONS
from pipeline.window import WITHDRAWN


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
        notices = notices if notices is not None else Notices.none(len(ids))
        self._store = store
        self._ids = ids
        self._time = time
        self._sketches = sketches
        self._notices = notices
        self.run = Run(store, ids, time, sketches, notices, Draft(store.window.next))
        self._answers: list[Answer | None] = [None] * len(ids)
        # positions of new articles that wait for the kernel, by id
        self._waiting: dict[str, int] = {}
        self._pushed_out: dict[str, Answer] = {}

    @property
    def answers(self) -> list[Answer]:
        """The answers, in order."""
        return [answer for answer in self._answers if answer is not None]

    def take(self) -> None:
        """Take in the whole batch."""
        self._make_room()
        store, waiting = self._store, self._waiting
        known, opened = store.ordinals, store.window.open
        if self._all_new():
            waiting.update(zip(self._ids, range(len(self._ids)), strict=True))
            self._match_waiting()
            return
        for position, (article_id, is_kill) in enumerate(
            zip(self._ids, self._notices.kill.tolist(), strict=True)
        ):
            if (
                not is_kill
                and known.get(article_id, 0) < opened
                and article_id not in waiting
                and article_id not in store.kills
                and article_id not in self._pushed_out
            ):
                waiting[article_id] = position  # almost all articles end here
            else:
                self._sort(position, article_id)
        self._match_waiting()

    def _all_new(self) -> bool:
        """Tell whether the batch has neither a kill nor an id that is known or occurs twice, as most have."""
        store, ids = self._store, self._ids
        return (
            not (self._notices.kill.any() or store.kills or self._pushed_out)
            and store.ordinals.keys().isdisjoint(ids)
            and len(set(ids)) == len(ids)
        )

    def _make_room(self) -> None:
        store = self._store
        known, opened = store.ordinals, store.window.open
        stamped = (self._notices.version > 0) | (self._notices.updated_ms >= 0)
        unknown = len(self._ids)
        if not known.keys().isdisjoint(self._ids):
            unknown = sum(known.get(i, 0) < opened for i in self._ids)
        entering = unknown + int(stamped.sum())
        if len(store.window) + entering > store.rules.max_articles:
            # an article that came before may have to leave for this batch
            self._pushed_out = {
                i: answer_again(store, known[i]) for i in self._ids if known.get(i, 0) >= opened
            }
        self.run.counters.evicted_early = store.make_room(
            entering, len(self._sketches.tokens), self.run.events
        )
        for article_id in list(self._pushed_out):
            if known.get(article_id, 0) >= store.window.open:
                del self._pushed_out[article_id]

    def _sort(self, position: int, article_id: str) -> None:
        if article_id in self._waiting:
            self._match_waiting()
        notices = self._notices
        stamp = notices.stamp(position)
        if notices.kill[position]:
            self._match_waiting()
            self._answers[position] = kill(self.run, position, self._remembered(article_id))
            return
        ordinal = self._store.ordinal(article_id, self._horizon_ms())
        if ordinal is not None:
            newer = stamp > self._store.stamp(self._store.window.slot(ordinal))
            answer = (
                self._newer(position, ordinal, stamp) if newer else self._repeat(position, ordinal, stamp)
            )
            self._answers[position] = answer
            return
        known_kill = self._remembered(article_id)
        if known_kill is not None and stamp.version <= known_kill.through:
            self._answers[position] = withdrawn(self.run, position, known_kill)
        elif article_id in self._pushed_out and stamp == FIRST:
            self._answers[position] = self._pushed_out[article_id]
            self.run.counters.repeated += 1
        else:
            self._waiting[article_id] = position

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
        self.run.counters.repeated += 1
        answer = answer_again(self._store, ordinal)
        if stamp == self._store.stamp(self._store.window.slot(ordinal)) and not self._same_text(
            position, ordinal
        ):
            self.run.counters.conflicts += 1
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
            self.run.draft.stamped[ordinal] = stamp
            self.run.counters.repeated += 1
            return answer_again(store, ordinal)
        self.run.counters.corrected += 1
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
        # not late while its story is in the window, unless the correction moves it out of it
        late = np.array([self._time[position] < self._horizon_ms()], np.uint8)
        new = int(self.run.enter([position], np.array([name], np.uint64), late)[0])
        if slots.row[old] == WITHDRAWN:  # no merge moved it with its cluster
            slots.row[old] = row
        events, emptied = remove(store, ordinal, self.run.draft)
        target = int(slots.row[new])
        if target >= 0:
            self.run.draft.touched.add(store.window.next - 1)
        if emptied:
            events = []
            if slots.relation[new] == NEW and target >= 0:
                store.names.pop(name, None)
                store.names[before[0]] = target
                rows.name[target], rows.founded[target] = before[0], founded
            elif slots.relation[new] != NEW:
                facts = (int(rows.size[target]), int(rows.earliest[target]), int(rows.latest[target]))
                joined = int(rows.name[target])
                events = [ClusterEvent("merged", joined, *facts, before[0], article_id)]
                self.run.draft.heirs.append((joined, before[0], article_id))
        name = int(rows.name[target]) if target >= 0 else before[0] if emptied else int(slots.name[new])
        slots.name[new] = name
        if name != before[0] and slots.relation[new] == NEW:
            times = (int(slots.time[new]), int(slots.time[new]))
            self.run.events.append(ClusterEvent("created", name, 1, *times, article_id=article_id))
        self.run.events += [event for event in events if event.event != "shrunk" or event.cluster != name]
        return self.run.answered([position], np.array([new]))[0]._replace(replaces=before)

    # --- new articles

    def _match_waiting(self) -> None:
        """Match the new articles that wait."""
        if not self._waiting:
            return
        ids, positions = list(self._waiting), list(self._waiting.values())
        self._waiting.clear()
        late = self.run.late(self._time[positions])
        places = self.run.enter(positions, self._store.founding_names(ids, late), late)
        answers = self.run.answered(positions, places)
        for answer, position in zip(answers, positions, strict=True):
            self._answers[position] = answer
        self.run.events += founded(answers)
