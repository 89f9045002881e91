"""What two articles have in common: the exact features that the verifier weighs.

Of the two sides the *lighter* is the one with less content weight. All features are
sums of integers over both token sequences, so they depend neither on the order of the
two nor on the machine. Weights of words are :data:`pipeline.wordtable.WEIGHTS` by level.

=========  ====================================================================
feature    meaning
=========  ====================================================================
numbers    how far the figures agree (mean of a shrunk Jaccard and containment)
shared     distinct words in common, over the smaller number of distinct words
entities   how far names and figures agree (shrunk Jaccard)
length     log(1 + weight) of the lighter text
worst      the lighter text in four parts: coverage of the worst
order      share of neighbours, among words that occur once on both sides, that
           stand in the same order
sentences  share of the heavier text's neighbouring sentences whose best partners
           in the lighter one stand in the same order
even       the lighter text in eight parts: how evenly verbatim passages are
           spread over them (1 minus their standard deviation; matters in long texts)
unquoted   share of the lighter text outside quotations
phrases    of the lighter text's words outside quotations, the share that continues
           a phrase of the heavier one
=========  ====================================================================

Phrases, order and evenness are what tells rewrites from other reports: a rewrite follows its
source from top to bottom, changes it everywhere a little, and keeps some of its turns of phrase.
Independent reports of an event and template stories do not follow one another; an outlet's next
report has a new top and then its old background word for word; what reports of one event do share
are names, figures and quotations.
"""

from __future__ import annotations

from math import log, sqrt

import numpy as np

from pipeline.arrays import F64, I32
from pipeline.kernels import called
from pipeline.tokens import HASH_SHIFT, LEVEL_MASK, LEVEL_SHIFT, QUOTED, STARTS_SENTENCE, Tokens
from pipeline.wordtable import COUNT, FIRST, FIRST_SENTENCE, HEFT, LAST_SENTENCE, TOUCHED, find

FEATURES = (
    "numbers",
    "shared",
    "entities",
    "length",
    "worst",
    "order",
    "sentences",
    "even",
    "unquoted",
    "phrases",
)
NUMBERS, SHARED, ENTITIES, LENGTH, WORST, ORDER, SENTENCES, EVEN, UNQUOTED, PHRASES = range(10)
# Beyond the features: what the rules for short, verbatim, collected and independent texts look at.
RUN, LENGTH_RATIO, FEWEST_WORDS, DIFFERING_NUMBERS, CONTAINED, HEAVY_LEAD, LIGHT_LEAD, NAMES = range(10, 18)
FEWEST_SENTENCES, PARTNERED = 18, 19
FACTS = 20

LEAD_TOKENS = 25
# Beyond these a feature says no more about whether the texts are the same copy.
MAX_SHARED, MAX_LENGTH, MAX_WORST, MAX_UNQUOTED = 0.55, 5.5, 0.15, 0.7
# A sentence has a partner when it has some weight and one sentence of the other text holds this share of it.
PARTNER_WEIGHT, PARTNER_SHARE = 8, 0.3
# Unevenness counts fully from so many distinct words on, and not at all up to so many (the parts
# of a short text are a few words each): those are taken to be as uneven as rewordings are.
EVEN_FROM_WORDS, EVEN_FULL_WORDS, USUALLY_UNEVEN = 50, 200, 0.12
_QUARTERS, _EIGHTHS = 4, 8
# Where the parts' weights stand in the scratch; the weights found follow.
_EIGHTHS_AT = 2 * _QUARTERS
_PARTS = _EIGHTHS_AT + 2 * _EIGHTHS

# log(1 + w), rounded so that it is the same on every machine.
_LOGARITHMS = np.array([round(log(1 + w), 6) for w in range(256)])


