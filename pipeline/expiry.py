"""Leaving the window: articles expire behind the watermark, clusters close, slots are freed."""

from __future__ import annotations

from pipeline.arrays import I64, U64
from pipeline.clusters import leave
from pipeline.kernels import kernel
from pipeline.window import NO_ROW, Rows, Slots


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
) -> tuple[int, int]:
    """Expire articles from ``opened`` on, as long as they are older than ``horizon_ms``.

    Ordinals before ``forced`` expire whatever their time. ``closed`` receives (size,
    earliest, latest) and ``closed_names`` the name of each cluster whose last open
    article expired. Returns the new ``opened`` and the number of closed clusters.
    Stops early when ``closed`` is full.
    """
    ring = len(slots.row) - 1
    count = 0
    while opened < newest and count < len(closed_names):
        slot = opened & ring
        if opened >= forced and slots.time[slot] >= horizon_ms:
            break
        cluster = int(slots.row[slot])
        if cluster != NO_ROW:
            rows.open[cluster] -= 1
            if rows.open[cluster] == 0:
                closed_names[count] = rows.name[cluster]
                closed[count, 0] = rows.size[cluster]
                closed[count, 1] = rows.earliest[cluster]
                closed[count, 2] = rows.latest[cluster]
                count += 1
        opened += 1
    return opened, count


@kernel
def free(first: int, end: int, slots: Slots, rows: Rows, gone: U64) -> int:
    """Give up the slots of the expired articles ``first <= ordinal < end``.

    ``gone`` receives the names of the clusters that have no members left; returns their number.
    """
    ring = len(slots.row) - 1
    count = 0
    for ordinal in range(first, end):
        slot = ordinal & ring
        if slots.row[slot] == NO_ROW:
            continue
        cluster = leave(slot, slots, rows)
        if rows.members[cluster] == 0:
            rows.free[rows.free_count[0]] = cluster
            rows.free_count[0] += 1
            gone[count] = rows.name[cluster]
            count += 1
    return count
