"""The articles of the sliding window, in compact arrays.

A ring of slots in order of arrival. Every article has an *ordinal*, counted from 1
over the life of a state; it lives in slot ``ordinal % capacity``. The ring holds the
ordinals ``first <= o < next``, and within them those before ``open`` are *expired*:
no later article can link to them. Expired articles are kept until their room is
needed (lazy expiry), and the ring grows by doubling up to a limit.

Tokens lie in a second ring (the arena), addressed by positions that only grow; an
article's tokens never wrap around its end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.arrays import I32, I64, U8, U16, U32, U64
from pipeline.bands import BANDS, PERMUTATIONS
from pipeline.kernels import kernel
from pipeline.tokens import Tokens

MIN_CAPACITY = 1 << 12
_TOKENS_PER_SLOT = 256
# Two buckets an article and band halve the strangers that a walk meets; 4 bytes each.
BUCKETS_PER_SLOT = 2
ORDINAL_MASK = 0xFFFFFFFF
NO_ROW = -1
WITHDRAWN = -2


class Slots(NamedTuple):
    """What is kept of an article; every array is indexed by slot.

    ``time``: event time, ms. ``start``/``tokens``: where its tokens begin in the
    arena, and their number. ``low``:
    low bytes of the signature, ``[capacity, PERMUTATIONS]``. ``following``: per band
    the ordinal of the next older article in the same bucket, ``[capacity, BANDS]``.
    ``row``: its cluster's row; :data:`NO_ROW` for a late article, which stands alone,
    :data:`WITHDRAWN` once it was killed or corrected. ``before``/``after``: neighbours in the
    cluster's circle of members. ``bond``: 0, or a number that it shares with the members
    that an expired article tied it to (:mod:`pipeline.expiry`).
    ``name``/``relation``/``score``: the answer that was published.
    ``version``/``updated``: its stamp (:mod:`pipeline.life`).
    """

    time: I64
    start: I64
    tokens: I32
    low: U8
    following: U32
    row: I32
    before: I32
    after: I32
    bond: U32
    name: U64
    relation: U8
    score: U16
    version: I32
    updated: I64

    @classmethod
    def empty(cls, capacity: int) -> Slots:
        """Return slots for ``capacity`` articles; pages are touched as they fill."""
        return cls(
            time=np.zeros(capacity, np.int64),
            start=np.zeros(capacity, np.int64),
            tokens=np.zeros(capacity, np.int32),
            low=np.empty((capacity, PERMUTATIONS), np.uint8),
            following=np.empty((capacity, BANDS), np.uint32),
            row=np.full(capacity, NO_ROW, np.int32),
            before=np.zeros(capacity, np.int32),
            after=np.zeros(capacity, np.int32),
            bond=np.zeros(capacity, np.uint32),
            name=np.zeros(capacity, np.uint64),
            relation=np.zeros(capacity, np.uint8),
            score=np.zeros(capacity, np.uint16),
            version=np.zeros(capacity, np.int32),
            updated=np.zeros(capacity, np.int64),
        )


class Rows(NamedTuple):
    """The clusters that have members in the window; every array is indexed by row.

    ``name``: the cluster id. ``founded``: event time of the founding article, ms; it
    decides which of two merging clusters is the older. ``earliest``/``latest``: event
    times of the members, ms. ``size``: articles ever. ``members``: articles in the
    window. ``open``: those of them that are not expired. ``anchor``: slot of one
    member. ``free``/``free_count``: a stack of unused rows.
    """

    name: U64
    founded: I64
    earliest: I64
    latest: I64
    size: I64
    members: I32
    open: I32
    anchor: I32
    free: I32
    free_count: I64  # [1]

    @classmethod
    def empty(cls, capacity: int) -> Rows:
        """Return ``capacity`` unused rows."""
        return cls(
            name=np.zeros(capacity, np.uint64),
            founded=np.zeros(capacity, np.int64),
            earliest=np.zeros(capacity, np.int64),
            latest=np.zeros(capacity, np.int64),
            size=np.zeros(capacity, np.int64),
            members=np.zeros(capacity, np.int32),
            open=np.zeros(capacity, np.int32),
            anchor=np.zeros(capacity, np.int32),
            free=np.arange(capacity - 1, -1, -1, dtype=np.int32),
            free_count=np.array([capacity], np.int64),
        )

    def grown(self, capacity: int) -> Rows:
        """Return a copy with room for ``capacity`` rows."""
        old = len(self.name)
        larger = Rows.empty(capacity)
        for field in ("name", "founded", "earliest", "latest", "size", "members", "open", "anchor"):
            getattr(larger, field)[:old] = getattr(self, field)
        kept = int(self.free_count[0])
        fresh = np.arange(capacity - 1, old - 1, -1, dtype=np.int32)
        larger.free[:kept] = self.free[:kept]
        larger.free[kept : kept + len(fresh)] = fresh
        larger.free_count[0] = kept + len(fresh)
        return larger


class Window:
    """Slots, rows, arena and the heads of the band buckets, with their growth."""

    def __init__(self, capacity: int) -> None:
        self.first = 1
        self.open = 1
        self.next = 1
        self.arena_first = 0
        self.arena_next = 0
        self.capacity = max(MIN_CAPACITY, 1 << (capacity - 1).bit_length())
        self.slots = Slots.empty(self.capacity)
        self.rows = Rows.empty(self.capacity)
        self.heads: U32 = np.zeros((BANDS, BUCKETS_PER_SLOT * self.capacity), np.uint32)
        self.arena: Tokens = np.empty(self.capacity * _TOKENS_PER_SLOT, np.uint32)

    def __len__(self) -> int:
        return self.next - self.first

    @property
    def bytes_allocated(self) -> int:
        """Memory reserved by the arrays, in bytes."""
        arrays = (*self.slots, self.heads, self.arena, self.rows.name)
        return sum(a.nbytes for a in arrays)

    def slot(self, ordinal: int) -> int:
        """Return the slot of an ordinal."""
        return ordinal & (self.capacity - 1)

    def tokens_of(self, ordinal: int) -> Tokens:
        """Return an article's tokens (a view into the arena)."""
        slot = self.slot(ordinal)
        start = int(self.slots.start[slot]) & (len(self.arena) - 1)
        return self.arena[start : start + int(self.slots.tokens[slot])]

    def place_tokens(self, counts: npt.NDArray[np.int64]) -> I64:
        """Reserve arena positions for a batch; returns the start of each article's tokens.

        The caller has made sure with :meth:`arena_short` that there is room.
        """
        starts = np.empty(len(counts), np.int64)
        self.arena_next = int(place_tokens(counts, self.arena_next, len(self.arena), starts))
        return starts

    def arena_short(self, total: int) -> bool:
        """Tell whether ``total`` more tokens (and one skipped end) might not fit."""
        return self.arena_next + 2 * total + 4096 - self.arena_first > len(self.arena)

    def grow_arena(self) -> None:
        """Double the arena."""
        old = self.arena
        size = len(old)
        larger: Tokens = np.empty(2 * size, np.uint32)
        position = self.arena_first
        while position < self.arena_next:
            length = min(size - (position & (size - 1)), self.arena_next - position)
            source = position & (size - 1)
            target = position & (2 * size - 1)
            larger[target : target + length] = old[source : source + length]
            position += length
        self.arena = larger

    def grow_slots(self) -> None:
        """Double the ring. The caller links the buckets again (their heads are emptied)."""
        old = self.slots
        larger = Slots.empty(2 * self.capacity)
        ordinals = np.arange(self.first, self.next)
        source = ordinals & (self.capacity - 1)
        target = ordinals & (2 * self.capacity - 1)
        for field in Slots._fields:
            getattr(larger, field)[target] = getattr(old, field)[source]
        # neighbours and anchors are slots: they move too
        moved = np.zeros(self.capacity, np.int32)
        moved[source] = target
        larger.before[target] = moved[old.before[source]]
        larger.after[target] = moved[old.after[source]]
        self.rows = self.rows.grown(2 * self.capacity)
        self.rows.anchor[: self.capacity] = moved[self.rows.anchor[: self.capacity]]
        self.capacity *= 2
        self.slots = larger
        self.heads = np.zeros((BANDS, BUCKETS_PER_SLOT * self.capacity), np.uint32)


@kernel
def place_tokens(counts: I64, position: int, size: int, starts: I64) -> int:
    """Fill in ``starts``, skipping the arena's end where an article would wrap; returns what comes next."""
    for row in range(len(counts)):
        count = int(counts[row])
        if (position & (size - 1)) + count > size:
            position = (position // size + 1) * size
        starts[row] = position
        position += count
    return position


@kernel
def store_tokens(tokens: Tokens, ends: I64, starts: I64, arena: Tokens) -> None:
    """Copy each article's tokens to its place in the arena."""
    mask = len(arena) - 1
    first = 0
    for row in range(len(ends)):
        end = int(ends[row])
        target = int(starts[row]) & mask
        for i in range(end - first):
            arena[target + i] = tokens[first + i]
        first = end
