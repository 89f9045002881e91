"""The verifier's rules: what is decided beside the model, because it is no matter of more or less.

Texts that are verbatim but for a few words link; very short texts link only then; the names
and figures of short ones must agree, and of long ones either; a round-up does not link to the
stories that it collects; two texts do not when both begin with something new; nor do two long
ones of which most sentences have no counterpart, or any two that tell the same things in another order.
"""

from __future__ import annotations

from pipeline.arrays import F64
from pipeline.features import (
    CONTAINED,
    DIFFERING_NUMBERS,
    ENTITIES,
    FEWEST_SENTENCES,
    FEWEST_WORDS,
    HEAVY_LEAD,
    LENGTH_RATIO,
    LIGHT_LEAD,
    NAMES,
    NUMBERS,
    ORDER,
    PARTNERED,
    RUN,
    SENTENCES,
)
from pipeline.kernels import called

RULES = {
    "identical": "the two have the same content words in the same order",
    "verbatim": "verbatim but for a few words and with the same figures: linked unless days lie between",
    "short": "too short for the model: texts of so few words link only when they are verbatim",
    "template": "the figures and the names differ, or in a short item either: never linked",
    "roundup": "one is much longer and begins with something else: a round-up, never linked",
    "tops": "each begins with something that the other does not have: what they share is standing text, never linked",
    "own": "long, with few sentences in common and these in another order: two reports of one event, never linked",
    "order": "hardly three quarters of what both have stands in the same order: told anew, never linked",
    "model": "the score is the model's",
}
"""What decides; the first that applies."""
IDENTICAL, VERBATIM, SHORT, TEMPLATE, ROUNDUP, TOPS, OWN, DISORDER, MODEL = range(9)

# The verdict is at least, or at most, this.
VERBATIM_LOGIT = 2.0
BARRED_LOGIT = -1.0

# Verbatim but for a few words, and with the same figures (a flash, an item of one line).
VERBATIM_MIN_WORDS, VERBATIM_SHARED, VERBATIM_RUN, VERBATIM_LENGTH_RATIO = 12, 0.95, 0.85, 0.8
VERBATIM_MAX_DIFFERING_NUMBERS = 1
# Below so many distinct content words chance and templates look like copies.
SHORT_WORDS = 15
# Items of a few sentences are often templates: same wording, other names and figures. Below so
# many distinct content words at least this much of each must agree.
TEMPLATE_WORDS, TEMPLATE_NUMBERS, TEMPLATE_ENTITIES = 50, 0.5, 0.4
# However long they are, texts that follow one another closely and have next to no figure and few names
# in common are forms filled in twice (company results). Names are known by their capitals: in a text without any
# (Chinese, Japanese) the figures alone must agree as far as names and figures do elsewhere.
TEMPLATE_NUMBERS_LONG = 0.25
# So are texts with this share of verbatim passages, when of both hardly half agree (bond launches).
FORM_RUN, FORM_NUMBERS, FORM_ENTITIES = 0.3, 0.5, 0.5
# A round-up holds a whole story, but begins with another one: then less than this share of
# the much longer text's opening is anywhere in the shorter.
ROUNDUP_LENGTH_RATIO, ROUNDUP_LEAD = 0.65, 0.30
# When not even this share of either text's opening is anywhere in the other, what they have in
# common is standing text: what a programme says of itself, an outlet's old background.
NEW_TOPS_LEAD = 0.25
# Two texts of at least so many sentences each tell the same event independently when hardly half of the sentences have a
# partner in the other text, and neither the common words nor the partners stand in the same order.
OWN_SENTENCES, OWN_PARTNERED, OWN_ORDER, OWN_PARTNER_ORDER = 12, 0.55, 0.85, 0.8
# Below both of these, texts of any length tell the same things in another order: who rewrites a text follows it.
MIN_ORDER, MIN_PARTNER_ORDER = 0.75, 0.75

