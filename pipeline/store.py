"""What a matcher keeps: the window's arrays, the strings beside them, and the kills.

Holds the bookkeeping that matching (:mod:`pipeline.matcher`) and folding
(:mod:`pipeline.folding`) share: filling slots, making room, expiring, freeing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.answers import ClusterEvent, from_columns
from pipeline.arrays import I64, U64
from pipeline.bands import Bytes
from pipeline.clusters import members
from pipeline.expiry import expire, free
from pipeline.hashing import identities64, identity64
from pipeline.index import link_all
from pipeline.life import Kills, Stamp
from pipeline.links import linked_to
from pipeline.matching import Workspace
from pipeline.sketch import Sketches
from pipeline.window import ORDINAL_MASK, Window, store_tokens

NEVER = -(1 << 62)
_CHUNK = 4096


@dataclass(frozen=True, slots=True)
class WindowRules:
    """How long articles can be linked.

    ``window_ms``: the greatest distance in event time between linked articles.
    ``max_lateness_ms``: how far behind the newest article one may arrive and still be
    linked; None: any (for archives; then only ``max_articles`` bounds the memory).
    ``max_articles``: when so many are kept, the oldest leave early, which is counted.
    ``name_copies``: whether the event of a kill names the articles that derive from the killed one.
    """

    window_ms: int = 7 * 86_400_000
    max_lateness_ms: int | None = 2 * 86_400_000
    max_articles: int = 1 << 20
    name_copies: bool = True


class Store:
    """The state of one desk. Its fields are for the modules of this package."""

    def __init__(self, rules: WindowRules, capacity: int = 0) -> None:
        self.rules = rules
        self.watermark_ms = NEVER
        self.window = Window(capacity)
        self.kills = Kills()
        self.ids: list[str] = [""] * self.window.capacity
        self.matched: list[str] = [""] * self.window.capacity
        self.ordinals: dict[str, int] = {}
        self.marks: dict[int, str] = {}  # by ordinal; few articles have any
        self.workspace = Workspace.empty(self.window.capacity)
        # who was bonded since the last change was written, by ordinal
        self.bonded: dict[int, int] = {}
        self.names: dict[int, int] = {}  # the rows of the clusters by name

    def ordinal(self, article_id: str, horizon_ms: int | None = None) -> int | None:
        """Return the ordinal of an article that has not expired.

        The time decides, and not whether its slot was given up: that depends on the batches.
        """
        ordinal = self.ordinals.get(article_id)
        if ordinal is None or ordinal < self.window.open:
            return None
        horizon_ms = self.horizon_ms(self.watermark_ms) if horizon_ms is None else horizon_ms
        return ordinal if self.window.slots.time[self.window.slot(ordinal)] >= horizon_ms else None

    def horizon_ms(self, watermark_ms: int) -> int:
        """Return the time before which articles are expired once the newest is of ``watermark_ms``."""
        lateness = self.rules.max_lateness_ms
        return NEVER if lateness is None else watermark_ms - lateness - self.rules.window_ms

    def forget_id(self, ordinal: int) -> None:
        """Forget who a withdrawn article was: its id is free for another version."""
        article_id = self.ids[self.window.slot(ordinal)]
        if self.ordinals.get(article_id) == ordinal:
            del self.ordinals[article_id]
        self.marks.pop(ordinal, None)

    def forget_kills(self) -> int:
        """Forget the kills that a window has passed over; returns how many had to go early."""
        return self.kills.forget(self.horizon_ms(self.watermark_ms), self.rules.max_articles)

    @property
    def oldest_kept(self) -> int:
        """The ordinal before which no article or kill is needed any more."""
        kill = self.kills.oldest_ordinal
        return self.window.first if kill is None else min(self.window.first, kill - 1)

    def stamp(self, slot: int) -> Stamp:
        """Return the stamp of the article in ``slot``."""
        return Stamp(int(self.window.slots.version[slot]), int(self.window.slots.updated[slot]))

    def fill(
        self,
        ids: Sequence[str],
        time: I64,
        sketches: Sketches,
        version: npt.NDArray[np.int64],
        updated_ms: npt.NDArray[np.int64],
    ) -> I64:
        """Write a batch into its slots; returns the slots."""
        window, slots = self.window, self.window.slots
        first = window.next
        places = np.arange(first, first + len(ids)) & (window.capacity - 1)
        counts = np.diff(sketches.ends, prepend=0)
        starts = window.place_tokens(counts)
        slots.time[places] = time
        slots.start[places] = starts
        slots.tokens[places] = counts
        overwrite(slots.low, window.slot(first), sketches.low)
        slots.bond[places] = 0
        slots.version[places] = version
        slots.updated[places] = updated_ms
        store_tokens(sketches.tokens, sketches.ends, starts, window.arena)
        overwrite(self.ids, window.slot(first), ids)
        self.ordinals.update(zip(ids, range(first, first + len(ids)), strict=True))
        window.next = first + len(ids)
        return places

    def make_room(self, articles: int, tokens: int, events: list[ClusterEvent], bond: bool = True) -> int:
        """Make room for a batch; returns how many articles had to leave before their time."""
        window = self.window
        limit = self.rules.max_articles
        evicted = 0
        if len(window) + articles > min(window.capacity, limit) or window.arena_short(tokens):
            self._free_expired()
        if len(window) + articles > limit:
            target = min(window.next, window.next + articles - limit)
            evicted = max(0, target - window.open)
            events += self.expire(NEVER, target, bond)
            self._free_expired()
        while len(window) + articles > window.capacity:
            self._grow()
        while window.arena_short(tokens):
            window.grow_arena()
        return evicted

    def expire(self, horizon_ms: int, forced: int = 0, bond: bool = True) -> list[ClusterEvent]:
        """Expire what is older than ``horizon_ms`` or before the ordinal ``forced``; returns closed clusters.

        ``bond``: whether to tie together what the leaving articles link; a fold reads that from the log.
        """
        window = self.window
        events: list[ClusterEvent] = []
        closed = np.empty((3, _CHUNK), np.int64)
        names = np.empty(_CHUNK, np.uint64)
        holding = np.empty(_CHUNK, np.int64)
        while True:
            window.open, count, held = expire(
                window.open,
                window.next,
                horizon_ms,
                forced,
                window.slots,
                window.rows,
                closed,
                names,
                holding,
            )
            no = repeat(None)
            events += from_columns(
                ClusterEvent,
                repeat("closed"),
                names[:count].tolist(),
                *closed[:, :count].tolist(),
                no,  # other
                no,  # article_id
                no,  # copies
                repeat(0),  # copies_found
            )
            if bond:
                for ordinal in holding[:held].tolist():
                    self._bond(ordinal)
            if count < _CHUNK and held < _CHUNK:
                return events

    def new_row(self, name: int, founded_ms: int) -> int:
        """Return an unused row, made ready for a cluster without members."""
        rows = self.window.rows
        rows.free_count[0] -= 1
        row = int(rows.free[rows.free_count[0]])
        rows.name[row] = name
        rows.founded[row] = rows.earliest[row] = founded_ms
        rows.members[row] = rows.open[row] = rows.size[row] = 0
        rows.latest[row] = NEVER
        self.names[name] = row
        return row

    def founding_names(self, ids: Sequence[str], late: npt.NDArray[np.uint8]) -> U64:
        """Return :meth:`founding_name` for articles that come next; a ``late`` one founds nothing that could clash."""
        names = identities64(ids)
        if self.kills or not self.names.keys().isdisjoint(names.tolist()):
            for position in np.flatnonzero(late == 0).tolist():
                # a killed version's name may belong to its copies
                again = ids[position] in self.kills
                names[position] = self.founding_name(ids[position], self.window.next + position, again)
        return names

    def founding_name(self, article_id: str, ordinal: int, again: bool = False) -> int:
        """Return the name of a cluster that an article would found.

        It is made from the article's id alone, unless a cluster bears that name already, or could have
        (``again``: a version of the article was there before).
        """
        name = identity64(article_id)
        row = self.names.get(name)
        if again or (row is not None and self.window.rows.open[row] > 0):
            return identity64(f"{article_id}\0{ordinal}")
        return name

    def members(self, row: int) -> I64:
        """Return the slots of a cluster's members."""
        found = np.empty(int(self.window.rows.members[row]), np.int64)
        members(row, self.window.slots, self.window.rows, found)
        return found

    def ordinals_at(self, slots: I64) -> I64:
        """Return the ordinals of the articles in ``slots``."""
        first = self.window.first
        return first + ((slots - first) & (self.window.capacity - 1))

    def linked_to(self, slot: int, others: I64) -> npt.NDArray[np.bool_]:
        """Tell which of the articles in the slots ``others`` link to the one in ``slot``."""
        window = self.window
        linked = np.zeros(len(others), np.uint8)
        linked_to(slot, others, self.rules.window_ms, window.arena, window.slots, self.workspace, linked)
        return linked.astype(np.bool_)

    def _bond(self, ordinal: int) -> None:
        """Tie together the younger members of its cluster that the expiring article links."""
        window, bond = self.window, self.window.slots.bond
        slot = window.slot(ordinal)
        members = self.members(int(window.slots.row[slot]))
        others = members[self.ordinals_at(members) > ordinal]
        if bond[others[0]] != 0 and (bond[others] == bond[others[0]]).all():
            return
        label = int(bond[slot]) or ordinal & ORDINAL_MASK
        asked = others[bond[others] != label]
        linked = asked[self.linked_to(slot, asked)]
        groups = bond[linked]
        tied = np.union1d(linked, others[np.isin(bond[others], groups[groups > 0])])
        bond[tied] = label
        self.bonded.update(dict.fromkeys(self.ordinals_at(tied).tolist(), label))

    def _grow(self) -> None:
        window = self.window
        alive = range(window.first, window.next)
        old_ids, old_matched, old_slot = self.ids, self.matched, window.slot
        old_slots = [old_slot(o) for o in alive]
        window.grow_slots()
        self.ids = [""] * window.capacity
        self.matched = [""] * window.capacity
        for ordinal, slot in zip(alive, old_slots, strict=True):
            self.ids[window.slot(ordinal)] = old_ids[slot]
            self.matched[window.slot(ordinal)] = old_matched[slot]
        self.workspace = Workspace.empty(window.capacity)
        link_all(window.first, window.next, window.heads, window.slots)

    def _free_expired(self) -> None:
        window = self.window
        first, end = window.first, window.open
        gone = np.empty(end - first, np.uint64)
        count = free(first, end, window.slots, window.rows, gone)
        names, ordinals = self.names, self.ordinals
        lost = gone[:count].tolist()
        left = window.rows.members[[names.get(name, 0) for name in lost]].tolist()
        for name, members_left in zip(lost, left, strict=True):
            if not members_left:  # or another cluster bears it by now
                names.pop(name, None)
        at = window.slot(first)
        leaving = self.ids[at : at + end - first] + self.ids[: max(0, at + end - first - window.capacity)]
        for ordinal, article_id in zip(range(first, end), leaving, strict=True):
            if ordinals.get(article_id) == ordinal:
                del ordinals[article_id]
        nothing = [""] * (end - first)
        overwrite(self.ids, at, nothing)
        overwrite(self.matched, at, nothing)
        if self.marks:
            self.marks = {ordinal: mark for ordinal, mark in self.marks.items() if ordinal >= end}
        window.first = end
        window.arena_first = (
            int(window.slots.start[window.slot(end)]) if end < window.next else window.arena_next
        )


def overwrite(ring: list[str] | Bytes, slot: int, values: Any) -> None:
    """Put values into a ring from ``slot`` on, around its end."""
    fitting = min(len(values), len(ring) - slot)
    ring[slot : slot + fitting] = values[:fitting]
    ring[: len(values) - fitting] = values[fitting:]
