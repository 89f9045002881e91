"""What the check of a candidate costs: the estimate from its signature and, if it passes, the verifier."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np

from benchmarks.news import News
from pipeline.arrays import F64, I32, I64
from pipeline.bands import PERMUTATIONS, Bytes
from pipeline.features import FACTS
from pipeline.kernels import kernel
from pipeline.matching import MIN_AGREEING
from pipeline.tokens import Tokens
from pipeline.verify import LINK_SCORE, verify
from pipeline.wordtable import SCRATCH_SHAPE, clear, tabulate
from workers.candidates import sharing_a_band

_ROUNDS = 5
"""The quickest counts: the others had to wait for the machine."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds for the candidates of one set, of which ``verified`` passed the estimate."""

    candidates: int
    verified: int
    links: int
    seconds: float

    @property
    def microseconds(self) -> float:
        """What one candidate costs on average."""
        return self.seconds / max(1, self.candidates) * 1e6


@kernel
def _check(
    arena: Tokens,
    starts: I64,
    counts: I64,
    low: Bytes,
    pairs: I64,
    times: I64,
    scratch: I32,
    facts: F64,
) -> tuple[int, int]:
    verified = 0
    links = 0
    tabulated = -1
    words = (0, 0, 0, 0)
    for i in range(len(pairs)):
        left = pairs[i, 0]
        right = pairs[i, 1]
        agreeing = 0
        for k in range(PERMUTATIONS):
            agreeing += 1 if low[left, k] == low[right, k] else 0
        if agreeing < MIN_AGREEING:
            continue
        if tabulated != left:
            if tabulated >= 0:
                clear(scratch[0], words[0])
            words = tabulate(arena, starts[left], counts[left], scratch[0])
            tabulated = left
        gap = times[left] - times[right]
        score, _ = verify(
            arena, starts[left], counts[left], words, starts[right], counts[right], gap, scratch, facts, False
        )
        verified += 1
        links += 1 if score >= LINK_SCORE else 0
    if tabulated >= 0:
        clear(scratch[0], words[0])
    return verified, links


def check_cost(articles: News) -> Cost:
    """Check all candidates of a set as the engine does."""
    pairs = np.array(sharing_a_band(articles), np.int64).reshape(-1, 2)
    counts = np.array([len(tokens) for tokens in articles.tokens], np.int64)
    starts = np.cumsum(counts) - counts
    arena = np.concatenate(articles.tokens)
    scratch = np.zeros(SCRATCH_SHAPE, np.int32)
    facts = np.zeros(FACTS)
    best = float("inf")
    verified = links = 0
    for _ in range(_ROUNDS):
        began = perf_counter()
        verified, links = _check(arena, starts, counts, articles.low, pairs, articles.times, scratch, facts)
        best = min(best, perf_counter() - began)
    return Cost(len(pairs), verified, links, best)
