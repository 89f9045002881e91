"""Links between articles that are in the window already, for taking clusters apart."""

from __future__ import annotations

from pipeline.arrays import I64, U8
from pipeline.bands import BANDS, ROWS
from pipeline.kernels import called, kernel
from pipeline.matching import MIN_AGREEING, Workspace, estimate, words_of
from pipeline.tokens import Tokens
from pipeline.verify import LINK_SCORE, verify
from pipeline.window import Slots
from pipeline.wordtable import clear, tabulate


@called
def shares_bucket(slot: int, other: int, slots: Slots) -> bool:
    """Tell whether the index would find two articles: they agree on a whole band."""
    for band in range(BANDS):
        together = 0
        for k in range(band * ROWS, band * ROWS + ROWS):
            together += 1 if slots.low[slot, k] == slots.low[other, k] else 0
        if together == ROWS:
            return True
    return False


@kernel
def linked_to(
    slot: int, others: I64, window_ms: int, arena: Tokens, slots: Slots, work: Workspace, linked: U8
) -> None:
    """Set ``linked`` to 1 for each of the slots ``others`` whose article links to the one in ``slot``.

    The same question as in :func:`pipeline.matching.match_batch`, asked without the buckets.
    """
    arena_mask = len(arena) - 1
    at = int(slots.start[slot]) & arena_mask
    length = int(slots.tokens[slot])
    tabulated = False
    words = (0, 0, 0, 0)
    for i in range(len(others)):
        other = int(others[i])
        linked[i] = 0
        if length == 0 or slots.tokens[other] == 0 or not shares_bucket(slot, other, slots):
            continue
        if estimate(slot, other, window_ms, slots.time, words_of(slots.low)) < MIN_AGREEING:
            continue
        if not tabulated:
            words = tabulate(arena, at, length, work.tables[0])
            tabulated = True
        score, _ = verify(
            arena,
            at,
            length,
            words,
            int(slots.start[other]) & arena_mask,
            int(slots.tokens[other]),
            int(slots.time[other]) - int(slots.time[slot]),
            work.tables,
            work.facts,
            False,
        )
        linked[i] = 1 if score >= LINK_SCORE else 0
    if tabulated:
        clear(work.tables[0], words[0])
