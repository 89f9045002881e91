"""The band index: buckets of articles that agree on a band.

Per band an array of bucket heads; a bucket is a chain of ordinals from the newest to
the oldest, through ``following`` in each article's slot. Ordinals only fall along a
chain, so the first one that has left the ring ends it: nothing is ever deleted.
A bucket can hold several keys; they are told apart by the band's bytes themselves.
"""

from __future__ import annotations

import numpy as np

from pipeline.arrays import I32, I64, U8, U32
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
def insert(ordinal: int, slot: int, heads: U32, all_low: U8, following: U32) -> None:
    """Put the article in ``slot`` at the head of its buckets."""
    low = all_low[slot]
    mask = heads.shape[1] - 1
    # Apart, so that the hashes are computed several at a time; unsigned, because a signed index is
    # tested for being negative at each access. Together twice as fast.
    places = np.empty(BANDS, np.uint64)
    for band in range(BANDS):
        places[band] = bucket(low, band, mask)
    for band in range(BANDS):
        following[slot, band] = heads[band, places[band]]
        heads[band, places[band]] = ordinal & ORDINAL_MASK


@called
def gather(
    slot: int,
    newest: int,
    count: int,
    low: U8,
    following: U32,
    row: I32,
    limit: int,
    seen: I64,
    candidates: I64,
) -> tuple[int, int]:
    """Collect the articles that share a band with the one in ``slot``, which was just inserted.

    ``newest``: its ordinal, ``count``: how many ordinals before it may be found. At most
    ``limit`` members of a bucket are looked at. ``seen`` (int64 by slot) lets each
    article through once. Returns the number of candidates (ordinals in ``candidates``)
    and how many buckets were cut off.

    Inserting first makes the many random accesses to the heads independent of each
    other; the walks below then begin in the article's own row.
    """
    ring = len(row) - 1
    one, two, rows_of_band = np.uint64(1), np.uint64(2), np.uint64(ROWS)
    # Most buckets have no other member: those that have are listed first, without a branch.
    bands = np.empty(BANDS + 1, np.uint64)
    ages = np.empty(BANDS + 1, np.int64)
    others = np.empty(BANDS + 1, np.uint64)
    walks = 0
    for band in range(BANDS):
        age = (newest - int(following[slot, band])) & ORDINAL_MASK
        bands[walks] = band
        ages[walks] = age
        others[walks] = (newest - age) & ring
        walks += 1 if 0 < age <= count else 0
    found = 0
    cut = 0
    for walk in range(walks):
        band_at = bands[walk]
        at = band_at * rows_of_band
        age = int(ages[walk])
        walked = 0
        while True:
            other = others[walk]
            earlier = (newest - int(following[other, band_at])) & ORDINAL_MASK
            if (
                low[other, at] == low[slot, at]
                and low[other, at + one] == low[slot, at + one]
                and low[other, at + two] == low[slot, at + two]
                and row[other] >= 0
            ):
                if walked >= limit:
                    cut += 1
                    break
                walked += 1
                if seen[other] != newest:
                    seen[other] = newest
                    candidates[found] = newest - age
                    found += 1
            if earlier <= age or earlier > count:
                break
            age = earlier
            others[walk] = (newest - age) & ring
    return found, cut


@kernel
def link_all(first: int, newest: int, heads: U32, slots: Slots) -> None:
    """Build all buckets again, after the ring has grown."""
    ring = len(slots.row) - 1
    for ordinal in range(first, newest):
        slot = ordinal & ring
        if slots.tokens[slot] > 0:
            insert(ordinal, slot, heads, slots.low, slots.following)