@called
def cheap_facts(
    shared: int,
    numbers: int,
    entities: int,
    light_distinct: int,
    heavy_distinct: int,
    light_weight: int,
    heavy_weight: int,
    light_numbers: int,
    heavy_numbers: int,
    light_entities: int,
    heavy_entities: int,
    facts: F64,
) -> None:
    """Fill in the features that follow from the word sets alone."""
    entities = min(entities, light_entities, heavy_entities)
    jaccard = (numbers + 2.0) / (light_numbers + heavy_numbers - numbers + 3.0)
    containment = (numbers + 1.0) / (min(light_numbers, heavy_numbers) + 2.0)
    contained = shared / max(1.0, float(min(light_distinct, heavy_distinct)))
    facts[NUMBERS] = (jaccard + containment) / 2.0
    facts[SHARED] = min(contained, MAX_SHARED)
    facts[ENTITIES] = (entities + 3.0) / (light_entities + heavy_entities - entities + 4.0)
    facts[LENGTH] = min(_LOGARITHMS[min(light_weight, heavy_weight, 255)], MAX_LENGTH)
    facts[LENGTH_RATIO] = min(light_weight, heavy_weight) / max(1.0, float(max(light_weight, heavy_weight)))
    facts[FEWEST_WORDS] = min(light_distinct, heavy_distinct)
    facts[DIFFERING_NUMBERS] = light_numbers + heavy_numbers - 2 * numbers
    facts[CONTAINED] = contained
    # Entities are names and the larger figures: where nothing is written with a capital (Chinese), figures outnumber them.
    facts[NAMES] = min(light_entities - light_numbers, heavy_entities - heavy_numbers)


