"""The matcher: one desk's window, index and clusters, moved forward batch by batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.answers import Answer, ClusterEvent
from pipeline.arrays import I64
from pipeline.changelog import Change
from pipeline.columns import check_fingerprint
from pipeline.draft import Draft
from pipeline.entering import MAX_BUCKET_WALK, Counters, answer_again
from pipeline.folding import fold
from pipeline.intake import Intake
from pipeline.life import Notices
from pipeline.sketch import Sketches
from pipeline.store import Store, WindowRules
from pipeline.window import WITHDRAWN, Window

__all__ = ["MAX_BUCKET_WALK", "Cluster", "Counters", "Matched", "Matcher", "WindowRules"]


@dataclass(slots=True)
class Matched:
    """The result of a batch: an answer for each article in order, events, the change to log.

    ``moved``: new answers for earlier articles whose clusters came apart. ``grown``: how the clusters that grew stand after the batch, once each.
    """

    answers: list[Answer]
    events: list[ClusterEvent]
    change: Change
    counters: Counters = field(default_factory=Counters)
    grown: list[ClusterEvent] = field(default_factory=list)
    moved: list[Answer] = field(default_factory=list)

    def published(self, skip_repeated: bool = False) -> list[Answer]:
        """Return the answers to publish, in order: the moved ones last, because the last one of an article counts."""
        return [*(a for a in self.answers if not (skip_repeated and a.repeated)), *self.moved]


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
        self.store = Store(rules if rules is not None else WindowRules(), capacity)

    def __len__(self) -> int:
        return len(self.store.window)

    def __contains__(self, article_id: str) -> bool:
        return self.store.ordinal(article_id) is not None

    @property
    def rules(self) -> WindowRules:
        """How long articles can be linked."""
        return self.store.rules

    @rules.setter
    def rules(self, rules: WindowRules) -> None:
        """Go on under other rules, as a restart with other settings would."""
        self.store.rules = rules

    @property
    def window(self) -> Window:
        """The arrays of the window."""
        return self.store.window

    @property
    def watermark_ms(self) -> int:
        """The newest event time."""
        return self.store.watermark_ms

    @property
    def oldest_kept(self) -> int:
        """Changes of articles before this ordinal alone are not needed for folding any more."""
        return self.store.oldest_kept

    # --- matching

    def match(
        self,
        ids: Sequence[str],
        times: Sequence[int] | I64,
        sketches: Sketches,
        about: Sequence[str] = (),
        notices: Notices | None = None,
    ) -> Matched:
        """Match a batch of articles, in order.

        ``times``: event times in ms. ``notices``: versions and kills; none: plain articles. An id
        that is in the window already is matched again when it comes with a higher stamp;
        otherwise it gets the answer that it got before.
        """
        intake = Intake(self.store, ids, np.array(times, np.int64), sketches, notices)
        intake.take()
        store, run = self.store, intake.run
        draft, events, counters = run.draft, run.events, run.counters
        grown = self._growth(draft.grown_rows(store))
        moved = [answer_again(store, o)._replace(repeated=False, moved=True) for o in draft.renamed]
        change = draft.change(self.fingerprint, store, sketches, about)
        if store.rules.max_lateness_ms is not None:
            events += store.expire(store.horizon_ms(store.watermark_ms))
        counters.kills_forgotten = store.forget_kills()
        draft.seal(change, store)
        return Matched(intake.answers, events, change, counters, grown, moved)

    def close(self, lateness_ms: int = 0) -> Matched:
        """End a finite input: close the clusters that nothing can join any more.

        ``lateness_ms``: how late an article may be in a live stream that goes on from here; it counts
        where the rules know no lateness themselves.
        """
        store = self.store
        limit = store.rules.max_lateness_ms
        lateness = lateness_ms if limit is None else limit
        events = store.expire(store.watermark_ms - lateness - store.rules.window_ms)
        return Matched([], events, self._empty_change())

    def nothing(self) -> Matched:
        """Return the result of an empty batch, for a commit that carries no articles."""
        return Matched([], [], self._empty_change())

    def _empty_change(self) -> Change:
        draft = Draft(self.store.window.next)
        change = draft.change(self.fingerprint, self.store, Sketches.none(), ())
        draft.seal(change, self.store)
        return change

    def answer_again(self, article_id: str) -> Answer:
        """Return the answer that an article in the window got; raises :class:`KeyError`."""
        return answer_again(self.store, self.store.ordinals[article_id])

    def event_time(self, article_id: str) -> int | None:
        """Return the event time (ms) under which an article is in the window, if it is."""
        ordinal = self.store.ordinal(article_id)
        return None if ordinal is None else int(self.window.slots.time[self.window.slot(ordinal)])

    def clusters(self) -> Iterator[Cluster]:
        """Yield the clusters in the window, by the event time of their first article."""
        window = self.window
        members: defaultdict[int, list[tuple[int, int, str]]] = defaultdict(list)
        for ordinal in range(window.first, window.next):
            slot = window.slot(ordinal)
            row = int(window.slots.row[slot])
            if row == WITHDRAWN:
                continue
            # a late article has no row: it stands alone under the name that it was given
            key = row if row >= 0 else -1 - slot
            members[key].append((int(window.slots.time[slot]), ordinal, self.store.ids[slot]))
        for key, found in sorted(members.items(), key=lambda item: min(item[1])):
            found.sort()
            name = window.rows.name[key] if key >= 0 else window.slots.name[-1 - key]
            yield Cluster(int(name), [article_id for _, _, article_id in found], found[0][0], found[-1][0])

    def apply(self, change: Change) -> None:
        """Fold one change into the state, as if its batch had just been matched.

        Raises :class:`StateError` when a change is missing before this one.
        """
        check_fingerprint(change.fingerprint, self.fingerprint)
        fold(self.store, change)

    def _growth(self, grown: I64) -> list[ClusterEvent]:
        rows = self.window.rows
        return [
            ClusterEvent(
                "grown", int(rows.name[r]), int(rows.size[r]), int(rows.earliest[r]), int(rows.latest[r])
            )
            for r in grown.tolist()
        ]
