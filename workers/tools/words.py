"""Where the engine's words stand in a text as people read it.

The engine keeps hashes; to show what it compared, the words of the original text are
found again with the same folding rules, each with its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import ParamSpec, TypeVar, cast

import numpy as np

from pipeline.codepoints import Role, fold, role
from pipeline.hashing import FNV_OFFSET, fmix32, fnv_step
from pipeline.tokens import HASH_SHIFT, LEVEL_MASK, LEVEL_SHIFT, NAME, NUMBER, Tokens
from pipeline.weights import default_table

MAX_SHOWN_CHARACTERS = 60_000
"""Longer texts are shown to here: the engine reads no further than about 2,000 words either."""

_WORDS = (Role.LETTER, Role.DIGIT)

P = ParamSpec("P")
R = TypeVar("R")


def interpreted(function: Callable[P, R]) -> Callable[P, R]:
    """Return a kernel's Python function: for a few calls, compiling takes longer than running."""
    return cast("Callable[P, R]", getattr(function, "py_func", function))


_step = interpreted(fnv_step)
_mix = interpreted(fmix32)


@dataclass(frozen=True, slots=True)
class Spot:
    """A word of a text: its place, its folded form and the 24 bits of its hash that tokens keep.

    In scripts without spaces a spot is one character; ``pair`` is then the hash of it and
    the next one, which is what the engine reads.
    """

    start: int
    end: int
    folded: str
    hash: int
    pair: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What the engine kept of a word: its weight level and its flags over all occurrences."""

    level: int
    is_number: bool
    is_name: bool


@lru_cache(maxsize=1 << 16)
def stored_hash(folded: str) -> int:
    """Return the part of a word's hash that tokens keep; see :func:`pipeline.hashing.word_hash`."""
    state = FNV_OFFSET
    for character in folded:
        state = _step(state, ord(character))
    return _mix(state) >> 8


@lru_cache(maxsize=1)
def weightless_hashes() -> frozenset[int]:
    """Return the stored hashes of the words that the built-in table gives no weight ("the", "said")."""
    slots = default_table().slots
    weightless = slots[(slots != 0) & (slots & 0xF == 0)] >> np.uint32(8)
    return frozenset(weightless.tolist())


def known_words(tokens: Tokens) -> dict[int, Known]:
    """Return the words of an article's tokens by their hash."""
    found: dict[int, Known] = {}
    for token in tokens.tolist():
        word = token >> HASH_SHIFT
        before = found.get(word)
        found[word] = Known(
            (token >> LEVEL_SHIFT) & LEVEL_MASK,
            bool(token & NUMBER) or (before is not None and before.is_number),
            bool(token & NAME) or (before is not None and before.is_name),
        )
    return found


def spots(text: str) -> list[Spot]:
    """Return the words of a text in order."""
    found: list[Spot] = []
    until = 0
    for start, end, folded, spaceless in _runs(text):
        if start < until:  # one character stands for several words: its first is shown
            continue
        until = end
        if spaceless:
            following = _folded(text[end]) if end < len(text) else ""
            joined = following and role(following[0]) == Role.IDEOGRAPH
            pair = stored_hash(folded + following) if joined else 0
            found.append(Spot(start, end, folded, stored_hash(folded), pair))
        else:
            found.append(Spot(start, end, folded, stored_hash(folded)))
    return found


def _folded(character: str) -> str:
    return "".join(c for c in fold(character) if role(c) != Role.NOTHING)


def _runs(text: str) -> Iterator[tuple[int, int, str, bool]]:
    start, word, last_is_digit = -1, "", False
    for at, character in enumerate(text):
        for part in fold(character):
            kind = role(part)
            if kind in _WORDS:
                if start < 0:
                    start = at
                word += part
                last_is_digit = kind == Role.DIGIT
                continue
            if kind == Role.NOTHING:
                continue
            joins = (
                kind in (Role.POINT, Role.COMMA)
                and last_is_digit
                and text[at + 1 : at + 2].isascii()
                and text[at + 1 : at + 2].isdigit()
            )
            if joins:
                continue
            if start >= 0:
                yield start, max(at, start + 1), word, False
                start, word, last_is_digit = -1, "", False
            if kind == Role.IDEOGRAPH:
                yield at, at + 1, part, True
    if start >= 0:
        yield start, len(text), word, False
