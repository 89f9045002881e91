"""The verifier: are two articles the same copy, how sure is that, and in what way.

A logistic model over the ten features of :mod:`pipeline.features`, with the rules of
:mod:`pipeline.rules` beside it, and the time between the two. ``benchmarks/fit_verifier.py``
fits the coefficients; docs/quality.md has the measurements. A pair links when its score is
at least one half.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np

from pipeline.arrays import F64, I32
from pipeline.features import (
    CONTAINED,
    FACTS,
    FEATURES,
    FEWEST_WORDS,
    LENGTH_RATIO,
    MAX_UNQUOTED,
    MAX_WORST,
    RUN,
    SENTENCES,
    UNQUOTED,
    WORST,
    cheap_facts,
    light_facts,
    sentence_facts,
)
from pipeline.kernels import called, kernel
from pipeline.rules import PARAMETERS, TEMPLATE_WORDS, VERBATIM_SHARED, rule_of, rules
from pipeline.tokens import HASH_SHIFT, Tokens
from pipeline.wordtable import SCRATCH_SHAPE, clear, overlap, tabulate

COEFFICIENTS = (2.8, 17.7, 3.3, 2.5, 23.2, 8.8, 6.6, 25.6, 7.1, 6.5)
"""One for each of :data:`pipeline.features.FEATURES`; all positive: agreement never speaks against a link."""
BIAS = -69.12

# Copies follow their source within hours. Each day between two articles beyond the first
# speaks against a link, up to a limit: what repeats after days is mostly a template.
DAY_MS = 86_400_000
FREE_GAP_MS = DAY_MS
GAP_COEFFICIENT = 1.0  # logits a day
MAX_GAP_PENALTY = 8.0
# The same short item half a day later or more is mostly the next day's: central bank
# operations, market openings.
SHORT_FREE_GAP_MS = 43_200_000
SHORT_GAP_COEFFICIENT = 4.0

NEW, EXACT, COPY, REWRITE, ABRIDGED = range(5)
RELATIONS = ("new", "exact", "copy", "rewrite", "abridged")

SCORE_UNIT = 10_000
LINK_SCORE = SCORE_UNIT // 2
PERFECT_SCORE = SCORE_UNIT

# Identical texts link from so many content words on; "Correction to follow" is no story.
EXACT_MIN_TOKENS = 5

COPY_SHARED, COPY_RUN = 0.85, 0.70
ABRIDGED_LENGTH_RATIO, ABRIDGED_SHARED = 0.6, 0.7

MODEL = (
    FEATURES,
    COEFFICIENTS,
    BIAS,
    PARAMETERS,
    EXACT_MIN_TOKENS,
    FREE_GAP_MS,
    GAP_COEFFICIENT,
    SHORT_FREE_GAP_MS,
    SHORT_GAP_COEFFICIENT,
    MAX_GAP_PENALTY,
)
"""What the engine fingerprint covers of the verifier."""

_COEFFICIENTS = np.array(COEFFICIENTS)
# The most that the features which need the words' order can add.
_MOST_FROM_ORDER = (
    sum(COEFFICIENTS[WORST:])
    - COEFFICIENTS[WORST] * (1 - MAX_WORST)
    - COEFFICIENTS[UNQUOTED] * (1 - MAX_UNQUOTED)
)


@called
def model(facts: F64) -> float:
    """Return the model's verdict without the rules."""
    z = BIAS
    for k in range(len(_COEFFICIENTS)):
        z += _COEFFICIENTS[k] * facts[k]
    return z


@called
def logit(facts: F64) -> float:
    """Return the verdict; above 0 the pair links."""
    return rules(model(facts), facts)


@called
def _gap_penalty(gap_ms: int, fewest_words: float) -> float:
    """Return what the time between two articles takes off the model's verdict."""
    short = fewest_words < TEMPLATE_WORDS
    free = SHORT_FREE_GAP_MS if short else FREE_GAP_MS
    days = max(0, abs(gap_ms) - free) / DAY_MS
    return min(MAX_GAP_PENALTY, (SHORT_GAP_COEFFICIENT if short else GAP_COEFFICIENT) * days)


@called
def same_words(arena: Tokens, a: int, a_count: int, b: int, b_count: int) -> bool:
    """Tell whether two texts have the same content words in the same order."""
    if a_count != b_count:
        return False
    for i in range(a_count):  # noqa: SIM110 (a kernel)
        if (int(arena[a + i]) ^ int(arena[b + i])) >> HASH_SHIFT:
            return False
    return True


@called
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


@called
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
        most = BIAS + _MOST_FROM_ORDER
        for k in range(WORST):
            most += _COEFFICIENTS[k] * facts[k]
        if most <= 0 and facts[CONTAINED] < VERBATIM_SHARED:
            clear(right, distinct)
            return 0, NEW
    if a_is_light:
        light_facts(arena, a, a_count, left, b, b_count, right, scratch[2], facts)
    else:
        light_facts(arena, b, b_count, right, a, a_count, left, scratch[2], facts)
    if not thorough and facts[CONTAINED] < VERBATIM_SHARED:
        facts[SENTENCES] = 1.0
        if model(facts) <= 0:
            clear(right, distinct)
            return 0, NEW
    if a_is_light:
        sentence_facts(arena, a, a_count, left, b, b_count, right, scratch[2], facts)
    else:
        sentence_facts(arena, b, b_count, right, a, a_count, left, scratch[2], facts)
    clear(right, distinct)
    z = logit(facts) - _gap_penalty(gap_ms, facts[FEWEST_WORDS])
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
    """The verdict on a pair.

    ``score`` in units of 1/:data:`SCORE_UNIT`; ``facts`` by feature name; ``penalty``: logits
    that the time between the two took off; ``rule``: the key of :data:`pipeline.rules.RULES` that applies.
    """

    score: int
    relation: int
    facts: dict[str, float]
    penalty: float = 0.0
    rule: str = "model"

    @property
    def linked(self) -> bool:
        """Whether the two are the same copy."""
        return self.score >= LINK_SCORE


def compare(left: Tokens, right: Tokens, gap_ms: int = 0) -> Comparison:
    """Compare two articles by their tokens and the time between them; symmetric."""
    score, relation, facts = compared(left, right, gap_ms)
    named = dict(zip(FEATURES, facts.tolist(), strict=False))
    rule = rule_of(facts)
    penalty = 0.0 if rule == "identical" else _gap_penalty(gap_ms, float(facts[FEWEST_WORDS]))
    return Comparison(score, relation, named, penalty, rule)


def compared(left: Tokens, right: Tokens, gap_ms: int = 0) -> tuple[int, int, F64]:
    """Return the score, the relation and all facts (float64 ``[FACTS]``; zeros when the words are the same)."""
    arena = np.concatenate((left, right))
    scratch = np.zeros(SCRATCH_SHAPE, np.int32)
    facts = np.zeros(FACTS)
    score, relation = _compare(arena, len(left), gap_ms, scratch, facts)
    return int(score), int(relation), facts


@kernel
def _compare(arena: Tokens, split: int, gap_ms: int, scratch: I32, facts: F64) -> tuple[int, int]:
    words = tabulate(arena, 0, split, scratch[0])
    return verify(arena, 0, split, words, split, len(arena) - split, gap_ms, scratch, facts, True)