PARAMETERS = (
    VERBATIM_MIN_WORDS,
    VERBATIM_SHARED,
    VERBATIM_RUN,
    VERBATIM_LENGTH_RATIO,
    VERBATIM_MAX_DIFFERING_NUMBERS,
    SHORT_WORDS,
    TEMPLATE_WORDS,
    TEMPLATE_NUMBERS,
    TEMPLATE_ENTITIES,
    TEMPLATE_NUMBERS_LONG,
    FORM_RUN,
    FORM_NUMBERS,
    FORM_ENTITIES,
    ROUNDUP_LENGTH_RATIO,
    ROUNDUP_LEAD,
    NEW_TOPS_LEAD,
    OWN_SENTENCES,
    OWN_PARTNERED,
    OWN_ORDER,
    OWN_PARTNER_ORDER,
    MIN_ORDER,
    MIN_PARTNER_ORDER,
    VERBATIM_LOGIT,
    BARRED_LOGIT,
)
"""What the engine fingerprint covers of this module."""


@called
def _disagrees(facts: F64) -> bool:
    """Tell whether the names or the figures of two texts, in long ones both, differ as those of templates do."""
    figures, names = facts[NUMBERS], facts[ENTITIES]
    if facts[FEWEST_WORDS] < TEMPLATE_WORDS:
        return bool(figures < TEMPLATE_NUMBERS) or bool(names < TEMPLATE_ENTITIES)
    if facts[NAMES] <= 0:
        return bool(figures < TEMPLATE_ENTITIES) and bool(names < TEMPLATE_ENTITIES)
    if facts[RUN] >= FORM_RUN and figures < FORM_NUMBERS and names < FORM_ENTITIES:
        return True
    return bool(figures < TEMPLATE_NUMBERS_LONG) and bool(names < TEMPLATE_ENTITIES)


@called
def deciding(facts: F64) -> int:
    """Return which of :data:`RULES` decides on a pair of different texts."""
    if (
        facts[FEWEST_WORDS] >= VERBATIM_MIN_WORDS
        and facts[CONTAINED] >= VERBATIM_SHARED
        and facts[RUN] >= VERBATIM_RUN
        and facts[LENGTH_RATIO] >= VERBATIM_LENGTH_RATIO
        and facts[DIFFERING_NUMBERS] <= VERBATIM_MAX_DIFFERING_NUMBERS
    ):
        return VERBATIM
    if facts[FEWEST_WORDS] < SHORT_WORDS:
        return SHORT
    if _disagrees(facts):
        return TEMPLATE
    if facts[LENGTH_RATIO] < ROUNDUP_LENGTH_RATIO and facts[HEAVY_LEAD] < ROUNDUP_LEAD:
        return ROUNDUP
    if facts[HEAVY_LEAD] < NEW_TOPS_LEAD and facts[LIGHT_LEAD] < NEW_TOPS_LEAD:
        return TOPS
    if (
        facts[FEWEST_SENTENCES] >= OWN_SENTENCES
        and facts[PARTNERED] < OWN_PARTNERED
        and facts[ORDER] < OWN_ORDER
        and facts[SENTENCES] < OWN_PARTNER_ORDER
    ):
        return OWN
    if facts[ORDER] < MIN_ORDER and facts[SENTENCES] < MIN_PARTNER_ORDER:
        return DISORDER
    return MODEL


@called
def rules(z: float, facts: F64) -> float:
    """Return what the rules make of the model's verdict ``z``."""
    rule = deciding(facts)
    if rule == MODEL:
        return z
    return max(z, VERBATIM_LOGIT) if rule == VERBATIM else min(z, BARRED_LOGIT)


def rule_of(facts: F64) -> str:
    """Return the key of the rule that decides on a pair with these facts (zeros: the words are the same)."""
    return list(RULES)[deciding(facts) if facts.any() else IDENTICAL]
