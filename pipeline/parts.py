"""A change cut into smaller ones, for a place that takes no records of its size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipeline.changelog import Change, encode

_BY_ARTICLE = (
    *("time", "name", "relation", "score", "matched_ids", "founded", "earliest", "size", "cluster"),
    *("version", "updated"),
)
_SOMETIMES = ("marks", "about")


def encode_parts(change: Change, most_bytes: int) -> Iterator[bytes]:
    """Yield a change as records of at most ``most_bytes``, which fold to the same state one after the other.

    The record of a single article may be larger.
    """
    record = encode(change)
    if len(record) <= most_bytes or len(change.ids) < 2:
        yield record
        return
    for half in halves(change, len(change.ids) // 2):
        yield from encode_parts(half, most_bytes)


def halves(change: Change, count: int) -> tuple[Change, Change]:
    """Return the change of the first ``count`` articles and that of the rest.

    What was decided about an article is the same in both: where it is after the whole batch. What became
    of articles after they came is in the second.
    """
    cut = int(change.ends[count - 1])
    early = change.merge_positions < count
    left = Change(
        fingerprint=change.fingerprint,
        first=change.first,
        opened=min(change.opened, change.first),
        watermark_ms=change.watermark_ms,
        ids=change.ids[:count],
        tokens=change.tokens[:cut],
        ends=change.ends[:count],
        merge_names=change.merge_names[early],
        merge_positions=change.merge_positions[early],
        **{name: getattr(change, name)[:count] for name in (*_BY_ARTICLE, *_SOMETIMES)},
    )
    right = replace(
        change,
        first=change.first + count,
        ids=change.ids[count:],
        tokens=change.tokens[cut:],
        ends=change.ends[count:] - cut,
        merge_names=change.merge_names[~early],
        merge_positions=change.merge_positions[~early] - count,
        **{name: getattr(change, name)[count:] for name in (*_BY_ARTICLE, *_SOMETIMES)},
    )
    return left, right
