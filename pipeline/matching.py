"""The inner loop of *match*: candidates, checks, links, clusters, for a batch.

Articles are taken in order; each is compared with those before it, joins the clusters
that it links to, and enters the index. Everything is in the arrays of
:mod:`pipeline.window`, so a batch runs without Python objects.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pipeline.arrays import F64, I32, I64, U8, U32, U64
from pipeline.bands import PERMUTATIONS
from pipeline.clusters import join, unite
from pipeline.features import FACTS
from pipeline.index import gather, insert
from pipeline.kernels import called, kernel
from pipeline.tokens import Tokens
from pipeline.verify import LINK_SCORE, verify
from pipeline.window import NO_ROW, Rows, Slots
from pipeline.wordtable import SCRATCH_SHAPE, clear, tabulate

# Estimates below this never reach a link score; the exact check is spared. Symmetric,
# because the estimate is. In agreeing low bytes out of PERMUTATIONS.
MIN_AGREEING = PERMUTATIONS * 17 // 100

# Links to one cluster beyond these change neither the partition nor, noticeably, the
# best match: candidates are checked in the order of their estimates.
MAX_LINKS_PER_CLUSTER = 8

# Positions in the counters that a batch fills in.
CANDIDATES, CHECKS, LINKS, CUT_BUCKETS = range(4)
COUNTERS = 4

_SLOT_BITS = 32


class Workspace(NamedTuple):
    """Memory that is reused from article to article. ``seen`` and ``candidates``: by slot."""

    seen: I64
    candidates: I64
    tables: I32
    facts: F64

    @classmethod
    def empty(cls, capacity: int) -> Workspace:
        """Return a workspace for a ring of ``capacity`` slots."""
        return cls(
            np.zeros(capacity, np.int64),
            np.empty(capacity, np.int64),
            np.zeros(SCRATCH_SHAPE, np.int32),
            np.zeros(FACTS),
        )


class Batch(NamedTuple):
    """What goes in and comes out by position in the batch.

    ``names``: the cluster names that the articles would found. ``late``: 1 for articles
    that stay alone. ``matched`` receives the ordinal of the best match or 0. A merge is
    reported as (surviving name, lost name) in ``merge_names`` and (position, size,
    earliest, latest) in ``merge_facts``. ``counters``: see :data:`COUNTERS`.
    """

    names: U64
    late: U8
    matched: I64
    merge_names: U64
    merge_facts: I64
    counters: I64


_LOW_BITS = np.uint64(0x7F7F7F7F7F7F7F7F)
_EVERY_OTHER = np.uint64(0x00FF00FF00FF00FF)
_SHIFTS = tuple(np.uint64(bits) for bits in (7, 8, 16, 32))


@called
def words_of(low: U8) -> U64:
    """Return rows of low bytes as words of eight."""
    return low.view(np.uint64)


@called
def estimate(slot: int, other: int, window_ms: int, time: I64, words: U64) -> int:
    """Return how many low bytes of two articles agree; 0 when they are more than a window apart.

    Eight bytes at a time (zero bytes of a word: Warren, Hacker's Delight, ch. 6), in a third of the time
    that one by one takes; each byte counts its own, so there may be 255 ``words`` (uint64 by slot) of them.
    """
    distance = int(time[other]) - int(time[slot])
    if distance > window_ms or -distance > window_ms:
        return 0
    lowest, byte, two, four = _SHIFTS
    counts = np.uint64(0)
    for k in range(words.shape[1]):
        differ = words[slot, k] ^ words[other, k]
        counts += ~(((differ & _LOW_BITS) + _LOW_BITS) | differ | _LOW_BITS) >> lowest
    counts = (counts & _EVERY_OTHER) + ((counts >> byte) & _EVERY_OTHER)
    counts += counts >> two
    counts += counts >> four
    return int(np.int64(counts & np.uint64(0xFFFF)))


@kernel
def match_batch(
    first: int,
    newest: int,
    opened: int,
    window_ms: int,
    bucket_limit: int,
    heads: U32,
    arena: Tokens,
    slots: Slots,
    rows: Rows,
    work: Workspace,
    batch: Batch,
) -> int:
    """Match the articles ``first <= ordinal < newest``, whose slots are filled in but not linked.

    ``opened``: the oldest ordinal that can be linked to. Returns the number of merges.
    """
    ring = len(slots.row) - 1
    arena_mask = len(arena) - 1
    time = slots.time
    words_of_low = words_of(slots.low)
    candidates = work.candidates
    counters = batch.counters
    # read once: numba counts the references of an array at each reading of a named tuple's field
    start_of, tokens_of, low, following = slots.start, slots.tokens, slots.low, slots.following
    row_of, name_of, relation_of, score_of = slots.row, slots.name, slots.relation, slots.score
    before, after = slots.before, slots.after
    row_names, sizes, opens, members, anchor = rows.name, rows.size, rows.open, rows.members, rows.anchor
    founded, earliest, latest = rows.founded, rows.earliest, rows.latest
    rows_stack, free_rows = rows.free, rows.free_count
    names, late, matched = batch.names, batch.late, batch.matched
    seen = work.seen
    table = work.tables[0]
    merged = 0
    for ordinal in range(first, newest):
        position = ordinal - first
        slot = ordinal & ring
        at = int(start_of[slot]) & arena_mask
        length = int(tokens_of[slot])
        if late[position]:
            row_of[slot] = NO_ROW
            name_of[slot] = names[position]
            relation_of[slot] = 0
            score_of[slot] = 0
            matched[position] = 0
            continue
        found = 0
        if length > 0:
            insert(ordinal, slot, heads, low, following)
            found, cut = gather(
                slot,
                ordinal,
                ordinal - opened,
                low,
                following,
                row_of,
                bucket_limit,
                seen,
                candidates,
            )
            counters[CUT_BUCKETS] += cut
            counters[CANDIDATES] += found

        # --- drop what cannot link, best estimates first
        kept = 0
        for i in range(found):
            other = int(candidates[i]) & ring
            agreeing = estimate(slot, other, window_ms, time, words_of_low)
            if agreeing >= MIN_AGREEING:
                candidates[kept] = (PERMUTATIONS - agreeing) << _SLOT_BITS | other
                kept += 1
        if kept > 1:
            candidates[:kept].sort()

        # --- check, link, join
        target = NO_ROW
        best_score = 0
        best_relation = 0
        best_slot = -1
        links_to_target = 0
        tabulated = False
        words = (0, 0, 0, 0)
        for i in range(kept):
            other = int(candidates[i]) & ((1 << _SLOT_BITS) - 1)
            if target != NO_ROW and row_of[other] == target and links_to_target >= MAX_LINKS_PER_CLUSTER:
                continue
            if not tabulated:
                words = tabulate(arena, at, length, table)
                tabulated = True
            counters[CHECKS] += 1
            score, relation = verify(
                arena,
                at,
                length,
                words,
                int(start_of[other]) & arena_mask,
                int(tokens_of[other]),
                int(time[other]) - int(time[slot]),
                work.tables,
                work.facts,
                False,
            )
            if score < LINK_SCORE:
                continue
            counters[LINKS] += 1
            if score > best_score or (
                score == best_score
                and (
                    time[other] < time[best_slot]
                    or (
                        time[other] == time[best_slot]
                        and ((ordinal - other) & ring) > ((ordinal - best_slot) & ring)
                    )
                )
            ):
                best_score = score
                best_relation = relation
                best_slot = other
            linked_row = int(row_of[other])
            if target == NO_ROW:
                target = linked_row
                links_to_target = 1
            elif linked_row == target:
                links_to_target += 1
            else:
                target, survivor, lost = unite(target, linked_row, slots, rows)
                links_to_target += 1
                batch.merge_names[merged, 0] = survivor
                batch.merge_names[merged, 1] = lost
                batch.merge_facts[merged, 0] = position
                batch.merge_facts[merged, 1] = sizes[target]
                batch.merge_facts[merged, 2] = earliest[target]
                batch.merge_facts[merged, 3] = latest[target]
                merged += 1
        if tabulated:
            clear(table, words[0])

        if target == NO_ROW:
            free_rows[0] -= 1
            target = int(rows_stack[free_rows[0]])
            row_names[target] = names[position]
            founded[target] = earliest[target] = latest[target] = time[slot]
            sizes[target] = opens[target] = members[target] = 0
        join(slot, target, row_of, before, after, members, anchor)
        sizes[target] += 1
        opens[target] += 1
        earliest[target] = min(earliest[target], time[slot])
        latest[target] = max(latest[target], time[slot])
        name_of[slot] = row_names[target]
        relation_of[slot] = best_relation
        score_of[slot] = best_score
        matched[position] = (ordinal - ((ordinal - best_slot) & ring)) if best_slot >= 0 else 0
    return merged
