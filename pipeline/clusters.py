"""Clusters: the connected components of the links, with names that stay.

Each cluster in the window is a row; its members form a circle through their slots, so
that two clusters become one by relabelling the smaller (weighted union: Galler,
Fischer 1964) and splicing the circles. The name comes from the founding article; of
two merging clusters the one that was founded earlier keeps its name.
"""

from __future__ import annotations

from pipeline.arrays import I32, I64, U8
from pipeline.kernels import called, kernel
from pipeline.window import NO_ROW, WITHDRAWN, Rows, Slots


@called
def older(left: int, right: int, rows: Rows) -> bool:
    """Tell whether cluster ``left`` was founded before cluster ``right`` (names decide ties)."""
    if rows.founded[left] != rows.founded[right]:
        return bool(rows.founded[left] < rows.founded[right])
    return bool(rows.name[left] < rows.name[right])


@called
def join(slot: int, target: int, row: I32, before: I32, after: I32, members: I32, anchor: I32) -> None:
    """Add the article in ``slot`` to the circle of cluster ``target``.

    The arrays are fields of :class:`Slots` and :class:`Rows`; named tuples of arrays cost a kernel much to pass.
    """
    row[slot] = target
    if members[target] == 0:
        before[slot] = slot
        after[slot] = slot
        anchor[target] = slot
    else:
        here = anchor[target]
        there = after[here]
        after[here] = slot
        before[slot] = here
        after[slot] = there
        before[there] = slot
    members[target] += 1


@kernel
def join_all(places: I64, row: I64, slots: Slots, rows: Rows) -> None:
    """Add the articles in the slots ``places`` to the clusters ``row``, open; :data:`NO_ROW` to none."""
    for position in range(len(places)):
        slot = places[position]
        target = row[position]
        slots.row[slot] = NO_ROW
        if target != NO_ROW:
            join(slot, target, slots.row, slots.before, slots.after, rows.members, rows.anchor)
            rows.open[target] += 1
            rows.latest[target] = max(rows.latest[target], slots.time[slot])


@called
def unite(left: int, right: int, slots: Slots, rows: Rows) -> tuple[int, int, int]:
    """Make one cluster of two.

    Returns the row that goes on and the names that survives and is lost (as uint64).
    """
    survivor = left if older(left, right, rows) else right
    name = rows.name[survivor]
    lost = rows.name[right if survivor == left else left]
    founded = rows.founded[survivor]
    keep = left
    drop = right
    if rows.members[drop] > rows.members[keep]:
        keep = right
        drop = left
    start = rows.anchor[drop]
    slot = start
    while True:
        slots.row[slot] = keep
        slot = slots.after[slot]
        if slot == start:
            break
    here = rows.anchor[keep]
    there = slots.after[here]
    tail = slots.before[start]
    slots.after[here] = start
    slots.before[start] = here
    slots.after[tail] = there
    slots.before[there] = tail
    rows.members[keep] += rows.members[drop]
    rows.open[keep] += rows.open[drop]
    rows.size[keep] += rows.size[drop]
    rows.earliest[keep] = min(rows.earliest[keep], rows.earliest[drop])
    rows.latest[keep] = max(rows.latest[keep], rows.latest[drop])
    rows.name[keep] = name
    rows.founded[keep] = founded
    rows.members[drop] = 0
    rows.free[rows.free_count[0]] = drop
    rows.free_count[0] += 1
    return keep, name, lost


@kernel
def fold_together(left: int, right: int, slots: Slots, rows: Rows) -> int:
    """Make one cluster of two, for callers that are not kernels; returns its row.

    A function of its own because only kernels are cached: :func:`unite` itself would be compiled anew
    by every process that restores a state, which takes longer than restoring 20,000 articles.
    """
    row, _, _ = unite(left, right, slots, rows)
    return row


@called
def leave(slot: int, slots: Slots, rows: Rows) -> int:
    """Take the article in ``slot`` out of its cluster; returns the cluster's row."""
    source = int(slots.row[slot])
    left = slots.before[slot]
    right = slots.after[slot]
    slots.after[left] = right
    slots.before[right] = left
    if rows.anchor[source] == slot:
        rows.anchor[source] = right
    rows.members[source] -= 1
    slots.row[slot] = NO_ROW
    return source


@called
def drop_if_empty(target: int, rows: Rows) -> bool:
    """Give the row of a cluster without members back; tells whether it was."""
    if rows.members[target] > 0:
        return False
    rows.free[rows.free_count[0]] = target
    rows.free_count[0] += 1
    return True


@kernel
def withdraw(slot: int, is_open: bool, slots: Slots, rows: Rows) -> int:
    """Take a withdrawn article out of its cluster.

    Returns the cluster's row, :data:`NO_ROW` when the article was its last member or had none.
    """
    source = NO_ROW
    if slots.row[slot] >= 0:
        source = leave(slot, slots, rows)
        rows.size[source] -= 1
        rows.open[source] -= 1 if is_open else 0
        if drop_if_empty(source, rows):
            source = NO_ROW
    slots.row[slot] = WITHDRAWN
    return source


@kernel
def members(target: int, slots: Slots, rows: Rows, found: I64) -> int:
    """Fill ``found`` with the slots of a cluster's members; returns their number."""
    start = int(rows.anchor[target])
    slot = start
    count = 0
    for _ in range(rows.members[target]):
        found[count] = slot
        count += 1
        slot = int(slots.after[slot])
    return count


@kernel
def move(places: I64, is_open: U8, target: int, slots: Slots, rows: Rows) -> None:
    """Move members from their clusters to cluster ``target``; the numbers of articles ever stay."""
    for position in range(len(places)):
        slot = int(places[position])
        if slots.row[slot] == target:
            continue
        source = leave(slot, slots, rows)
        rows.open[source] -= is_open[position]
        drop_if_empty(source, rows)
        join(slot, target, slots.row, slots.before, slots.after, rows.members, rows.anchor)
        rows.open[target] += is_open[position]
