"""Leaving the window: articles expire behind the watermark, clusters close, slots are freed.

An expired article cannot be compared any more, but what it linked stays linked. So that a
cluster can be taken apart later, when one of its members is withdrawn, the members that
an expired article held together are *bonded*: they share a number.
"""

from __future__ import annotations

from pipeline.arrays import I64, U64
from pipeline.clusters import drop_if_empty, leave
from pipeline.kernels import kernel
from pipeline.window import Rows, Slots


@kernel
def expire(
    opened: int,
    newest: int,
    horizon_ms: int,
    forced: int,
    slots: Slots,
    rows: Rows,
    closed: I64,
    closed_names: U64,
    holding: I64,
) -> tuple[int, int, int]:
    """Expire articles from ``opened`` on, as long as they are older than ``horizon_ms``.

    Ordinals before ``forced`` expire whatever their time. ``closed`` receives (size,
    earliest, latest) and ``closed_names`` the name of each cluster whose last open
    article expired; ``holding`` the ordinals of articles that leave two open members or more.
    Returns the new ``opened`` and how many there are of both. Stops early when either is full.
    """
    ring = len(slots.row) - 1
    count = 0
    held = 0
    while opened < newest and count < len(closed_names) and held < len(holding):
        slot = opened & ring
        if opened >= forced and slots.time[slot] >= horizon_ms:
            break
        cluster = int(slots.row[slot])
        if cluster >= 0:
            rows.open[cluster] -= 1
            if rows.open[cluster] > 1:
                holding[held] = opened
                held += 1
            if rows.open[cluster] == 0:
                closed_names[count] = rows.name[cluster]
                closed[0, count] = rows.size[cluster]
                closed[1, count] = rows.earliest[cluster]
                closed[2, count] = rows.latest[cluster]
                count += 1
        opened += 1
    return opened, count, held


@kernel
def free(first: int, end: int, slots: Slots, rows: Rows, gone: U64) -> int:
    """Give up the slots of the expired articles ``first <= ordinal < end``.

    ``gone`` receives the names of the clusters that have no members left; returns their number.
    """
    ring = len(slots.row) - 1
    count = 0
    for ordinal in range(first, end):
        slot = ordinal & ring
        if slots.row[slot] < 0:
            continue
        cluster = leave(slot, slots, rows)
        if drop_if_empty(cluster, rows):
            gone[count] = rows.name[cluster]
            count += 1
    return count