@called
def light_facts(
    arena: Tokens,
    light_start: int,
    light_count: int,
    light: I32,
    heavy_start: int,
    heavy_count: int,
    heavy: I32,
    votes: I32,
    facts: F64,
) -> None:
    """Fill in what a walk along the lighter text shows: order, phrases of the other, and where they stand."""
    total = 0
    unquoted = 0
    for i in range(light_count):
        token = int(arena[light_start + i])
        total += HEFT[(token >> LEVEL_SHIFT) & LEVEL_MASK]
        unquoted += 0 if token & QUOTED else 1
    rising = 0
    neighbours = 0
    last = -1
    run = 0
    unquoted_run = 0
    follows = -1  # where the heavier text would go on if the run does
    passed = 0
    # of each quarter and each eighth the weight, and what of it was found, in the eighths verbatim
    for k in range(_PARTS):
        votes[k] = 0
    for i in range(light_count):
        token = int(arena[light_start + i])
        word = token >> HASH_SHIFT
        heft = HEFT[(token >> LEVEL_SHIFT) & LEVEL_MASK]
        at = find(heavy, word)
        hit = heavy[at] != 0
        quarter = min(_QUARTERS - 1, passed * _QUARTERS // max(1, total))
        eighth = _EIGHTHS_AT + min(_EIGHTHS - 1, passed * _EIGHTHS // max(1, total))
        passed += heft
        votes[quarter] += heft
        votes[quarter + _QUARTERS] += heft if hit else 0
        votes[eighth] += heft
        if 0 <= follows < heavy_count and int(arena[heavy_start + follows]) >> HASH_SHIFT == word:
            run += 1
            unquoted_run += 0 if token & QUOTED else 1
            votes[eighth + _EIGHTHS] += heft
            follows += 1
        elif hit:
            follows = heavy[at + FIRST] + 1
        else:
            follows = -1
        if hit and heavy[at + COUNT] == 1 and light[find(light, word) + COUNT] == 1:
            place = heavy[at + FIRST]
            if last >= 0:
                neighbours += 1
                rising += 1 if place > last else 0
            last = place
    worst = 1.0
    for quarter in range(_QUARTERS):
        worst = min(worst, votes[quarter + _QUARTERS] / max(1.0, float(votes[quarter])))
    mean = 0.0
    square = 0.0
    for eighth in range(_EIGHTHS_AT, _EIGHTHS_AT + _EIGHTHS):
        share = votes[eighth + _EIGHTHS] / max(1.0, float(votes[eighth]))
        mean += share
        square += share * share
    for k in range(_PARTS):
        votes[k] = 0
    mean /= _EIGHTHS
    unevenness = sqrt(max(0.0, square / _EIGHTHS - mean * mean))
    counts = (facts[FEWEST_WORDS] - EVEN_FROM_WORDS) / (EVEN_FULL_WORDS - EVEN_FROM_WORDS)
    counts = min(1.0, max(0.0, counts))
    facts[WORST] = min(worst, MAX_WORST)
    facts[ORDER] = (rising + 6.0) / (neighbours + 8.0)
    facts[EVEN] = 1.0 - unevenness * counts - USUALLY_UNEVEN * (1.0 - counts)
    facts[UNQUOTED] = min(unquoted / max(1.0, float(light_count)), MAX_UNQUOTED)
    facts[PHRASES] = unquoted_run / max(1.0, float(unquoted))
    facts[RUN] = run / max(1.0, light_count - 1.0)
    facts[LIGHT_LEAD] = lead_coverage(arena, light_start, light_count, heavy)


@called
def sentence_partners(
    arena: Tokens, start: int, count: int, other: I32, votes: I32
) -> tuple[int, int, int, int]:
    """Find the partner of each of a text's sentences: the one sentence of the other text that holds most of it.

    Returns how many neighbouring partners stand in the same order, of how many, and how
    many sentences have a partner, of how many.
    """
    last = -1
    pairs = 0
    rising = 0
    partnered = 0
    sentences = 0
    i = 0
    while i < count:
        touched = 0
        weight = 0
        first = True
        while i < count and (first or not int(arena[start + i]) & STARTS_SENTENCE):
            first = False
            token = int(arena[start + i])
            i += 1
            heft = HEFT[(token >> LEVEL_SHIFT) & LEVEL_MASK]
            weight += heft
            at = find(other, token >> HASH_SHIFT)
            if other[at] == 0:
                continue
            earliest = other[at + FIRST_SENTENCE]
            latest = other[at + LAST_SENTENCE]
            if votes[earliest] == 0:
                votes[TOUCHED + touched] = earliest
                touched += 1
            votes[earliest] += heft
            if latest != earliest:
                if votes[latest] == 0:
                    votes[TOUCHED + touched] = latest
                    touched += 1
                votes[latest] += heft
        best = 0
        partner = -1
        for k in range(touched):
            sentence = votes[TOUCHED + k]
            if votes[sentence] > best or (votes[sentence] == best and sentence < partner):
                best = votes[sentence]
                partner = sentence
            votes[sentence] = 0
        if weight < PARTNER_WEIGHT:
            continue
        sentences += 1
        if best >= PARTNER_SHARE * weight:
            partnered += 1
            if last >= 0:
                pairs += 1
                rising += 1 if partner >= last else 0
            last = partner
    return rising, pairs, partnered, sentences


@called
def lead_coverage(arena: Tokens, start: int, count: int, other: I32) -> float:
    """Return the share of the opening words' weight that stands anywhere in the other text."""
    total = 0
    found = 0
    for i in range(min(LEAD_TOKENS, count)):
        token = int(arena[start + i])
        heft = HEFT[(token >> LEVEL_SHIFT) & LEVEL_MASK]
        total += heft
        if other[find(other, token >> HASH_SHIFT)] != 0:
            found += heft
    return found / max(1.0, float(total))


@called
def sentence_facts(
    arena: Tokens,
    light_start: int,
    light_count: int,
    light: I32,
    heavy_start: int,
    heavy_count: int,
    heavy: I32,
    votes: I32,
    facts: F64,
) -> None:
    """Fill in what the sentences of both texts show, and how the heavier one begins."""
    rising, pairs, partnered, sentences = sentence_partners(arena, heavy_start, heavy_count, light, votes)
    facts[SENTENCES] = (rising + 2.0) / (pairs + 4.0)
    _, _, light_partnered, light_sentences = sentence_partners(arena, light_start, light_count, heavy, votes)
    facts[FEWEST_SENTENCES] = min(sentences, light_sentences)
    facts[PARTNERED] = (partnered + light_partnered + 1.0) / (sentences + light_sentences + 2.0)
    facts[HEAVY_LEAD] = lead_coverage(arena, heavy_start, heavy_count, light)
