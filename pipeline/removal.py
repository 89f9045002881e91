"""Taking articles out of their clusters, and clusters apart.

A cluster is a connected component of the links between live articles. When a member is
withdrawn, the components of those that are left are computed again, from their stored
tokens: the part with the earliest article keeps the name, each other part gets its own.
Members that have expired stay with the part that keeps the name.
"""

from __future__ import annotations

import numpy as np

from pipeline.answers import ClusterEvent
from pipeline.arrays import I64
from pipeline.clusters import move, withdraw
from pipeline.draft import Draft
from pipeline.hashing import identity64
from pipeline.store import Store
from pipeline.window import NO_ROW


def remove(store: Store, ordinal: int, draft: Draft) -> tuple[list[ClusterEvent], bool]:
    """Withdraw an article that is in the window and not expired.

    Returns the events and whether the article was the last of its cluster.
    """
    slots, rows = store.window.slots, store.window.rows
    slot = store.window.slot(ordinal)
    row = int(slots.row[slot])
    time_ms = int(slots.time[slot])
    if withdraw(slot, True, slots, rows) == NO_ROW and row != NO_ROW:
        store.names.pop(int(rows.name[row]), None)
    draft.removed.append(ordinal)
    draft.parted.discard(ordinal)
    draft.renamed.pop(ordinal, None)
    draft.touched.discard(ordinal)
    store.forget_id(ordinal)
    if row == NO_ROW:
        return [ClusterEvent("closed", int(slots.name[slot]), 0, time_ms, time_ms)], True
    if rows.open[row] == 0:
        # whether expired members are still kept must not matter: only the counts are asked
        size = int(rows.size[row])
        facts = (size, int(rows.earliest[row]), int(rows.latest[row]))
        return [ClusterEvent("closed", int(rows.name[row]), *facts)], size == 0
    first_left = time_ms == int(rows.earliest[row])
    return _take_apart(store, row, ordinal, first_left, draft), False


def _take_apart(store: Store, row: int, removed: int, first_left: bool, draft: Draft) -> list[ClusterEvent]:
    window = store.window
    slots, rows = window.slots, window.rows
    name, removed_id = int(rows.name[row]), store.ids[window.slot(removed)]
    members = store.members(row)
    ordinals = store.ordinals_at(members)
    draft.touched.add(int(ordinals.max()))
    alive = members[ordinals >= window.open]
    all_alive = int(rows.size[row]) == len(alive)
    parts = components(store, alive)
    events = []
    parts.sort(key=lambda part: _rank(store, part))
    for part in parts[1:]:
        first_ms, first_id = _rank(store, part)
        # not as a later version would found one: that may be the name of the cluster that the part leaves
        other = store.new_row(identity64(f"{first_id}\0\0{removed}"), first_ms)
        move(part, np.ones(len(part), np.uint8), other, slots, rows)
        slots.name[part] = rows.name[other]
        draft.renamed.update(dict.fromkeys(store.ordinals_at(part).tolist(), int(rows.name[other])))
        draft.splits.append((name, int(rows.name[other]), removed_id))
        rows.size[other] = len(part)
        rows.size[row] -= len(part)
        rows.latest[other] = slots.time[part].max()
        facts = (len(part), first_ms, int(rows.latest[other]))
        events.append(ClusterEvent("split", name, *facts, int(rows.name[other]), removed_id))
    kept = parts[0]
    if all_alive and (first_left or len(parts) > 1):
        rows.earliest[row] = slots.time[kept].min()
    rows.latest[row] = slots.time[kept].max()
    if len(parts) > 1:
        draft.parted.update(ordinals[ordinals >= window.open].tolist())
    facts = (int(rows.size[row]), int(rows.earliest[row]), int(rows.latest[row]))
    return [ClusterEvent("shrunk", name, *facts, article_id=removed_id), *events]


def _rank(store: Store, part: I64) -> tuple[int, str]:
    """Return time (ms) and id of a part's earliest article."""
    time = store.window.slots.time[part]
    first = int(time.min())
    return first, min(store.ids[slot] for slot in part[time == first].tolist())


def components(store: Store, alive: I64) -> list[I64]:
    """Return the connected components of the links and bonds between the articles in these slots."""
    bond = store.window.slots.bond
    left = alive
    parts = []
    while len(left):
        part = [left[:1]]
        frontier = left[:1]
        left = left[1:]
        while len(frontier) and len(left):
            reached = np.zeros(len(left), np.bool_)
            groups = bond[frontier]
            reached |= np.isin(bond[left], groups[groups > 0])
            for slot in frontier.tolist():
                unasked = np.flatnonzero(~reached)
                reached[unasked[store.linked_to(slot, left[unasked])]] = True
            frontier = left[reached]
            left = left[~reached]
            part.append(frontier)
        parts.append(np.concatenate(part))
    return parts


def derived_from(store: Store, ordinal: int) -> list[str]:
    """Return the ids of the articles that derive from one, by time.

    They are reached from it through links from member to member of its cluster, none older than itself.
    """
    window = store.window
    slot = window.slot(ordinal)
    row = int(window.slots.row[slot])
    if row < 0:
        return []
    members = store.members(row)
    time = window.slots.time[members]
    later = members[
        (store.ordinals_at(members) >= window.open) & (time >= window.slots.time[slot]) & (members != slot)
    ]
    reached = components(store, np.concatenate((np.array([slot], np.int64), later)))[0][1:]
    found = sorted((int(window.slots.time[s]), store.ids[s]) for s in reached.tolist())
    return [article_id for _, article_id in found]
