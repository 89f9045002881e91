"""Folding the changelog: the state that a batch left, without doing its work again."""

from __future__ import annotations

import numpy as np

from pipeline.arrays import I64
from pipeline.changelog import Change
from pipeline.clusters import fold_together, join_all, move, withdraw
from pipeline.errors import StateError
from pipeline.index import link_all
from pipeline.life import Kill
from pipeline.sketch import resketch
from pipeline.store import NEVER, Store
from pipeline.window import NO_ROW


def fold(store: Store, change: Change) -> None:
    """Bring a state to where it was after the batch that wrote ``change``.

    Raises :class:`StateError` when a change is missing before this one.
    """
    window = store.window
    if len(window) == 0 and window.next <= change.first:
        window.first = window.open = window.next = change.first
    if change.first != window.next:
        raise StateError(
            f"the changelog has a gap: article {window.next} is missing, the next record begins at "
            f"{change.first}; restore the state from a copy or start a new one"
        )
    store.expire(NEVER, min(change.opened, change.first), bond=False)
    store.make_room(len(change.ids), len(change.tokens), [], bond=False)
    places = _enter(store, change)
    # Clusters that merged in this batch first; then each article goes where it was at the batch's end.
    for survivor, lost in change.merge_names.tolist():
        _merge(store, survivor, lost)
    row = _join(store, change, places)
    _lives(store, change)
    # Last, because taking articles out counts: what the clusters were at the batch's end.
    inside = (row != NO_ROW) & (store.window.slots.row[places] >= 0)
    rows, row = store.window.rows, store.window.slots.row[places[inside]]
    rows.founded[row] = change.founded[inside]
    rows.earliest[row] = change.earliest[inside]
    rows.size[row] = change.size[inside]
    _reshape(store, change)
    store.watermark_ms = max(store.watermark_ms, change.watermark_ms)
    store.expire(NEVER, change.opened, bond=False)
    store.forget_kills()


def _enter(store: Store, change: Change) -> I64:
    window, slots = store.window, store.window.slots
    first = window.next
    sketches = resketch(change.tokens, change.ends)
    places = store.fill(change.ids, change.time, sketches, change.version.astype(np.int64), change.updated)
    slots.name[places] = change.name
    slots.relation[places] = change.relation
    slots.score[places] = change.score
    for slot, matched_id in zip(places.tolist(), change.matched_ids, strict=True):
        store.matched[slot] = matched_id
    for number, mark in enumerate(change.marks):
        if mark:
            store.marks[first + number] = mark
    link_all(first, window.next, window.heads, slots)
    return places


def _join(store: Store, change: Change, places: I64) -> I64:
    rows = store.window.rows
    row = np.array(
        [
            _row_named(store, cluster) if size else NO_ROW  # a late article is in no cluster
            for cluster, size in zip(change.cluster.tolist(), change.size.tolist(), strict=True)
        ],
        np.int64,
    )
    join_all(places, row, store.window.slots, rows)
    return row


def _lives(store: Store, change: Change) -> None:
    window = store.window
    for ordinal in change.removed.tolist():
        if ordinal >= window.first:
            _withdraw(store, ordinal)
    _move(store, change.moved, change.moved_to.tolist())
    _restamp(store, change)


def _reshape(store: Store, change: Change) -> None:
    rows = store.window.rows
    for name, (founded, earliest, latest, size) in zip(
        change.shape_names.tolist(), change.shapes.tolist(), strict=True
    ):
        row = store.names.get(name)
        if row is not None:
            rows.founded[row], rows.earliest[row], rows.latest[row] = founded, earliest, latest
            rows.size[row] = size


def _restamp(store: Store, change: Change) -> None:
    window, slots = store.window, store.window.slots
    here = change.stamped >= window.first
    places = change.stamped[here] & (window.capacity - 1)
    slots.version[places], slots.updated[places] = change.stamps[here].T
    here = change.renamed >= window.first
    slots.name[change.renamed[here] & (window.capacity - 1)] = change.renamed_to[here]
    here = change.bonded >= window.first
    slots.bond[change.bonded[here] & (window.capacity - 1)] = change.bonds[here]
    for article_id, (through, since_ms, ordinal), cluster in zip(
        change.kill_ids, change.kills.tolist(), change.kill_clusters.tolist(), strict=True
    ):
        store.kills.put(article_id, Kill(through, cluster, since_ms, ordinal))


def _withdraw(store: Store, ordinal: int) -> None:
    window = store.window
    slot = window.slot(ordinal)
    row = int(window.slots.row[slot])
    name = int(window.rows.name[row]) if row >= 0 else 0
    if withdraw(slot, ordinal >= window.open, window.slots, window.rows) == NO_ROW:
        store.names.pop(name, None)
    store.forget_id(ordinal)


def _move(store: Store, ordinals: I64, names: list[int]) -> None:
    window = store.window
    for ordinal, name in zip(ordinals.tolist(), names, strict=True):
        slot = window.slot(ordinal)
        if ordinal < window.first or window.slots.row[slot] < 0:
            continue
        source = int(window.slots.row[slot])
        target = _row_named(store, name)
        if source == target:
            continue
        old = int(window.rows.name[source])
        is_open = np.array([ordinal >= window.open], np.uint8)
        move(np.array([slot], np.int64), is_open, target, window.slots, window.rows)
        if window.rows.members[source] == 0:
            store.names.pop(old, None)


def _merge(store: Store, survivor: int, lost: int) -> None:
    slots, rows, names = store.window.slots, store.window.rows, store.names
    # Either may consist of dropped articles alone; then there is nothing to move.
    drop = names.pop(lost, None)
    if drop is None:
        return
    row = names.pop(survivor, drop)
    if row != drop:
        row = fold_together(row, drop, slots, rows)
    rows.name[row] = survivor
    names[survivor] = row


def _row_named(store: Store, name: int) -> int:
    row = store.names.get(name)
    if row is None:
        row = store.new_row(name, NEVER)
    return row
