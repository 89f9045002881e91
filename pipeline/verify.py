"""The verifier: are two articles the same copy, how sure is that, and in what way.

A logistic model over the nine features of :mod:`pipeline.features`, with two rules
beside it: texts that are verbatim but for a few words link, and short texts link only
then. ``benchmarks/fit_verifier.py`` fits the coefficients; docs/quality.md has the
measurements. A pair links when its score is at least one half.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np

from pipeline.arrays import F64, I32
from pipeline.features import (
    CONTAINED,
    DIFFERING_NUMBERS,
    FACTS,
    FEATURES,
    FEWEST_WORDS,
    LENGTH_RATIO,
    MAX_ALIGNED,
    MAX_LEADS,
    MAX_WORST,
    RUN,
    SCRATCH_SHAPE,
    cheap_facts,
    clear,
    overlap,
    sequence_facts,
    tabulate,
)
from pipeline.kernels import inlined, kernel
from pipeline.tokens import HASH_SHIFT, Tokens

COEFFICIENTS = (3.4, 7.4, 1.3, 14.5, 3.9, 1.95, 4.3, 46.0, 1.0)
"""One for each of :data:`pipeline.features.FEATURES`; all positive: agreement never speaks against a link."""
BIAS = -36.03

# Copies follow their source within hours. Each day between two articles beyond the first
# speaks against a link, up to a limit: what repeats after days is mostly a template.
FREE_GAP_MS = 86_400_000
GAP_COEFFICIENT = 1.0  # logits a day
MAX_GAP_PENALTY = 4.0

NEW, EXACT, COPY, REWRITE, ABRIDGED = range(5)
RELATIONS = ("new", "exact", "copy", "rewrite", "abridged")

SCORE_UNIT = 10_000
LINK_SCORE = SCORE_UNIT // 2
PERFECT_SCORE = SCORE_UNIT

# Verbatim but for a few words, and with the same figures (a flash, an item of one line).
VERBATIM_MIN_WORDS, VERBATIM_SHARED, VERBATIM_RUN, VERBATIM_LENGTH_RATIO = 12, 0.95, 0.85, 0.8
VERBATIM_MAX_DIFFERING_NUMBERS = 1
VERBATIM_LOGIT = 2.0
# Below so many distinct content words chance and templates look like copies.
SHORT_WORDS = 15
SHORT_LOGIT = -1.0
# Identical texts link from so many content words on; "Correction to follow" is no story.
EXACT_MIN_TOKENS = 5

COPY_SHARED, COPY_RUN = 0.85, 0.70
ABRIDGED_LENGTH_RATIO, ABRIDGED_SHARED = 0.6, 0.7

MODEL = (
    FEATURES,
    COEFFICIENTS,
    BIAS,
    VERBATIM_MIN_WORDS,
    VERBATIM_SHARED,
    VERBATIM_RUN,
    SHORT_WORDS,
    EXACT_MIN_TOKENS,
)
"""What the engine fingerprint covers of this module."""

_COEFFICIENTS = np.array(COEFFICIENTS)
# The most that the features which need the words' order can add.
_MOST_FROM_ORDER = (
    COEFFICIENTS[1] * MAX_ALIGNED
    + COEFFICIENTS[2]
    + COEFFICIENTS[6]
    + COEFFICIENTS[7] * MAX_WORST
    + COEFFICIENTS[8] * MAX_LEADS
)


@inlined
def logit(facts: F64) -> float:
    """Return the model's verdict; above 0 the pair links."""
    z = BIAS
    for k in range(len(_COEFFICIENTS)):
        z += _COEFFICIENTS[k] * facts[k]
    if (
        facts[FEWEST_WORDS] >= VERBATIM_MIN_WORDS
        and facts[CONTAINED] >= VERBATIM_SHARED
        and facts[RUN] >= VERBATIM_RUN
        and facts[LENGTH_RATIO] >= VERBATIM_LENGTH_RATIO
        and facts[DIFFERING_NUMBERS] <= VERBATIM_MAX_DIFFERING_NUMBERS
    ):
        return max(z, VERBATIM_LOGIT)
    if facts[FEWEST_WORDS] < SHORT_WORDS:
        return min(z, SHORT_LOGIT)
    return z


@inlined
def gap_penalty(gap_ms: int) -> float:
    """Return what the time between two articles takes off the model's verdict."""
    days = max(0, abs(gap_ms) - FREE_GAP_MS) / FREE_GAP_MS
    return min(MAX_GAP_PENALTY, GAP_COEFFICIENT * days)


