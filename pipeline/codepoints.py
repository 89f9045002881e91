"""What every Unicode code point becomes before words are read.

One table row per code point, so that the text kernel needs no context:
compatibility decomposition and case folding, then removal of combining marks
(NFKD, casefold, drop marks with a non-zero combining class), and the role that
the result plays when text is split into words. Kana and Hangul keep their
composed form: there, the "mark" is another letter, not an accent.

The table depends on the Unicode version of the running Python; its digest is
part of the engine fingerprint.
"""

from __future__ import annotations

import sys
import unicodedata
from enum import IntEnum
from functools import cache
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Role(IntEnum):
    """What a code point does to the word that is being read."""

    SEPARATOR = 0
    LETTER = 1
    DIGIT = 2
    IDEOGRAPH = 3  # scripts without spaces: read as overlapping pairs
    POINT = 4  # '.': joins digits, ends sentences
    COMMA = 5  # ',': joins digits
    QUOTE = 6  # opens or closes a quotation
    NEWLINE = 7
    STOP = 8  # ends a sentence, whatever stands before it
    NOTHING = 9  # vanishes: combining marks, soft hyphens, joiners


# The longest folded form of one character (U+FDFA, a phrase of four words).
MAX_PARTS = 18
ROLE_SHIFT = 21
UPPER_BIT = 1 << 25
EXPANSION_BIT = 1 << 26
CODE_POINT_MASK = (1 << ROLE_SHIFT) - 1

_QUOTES = frozenset('"“”„‟«»「」『』＂')
_STOPS = frozenset("!?。！？।؟")
_NEWLINES = frozenset("\n\x0b\x0c\x85\u2028\u2029")
_IDEOGRAPHIC_RANGES = (
    (0x0E00, 0x0E7F),  # Thai
    (0x0E80, 0x0EFF),  # Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # CJK radicals
    (0x3005, 0x3007),  # iteration mark, closing mark, zero
    (0x3041, 0x30FF),  # kana
    (0x31F0, 0x31FF),  # small kana
    (0x3400, 0x4DBF),  # CJK extension A
    (0x4E00, 0x9FFF),  # CJK
    (0xF900, 0xFAFF),  # CJK compatibility
    (0x20000, 0x323AF),  # CJK extensions B to H
)
_COMPOSED_RANGES = ((0x3041, 0x30FF), (0xAC00, 0xD7A3))
# Nothing is decomposed or folded inside these, so they are filled without a look at each character.
_UNIFORM_RANGES = (
    (0x3400, 0x4DBF, Role.IDEOGRAPH),
    (0x4E00, 0x9FFF, Role.IDEOGRAPH),
    (0xAC00, 0xD7A3, Role.LETTER),
    (0x20000, 0x2A6DF, Role.IDEOGRAPH),
    (0x2A700, 0x2EBE0, Role.IDEOGRAPH),
    (0x30000, 0x323AF, Role.IDEOGRAPH),
)


class CodePoints(NamedTuple):
    """The table in the form that the kernel reads.

    ``rows``: uint32 ``[0x110000]``; bits 0-20 the folded code point, 21-24 the
    :class:`Role`, bit 25 set for an upper-case original, bit 26 set when bits
    0-20 are an index into ``expansions`` instead.
    ``expansions``: uint32; a count, then that many rows (code point and role).
    """

    rows: npt.NDArray[np.uint32]
    expansions: npt.NDArray[np.uint32]
    digest: str


def _in_ranges(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= code <= last for first, last in ranges)


@cache
def fold(character: str) -> str:
    """Return the folded form of one character; may be empty or several characters."""
    code = ord(character)
    if _in_ranges(code, _COMPOSED_RANGES):
        return character
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    return "".join(c for c in folded if unicodedata.combining(c) == 0)


@cache
def role(character: str) -> Role:
    """Return the role of one folded character."""
    if character == ".":
        return Role.POINT
    if character == ",":
        return Role.COMMA
    if character in _QUOTES:
        return Role.QUOTE
    if character in _STOPS:
        return Role.STOP
    if character in _NEWLINES:
        return Role.NEWLINE
    category = unicodedata.category(character)
    if category == "Cf":
        return Role.NOTHING
    if category[0] in "LM":
        return Role.IDEOGRAPH if _in_ranges(ord(character), _IDEOGRAPHIC_RANGES) else Role.LETTER
    if category == "Nd":
        return Role.DIGIT
    if category[0] == "N":
        return Role.IDEOGRAPH if _in_ranges(ord(character), _IDEOGRAPHIC_RANGES) else Role.LETTER
    return Role.SEPARATOR


def _row(character: str) -> int:
    return ord(character) | int(role(character)) << ROLE_SHIFT


@cache
def code_points() -> CodePoints:
    """Build the table (once a process, about 0.2 s)."""
    rows = np.zeros(0x110000, dtype=np.uint32)
    expansions: list[int] = []
    known: dict[str, int] = {}
    uniform = np.zeros(0x110000, dtype=bool)
    for first, last, kind in _UNIFORM_RANGES:
        rows[first : last + 1] = np.arange(first, last + 1, dtype=np.uint32) | np.uint32(
            int(kind) << ROLE_SHIFT
        )
        uniform[first : last + 1] = True
    for code in np.flatnonzero(~uniform[:0x323B0]).tolist() + list(range(0xE0000, 0xE0200)):
        character = chr(code)
        category = unicodedata.category(character)
        if category in ("Cn", "Co", "Cs"):
            continue
        folded = fold(character)
        upper = UPPER_BIT if category in ("Lu", "Lt") else 0
        if len(folded) == 1:
            rows[code] = _row(folded) | upper
        elif not folded:
            rows[code] = int(Role.NOTHING) << ROLE_SHIFT
        else:
            if folded not in known:
                known[folded] = len(expansions)
                expansions += [len(folded), *(_row(c) for c in folded)]
            rows[code] = known[folded] | EXPANSION_BIT | upper
    table = np.array(expansions, dtype=np.uint32)
    digest = blake2b(rows.tobytes() + table.tobytes(), digest_size=8).hexdigest()
    if sys.byteorder != "little":
        raise NotImplementedError("samewire's stored formats are little-endian")
    return CodePoints(rows, table, digest)
