"""Every link of a set of articles, found as the engine finds them but without its window of arrays.

For evaluation: the same bands, estimate and verifier, so the same links and the same
partition into clusters as a run over these articles in any order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.article import Article
from pipeline.bands import BANDS, ROWS, Bytes
from pipeline.engine import Engine
from pipeline.matcher import MAX_BUCKET_WALK
from pipeline.matching import MIN_AGREEING
from pipeline.tokens import Tokens
from pipeline.verify import LINK_SCORE, compared

_BATCH = 2048


@dataclass(slots=True)
class Sketched:
    """Articles with their tokens, low bytes (uint8 ``[n, PERMUTATIONS]``) and times (ms; 0 if undated)."""

    tokens: list[Tokens]
    low: Bytes
    times: npt.NDArray[np.int64]


def sketch_all(articles: list[Article], engine: Engine) -> Sketched:
    """Sketch any number of articles."""
    tokens: list[Tokens] = []
    low = [np.empty((0, BANDS * ROWS), np.uint8)]
    for first in range(0, len(articles), _BATCH):
        sketches = engine.sketcher.sketch(articles[first : first + _BATCH])
        tokens += [sketches.tokens_of(row) for row in range(len(sketches))]
        low.append(sketches.low)
    return Sketched(tokens, np.concatenate(low), np.array([a.published_ms or 0 for a in articles], np.int64))


def sharing_a_band(sketched: Sketched) -> list[tuple[int, int]]:
    """List the pairs of positions that share a band."""
    rows = np.array([row for row, tokens in enumerate(sketched.tokens) if len(tokens)], np.int64)
    low = sketched.low
    found: set[tuple[int, int]] = set()
    for band in range(BANDS if len(rows) else 0):
        part = low[rows, band * ROWS : (band + 1) * ROWS].astype(np.int64)
        keys = part[:, 0] << 16 | part[:, 1] << 8 | part[:, 2]
        order = np.argsort(keys, kind="stable")
        for bucket in np.split(rows[order], np.flatnonzero(np.diff(keys[order])) + 1):
            if len(bucket) > 1:
                for place, left in enumerate(bucket.tolist()):
                    found.update(
                        (left, right) for right in bucket[place + 1 : place + MAX_BUCKET_WALK].tolist()
                    )
    return sorted(found)


def proposed(sketched: Sketched, window_ms: int | None = None) -> list[tuple[int, int]]:
    """List the pairs of positions that share a band, pass the estimate and lie in one window."""
    low = sketched.low
    return [
        (left, right)
        for left, right in sharing_a_band(sketched)
        if (window_ms is None or abs(int(sketched.times[left] - sketched.times[right])) <= window_ms)
        and int((low[left] == low[right]).sum()) >= MIN_AGREEING
    ]


def links(sketched: Sketched, window_ms: int | None = None) -> list[tuple[int, int]]:
    """List the pairs of positions that the engine would link."""
    return [
        (left, right)
        for left, right in proposed(sketched, window_ms)
        if compared(
            sketched.tokens[left], sketched.tokens[right], int(sketched.times[left] - sketched.times[right])
        )[0]
        >= LINK_SCORE
    ]


def components(count: int, linked: list[tuple[int, int]]) -> list[int]:
    """Return for each position the smallest position in its cluster."""
    parents = list(range(count))

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    for left, right in linked:
        a, b = root(left), root(right)
        parents[max(a, b)] = min(a, b)
    return [root(place) for place in range(count)]
