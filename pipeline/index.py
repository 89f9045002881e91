"""The band index: buckets of articles that agree on a band.

Per band an array of bucket heads; a bucket is a chain of ordinals from the newest to
the oldest, through ``following`` in each article's slot. Ordinals only fall along a
chain, so the first one that has left the ring ends it: nothing is ever deleted.
A bucket can hold several keys; they are told apart by the band's bytes themselves.
"""

from __future__ import annotations

from pipeline.arrays import I64, U8, U32
from pipeline.bands import BANDS, ROWS
from pipeline.hashing import fmix32
from pipeline.kernels import called, inlined, kernel
from pipeline.window import ORDINAL_MASK, Slots


@inlined
def bucket(low: U8, band: int, mask: int) -> int:
    """Return the bucket of one band of one article's low bytes (uint8 ``[PERMUTATIONS]``)."""
    at = band * ROWS
    key = int(low[at]) | int(low[at + 1]) << 8 | int(low[at + 2]) << 16
    return fmix32(key ^ (band << 24)) & mask


@called
def insert(ordinal: int, slot: int, heads: U32, slots: Slots) -> None:
    """Put the article in ``slot`` at the head of its buckets."""
    low = slots.low[slot]
    mask = heads.shape[1] - 1
    for band in range(BANDS):
        place = bucket(low, band, mask)
        slots.following[slot, band] = heads[band, place]
        heads[band, place] = ordinal & ORDINAL_MASK


@called
def gather(
    slot: int, newest: int, count: int, slots: Slots, limit: int, seen: I64, candidates: I64
) -> tuple[int, int]:
    """Collect the articles that share a band with the one in ``slot``, which was just inserted.

    ``newest``: its ordinal, ``count``: how many ordinals before it may be found. At most
    ``limit`` members of a bucket are looked at. ``seen`` (int64 by slot) lets each
    article through once. Returns the number of candidates (ordinals in ``candidates``)
    and how many buckets were cut off.

    Inserting first makes the many random accesses to the heads independent of each
    other; the walks below then begin in the article's own row.
    """
    ring = len(slots.row) - 1
    all_low = slots.low
    low = all_low[slot]
    found = 0
    cut = 0
    for band in range(BANDS):
        at = band * ROWS
        link = int(slots.following[slot, band])
        walked = 0
        last_age = 0
        while True:
            age = (newest - link) & ORDINAL_MASK
            if age <= last_age or age > count:
                break
            last_age = age
            other = (newest - age) & ring
            if (
                all_low[other, at] == low[at]
                and all_low[other, at + 1] == low[at + 1]
                and all_low[other, at + 2] == low[at + 2]
                and slots.row[other] >= 0
            ):
                if walked >= limit:
                    cut += 1
                    break
                walked += 1
                if seen[other] != newest:
                    seen[other] = newest
                    candidates[found] = newest - age
                    found += 1
            link = int(slots.following[other, band])
    return found, cut


@kernel
def link_all(first: int, newest: int, heads: U32, slots: Slots) -> None:
    """Build all buckets again, after the ring has grown."""
    ring = len(slots.row) - 1
    for ordinal in range(first, newest):
        slot = ordinal & ring
        if slots.tokens[slot] > 0:
            insert(ordinal, slot, heads, slots)
