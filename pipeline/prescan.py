"""Which clean-up steps a text can possibly need: one look at the bytes of a whole batch.

Most texts need none, and finding that out step by step with Python's searches cost more than
everything else that is done to a text. A suspicion may be wrong, a missing one may not: each test
here is a necessary condition of what :mod:`pipeline.text` then looks for exactly.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.kernels import COMPILED, called, kernel

Suspicions = npt.NDArray[np.uint16]

MARKUP = 1
LINKS = 2
POSTS = 4
SCRIPTS = 8
GLUE = 16
CAPTIONS = 32
# what may stand before the story
SLUG = 64
BYLINE = 128
CREDITED = 256
DATED = 512
CAPITALS = 1024
BRACKETS = 2048
LEAD = SLUG | BYLINE | CREDITED | DATED | CAPITALS | BRACKETS
EVERYTHING = 4095

PRESCAN_PADDING = 8
"""Bytes that must follow the last text in the buffer."""

# The first photo credit stands near the beginning (text.CAPTIONS_CHARACTERS), and is short (text.LONGEST_CREDIT);
# in bytes, both are generous.
_CAPTION_BYTES = 4 * 1500
_CREDIT_BYTES = 4 * 130
# Characters of the longest slug ("BREAKING NEWS") without its space.
_SLUG_CHARACTERS = 12
# An agency's bracket follows at most 60 characters, a dateline's comma at most 46.
_AGENCY_CHARACTERS = 60
_PLACE_CHARACTERS = 46

_CHARACTER_TABLE = np.zeros(256, dtype=np.uint8)
_UPPER, _PLACE, _WORD, _SPACE, _DIGIT, _MONTH, _FOREIGN = 1, 2, 4, 8, 16, 32, 64
for _characters, _kind in (
    (b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", _UPPER),
    (b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", _WORD),
    (b"\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f ", _SPACE),  # what str.isspace says of ASCII
    (b"0123456789", _DIGIT),
    (b"JFMASONDjfmasondeklprtv", _MONTH),  # what the names of months begin with (text.MONTHS)
    (b"ABCDEFGHIJKLMNOPQRSTUVWXYZ.'- ", _PLACE),  # what stands in a place's name in capital letters
    (bytes(range(128, 256)), _PLACE | _FOREIGN),
):
    _CHARACTER_TABLE[list(_characters)] |= _kind


def prescan(buffer: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64]) -> Suspicions:
    """Return for each text which steps it can need.

    ``buffer``: UTF-8, padded by :data:`PRESCAN_PADDING`; text ``i`` is ``buffer[starts[i]:starts[i + 1]]``.
    """
    if not COMPILED:  # Python's own searches are faster than this loop would be
        return np.full(len(starts) - 1, EVERYTHING, dtype=np.uint16)
    found = np.empty(len(starts) - 1, dtype=np.uint16)
    _prescan(buffer, starts, _CHARACTER_TABLE, found)
    return found


@kernel
def _prescan(
    buffer: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    kinds: npt.NDArray[np.uint8],
    found: Suspicions,
) -> None:
    for row in range(len(found)):
        text = buffer[int(starts[row]) : int(starts[row + 1]) + 2]
        seen = _conspicuous(text) | _possible_leads(text, len(text) - 2, kinds)
        if _may_have_caption(text, len(text) - 2):
            seen |= CAPTIONS
        found[row] = seen


@called
def _conspicuous(text: npt.NDArray[np.uint8]) -> int:
    """Tell which steps the bytes anywhere in a text call for; the last two bytes are only looked ahead at."""
    seen = np.uint8(0)  # narrow, so that 32 bytes are looked at together
    for at in range(len(text) - 2):
        byte = text[at]
        second = text[at + 1]
        third = text[at + 2]
        # & and <; ï, â, Ã and Â
        markup = (byte == 0x26) | (byte == 0x3C)
        markup |= (byte == 0xC3) & ((second == 0xAF) | (second == 0xA2) | (second == 0x83) | (second == 0x82))
        # // and www
        links = (byte == 0x2F) & (second == 0x2F)
        links |= (byte == 0x77) & (second == 0x77) & (third == 0x77)
        posts = byte == 0x40
        scripts = (byte == 0x3D) | (byte == 0x7B)
        glue = (byte == 0x4D) & (second == 0x4F) & (third == 0x52)  # MOR of MORE
        seen = np.uint8(seen | markup | links << 1 | posts << 2 | scripts << 3 | glue << 4)
    return int(seen)


@called
def _may_have_caption(text: npt.NDArray[np.uint8], size: int) -> bool:
    """Tell whether brackets near the beginning can hold a photo credit."""
    near = text[: min(size, _CAPTION_BYTES)]
    brackets = 0
    for at in range(len(near)):
        brackets |= near[at] == 0x28
    if brackets == 0:
        return False
    for at in range(len(near)):
        if near[at] == 0x28:
            for inside in range(at + 1, min(size, at + _CREDIT_BYTES)):
                byte = int(text[inside])
                if byte == 0x29:
                    break
                # "/", or the beginnings of photo, via, Getty and Press in any case
                if byte == 0x2F or byte >= 0x80:
                    return True
                trigram = (byte << 16 | int(text[inside + 1]) << 8 | int(text[inside + 2])) | 0x202020
                if trigram == 0x70686F or trigram == 0x766961 or trigram == 0x676574 or trigram == 0x707265:
                    return True
    return False


@called
def _possible_leads(text: npt.NDArray[np.uint8], size: int, kinds: npt.NDArray[np.uint8]) -> int:
    """Tell what a text can begin with."""
    # spaces go with the lead; what is not ASCII is left to the patterns
    if size < 3 or kinds[text[0]] & (_FOREIGN | _SPACE):
        return LEAD
    byte = int(text[0])
    second = int(text[1])
    third = int(text[2])
    possible = 0
    if byte == 0x28 or byte == 0x5B or byte == 0x2A:  # ( [ *
        possible |= SLUG | BRACKETS
    if kinds[byte] & _UPPER:
        if byte == 0x42 and (second == 0x79 or second == 0x59):  # By BY
            possible |= BYLINE
        if (byte == 0x56 or byte == 0x50) and (third == 0x6E or third == 0x72):  # Von Par Por
            possible |= BYLINE
        if kinds[second] & kinds[third] & _PLACE:
            possible |= CAPITALS
    # a word or two, and a dash, a colon, a bar or an asterisk
    characters = 0
    for at in range(size):
        kind = kinds[text[at]]
        if kind & _WORD:
            characters += 1
            if characters > _SLUG_CHARACTERS:
                break
        elif not kind & _SPACE and text[at] != 0x27:
            if (
                kind & _FOREIGN
                or text[at] == 0x2D
                or text[at] == 0x3A
                or text[at] == 0x7C
                or text[at] == 0x2A
            ):
                possible |= SLUG
            break
    # an agency's bracket in the first line, or a place and a date
    characters = 0
    commas = 0
    for at in range(size):
        byte = int(text[at])
        if byte == 0x0A or characters > _AGENCY_CHARACTERS:
            break
        if byte == 0x28:
            possible |= CREDITED
            break
        if byte == 0x2C:
            commas += 1
            if commas == 1 and characters <= _PLACE_CHARACTERS and _may_be_date(text, at + 1, size, kinds):
                possible |= DATED
        characters += 1 if byte & 0xC0 != 0x80 else 0
    return possible


@called
def _may_be_date(text: npt.NDArray[np.uint8], at: int, size: int, kinds: npt.NDArray[np.uint8]) -> bool:
    """Tell whether " March 5" or " 5. March" can follow: any two words that begin like that."""
    wanted = _DIGIT | _MONTH
    for _ in range(2):
        first = at
        while at < size and kinds[text[at]] & _SPACE:
            at += 1
        kind = kinds[text[at]]
        if kind & _FOREIGN:
            return True
        if first == at or not kind & wanted:
            return False
        wanted = _MONTH if kind & _DIGIT else _DIGIT
        while at < size and kinds[text[at]] & _WORD:
            at += 1
        if text[at] == 0x2E:
            at += 1
    return True