@inlined
def same_words(arena: Tokens, a: int, a_count: int, b: int, b_count: int) -> bool:
    """Tell whether two texts have the same content words in the same order."""
    if a_count != b_count:
        return False
    for i in range(a_count):  # noqa: SIM110 (a kernel)
        if (int(arena[a + i]) ^ int(arena[b + i])) >> HASH_SHIFT:
            return False
    return True


@inlined
def lighter(arena: Tokens, a: int, a_count: int, a_weight: int, b: int, b_count: int, b_weight: int) -> bool:
    """Tell whether text ``a`` is the lighter side; a total order, so that the roles are symmetric."""
    if a_weight != b_weight:
        return a_weight < b_weight
    if a_count != b_count:
        return a_count < b_count
    for i in range(a_count):
        if arena[a + i] != arena[b + i]:
            return bool(arena[a + i] < arena[b + i])
    return True


@inlined
def verify(
    arena: Tokens,
    a: int,
    a_count: int,
    a_words: tuple[int, int, int, int],
    b: int,
    b_count: int,
    gap_ms: int,
    scratch: I32,
    facts: F64,
    thorough: bool,
) -> tuple[int, int]:
    """Compare text ``a``, whose table is ``scratch[0]`` with totals ``a_words``, with text ``b``, published ``gap_ms`` before or after it.

    Returns the score (0 to :data:`SCORE_UNIT`) and the relation, :data:`NEW` when they
    do not link. Without ``thorough``, a pair that cannot link any more gets score 0.
    """
    if same_words(arena, a, a_count, b, b_count):
        return (PERFECT_SCORE, EXACT) if a_count >= EXACT_MIN_TOKENS else (0, NEW)
    left = scratch[0]
    right = scratch[1]
    distinct, weight, numbers, entities = tabulate(arena, b, b_count, right)
    a_distinct, a_weight, a_numbers, a_entities = a_words
    a_is_light = lighter(arena, a, a_count, a_weight, b, b_count, weight)
    if a_is_light:
        shared, same_numbers, same_entities = overlap(left, right, a_distinct)
    else:
        shared, same_numbers, same_entities = overlap(right, left, distinct)
    cheap_facts(
        shared,
        same_numbers,
        same_entities,
        a_distinct,
        distinct,
        a_weight,
        weight,
        a_numbers,
        numbers,
        a_entities,
        entities,
        facts,
    )
    if not thorough:
        most = (
            BIAS
            + _COEFFICIENTS[0] * facts[0]
            + _COEFFICIENTS[3] * facts[3]
            + _COEFFICIENTS[4] * facts[4]
            + _COEFFICIENTS[5] * facts[5]
            + _MOST_FROM_ORDER
        )
        if most <= 0 and facts[CONTAINED] < VERBATIM_SHARED:
            clear(right, distinct)
            return 0, NEW
    if a_is_light:
        sequence_facts(arena, a, a_count, left, b, b_count, right, scratch[2], facts)
    else:
        sequence_facts(arena, b, b_count, right, a, a_count, left, scratch[2], facts)
    clear(right, distinct)
    z = logit(facts) - gap_penalty(gap_ms)
    score = int(SCORE_UNIT / (1.0 + exp(-z)))
    if z <= 0:
        return min(score, LINK_SCORE - 1), NEW
    if facts[CONTAINED] >= COPY_SHARED and facts[RUN] >= COPY_RUN:
        return score, COPY if facts[LENGTH_RATIO] >= COPY_RUN else ABRIDGED
    if facts[LENGTH_RATIO] < ABRIDGED_LENGTH_RATIO and facts[CONTAINED] >= ABRIDGED_SHARED:
        return score, ABRIDGED
    return score, REWRITE


@dataclass(frozen=True, slots=True)
class Comparison:
    """The verdict on a pair. ``score`` in units of 1/:data:`SCORE_UNIT`; ``facts`` by feature name."""

    score: int
    relation: int
    facts: dict[str, float]

    @property
    def linked(self) -> bool:
        """Whether the two are the same copy."""
        return self.score >= LINK_SCORE


def compare(left: Tokens, right: Tokens, gap_ms: int = 0) -> Comparison:
    """Compare two articles by their tokens and the time between them; symmetric."""
    arena = np.concatenate((left, right))
    scratch = np.zeros(SCRATCH_SHAPE, np.int32)
    facts = np.zeros(FACTS)
    score, relation = _compare(arena, len(left), gap_ms, scratch, facts)
    named = dict(zip(FEATURES, facts.tolist(), strict=False))
    return Comparison(int(score), int(relation), named)


@kernel
def _compare(arena: Tokens, split: int, gap_ms: int, scratch: I32, facts: F64) -> tuple[int, int]:
    words = tabulate(arena, 0, split, scratch[0])
    return verify(arena, 0, split, words, split, len(arena) - split, gap_ms, scratch, facts, True)
