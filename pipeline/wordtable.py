"""The words of one text as a hash table, in which another text's words are looked up.

One int32 record of eight fields a slot, open addressing; the offsets of the records in use follow
the slots. Tables are scratch: filled for a comparison and emptied behind it.
"""

from __future__ import annotations

import numpy as np

from pipeline.arrays import I32
from pipeline.kernels import called
from pipeline.tokens import (
    HASH_SHIFT,
    LEVEL_MASK,
    LEVEL_SHIFT,
    MAX_TOKENS,
    NAME,
    NUMBER,
    STARTS_SENTENCE,
    Tokens,
)

WEIGHTS = (0, 1, 2, 3, 4, 4, 0, 0)
HEFT = np.array(WEIGHTS, np.int32)

MIN_NUMBER_LEVEL = 2  # single digits agree by chance
MIN_ENTITY_NUMBER_LEVEL = 4

_SLOTS = 2048  # a power of two, at least twice MAX_TOKENS
_FIELDS = 8
_WORD, FIRST, COUNT, FIRST_SENTENCE, LAST_SENTENCE, _FLAGS, _LEVEL = range(7)
_USED = _SLOTS * _FIELDS
TOUCHED = MAX_TOKENS + 8
SCRATCH_SHAPE = (3, _USED + MAX_TOKENS)
"""Shape of the int32 scratch: a table for each side, and votes for sentences; all zero between uses."""


@called
def find(table: I32, word: int) -> int:
    """Return the offset of a word's record, or of the empty one where it would go."""
    slot = word & (_SLOTS - 1)
    while table[slot * _FIELDS] != 0 and table[slot * _FIELDS] != word + 1:
        slot = (slot + 1) & (_SLOTS - 1)
    return slot * _FIELDS


@called
def tabulate(arena: Tokens, start: int, count: int, table: I32) -> tuple[int, int, int, int]:
    """Enter a text's words into an empty table.

    Returns the numbers of distinct words, their weight, and how many are figures and
    entities (names and larger figures).
    """
    distinct = 0
    sentence = -1
    for i in range(count):
        token = int(arena[start + i])
        if token & STARTS_SENTENCE or sentence < 0:
            sentence += 1
        word = token >> HASH_SHIFT
        at = find(table, word)
        if table[at] == 0:
            table[at] = word + 1
            table[at + FIRST] = i
            table[at + COUNT] = 0
            table[at + FIRST_SENTENCE] = sentence
            table[at + _FLAGS] = 0
            table[at + _LEVEL] = (token >> LEVEL_SHIFT) & LEVEL_MASK
            table[_USED + distinct] = at
            distinct += 1
        table[at + COUNT] += 1
        table[at + LAST_SENTENCE] = sentence
        table[at + _FLAGS] |= token & (NAME | NUMBER)
    weight = 0
    numbers = 0
    entities = 0
    for i in range(distinct):
        at = table[_USED + i]
        level = table[at + _LEVEL]
        weight += HEFT[level]
        numbers += 1 if is_number(table[at + _FLAGS], level) else 0
        entities += 1 if is_entity(table[at + _FLAGS], level) else 0
    return distinct, weight, numbers, entities


@called
def is_number(flags: int, level: int) -> bool:
    """Tell whether a word is a figure that should agree."""
    return (flags & NUMBER) != 0 and level >= MIN_NUMBER_LEVEL


@called
def is_entity(flags: int, level: int) -> bool:
    """Tell whether a word is a name, or a figure of some size."""
    return (flags & NAME) != 0 or ((flags & NUMBER) != 0 and level >= MIN_ENTITY_NUMBER_LEVEL)


@called
def clear(table: I32, distinct: int) -> None:
    """Empty a table."""
    for i in range(distinct):
        table[table[_USED + i]] = 0


@called
def overlap(light: I32, heavy: I32, distinct: int) -> tuple[int, int, int]:
    """Return how many distinct words, figures and entities of ``light`` are in ``heavy``."""
    shared = 0
    numbers = 0
    entities = 0
    for i in range(distinct):
        at = light[_USED + i]
        if heavy[find(heavy, light[at] - 1)] != 0:
            level = light[at + _LEVEL]
            shared += 1
            numbers += 1 if is_number(light[at + _FLAGS], level) else 0
            entities += 1 if is_entity(light[at + _FLAGS], level) else 0
    return shared, numbers, entities
