"""From UTF-8 bytes to tokens: the one pass over an article's text.

A state machine over folded code points (:mod:`pipeline.codepoints`). It reads

* words: runs of letters and digits; ``1,000`` and ``1000`` are one number;
* pairs of neighbours in scripts without spaces (Han, kana, Thai, …);
* quotations, sentences and paragraphs, as flags on the words;

looks each word's level up in the term table and leaves out furniture: lines
that begin a paragraph with a phrase such as "Read more" (:mod:`pipeline.furniture`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.codepoints import (
    CODE_POINT_MASK,
    EXPANSION_BIT,
    MAX_PARTS,
    ROLE_SHIFT,
    UPPER_BIT,
    Role,
)
from pipeline.hashing import FNV_OFFSET, fmix32, fnv_step
from pipeline.kernels import kernel
from pipeline.tokens import (
    HASH_SHIFT,
    IN_TITLE,
    LEVEL_SHIFT,
    MAX_TOKENS,
    NAME,
    NUMBER,
    QUOTED,
    STARTS_SENTENCE,
    Tokens,
)
from pipeline.weights import UNLISTED_PAIR_LEVEL, level_of_number, weigh

# Plain names, because a compiled kernel freezes module constants but not enum members.
_SEPARATOR = int(Role.SEPARATOR)
_LETTER = int(Role.LETTER)
_DIGIT = int(Role.DIGIT)
_IDEOGRAPH = int(Role.IDEOGRAPH)
_POINT = int(Role.POINT)
_COMMA = int(Role.COMMA)
_QUOTE = int(Role.QUOTE)
_NEWLINE = int(Role.NEWLINE)
_STOP = int(Role.STOP)
_NOTHING = int(Role.NOTHING)
_ROLE_MASK = 0xF
# What the short way makes of a byte: a letter's folded form, or one of these.
_LONG_WAY = 0
_BETWEEN = 1  # ends a word, and does nothing else

# A quotation that is never closed must not mark the rest of the article.
MAX_QUOTED_WORDS = 150
# Furniture lines are short; a long line that begins alike is prose.
MAX_FURNITURE_WORDS = 40
# Reading ends here: at least MAX_TOKENS of so many words carry weight in any prose.
MAX_WORDS = 4 * MAX_TOKENS
# Below it: Thai, Lao, Myanmar, Khmer, for which there is no list of pairs.
FIRST_LISTED_PAIR = 0x2E80
# A furniture phrase is one to three words.
PHRASE_WORDS = 3

PADDING_BYTES = 8
"""Zero bytes that must follow the last text in the buffer: the reader looks ahead."""


@kernel
def tokenize(
    buffer: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    titles: npt.NDArray[np.int64],
    rows: npt.NDArray[np.uint32],
    expansions: npt.NDArray[np.uint32],
    table: npt.NDArray[np.uint32],
    recent: npt.NDArray[np.uint32],
    furniture: npt.NDArray[np.uint32],
    tokens: Tokens,
    ends: npt.NDArray[np.int64],
) -> None:
    """Tokenise a batch of texts.

    ``buffer``: valid UTF-8, padded by :data:`PADDING_BYTES`; text ``i`` is
    ``buffer[starts[i]:starts[i + 1]]``, its title ends at ``titles[i]``. ``table``, ``furniture``: hash sets as
    :mod:`pipeline.weights` and :mod:`pipeline.furniture` make them. ``recent``: as
    :func:`pipeline.weights.recent_words` makes it, for this table alone. ``tokens``
    receives the tokens of all texts back to back, at most :data:`MAX_TOKENS`
    each; ``ends[i]`` is where text ``i``'s tokens end.
    """
    out = 0
    words = np.empty(MAX_WORDS + MAX_PARTS, dtype=np.int64)
    furniture_mask = len(furniture) - 1
    shorts = np.full(256, _LONG_WAY, dtype=np.uint8)
    for byte in range(0x80):
        role = (int(rows[byte]) >> ROLE_SHIFT) & _ROLE_MASK
        if role == _LETTER:
            shorts[byte] = int(rows[byte]) & CODE_POINT_MASK
        elif role == _SEPARATOR or role == _COMMA:
            shorts[byte] = _BETWEEN
    for article in range(len(starts) - 1):
        total = 0  # words of this article
        position = int(starts[article])
        stop = int(starts[article + 1])
        title_end = int(titles[article])
        # the word being read
        state = FNV_OFFSET
        length = 0
        is_number = False
        is_upper = False
        last_is_digit = False
        digits = 0
        leading = 0
        # the run of characters without spaces
        previous = 0
        run = 0
        # where the word stands
        quoted_words = -1  # -1: outside a quotation
        sentence_begins = True
        sentence_is_new = True
        newlines = 2  # since the last visible character
        after_stop = True
        # the line, as long as it may turn out to be furniture
        line_words = 0
        line_first = 0
        phrase = FNV_OFFSET
        phrase_found = False

        while position <= stop and total < MAX_WORDS:
            # --- the short way through plain prose: ASCII letters, and what stands between words.
            # It does what the rest of this loop does for them, and leaves everything else to it.
            while position < stop:
                byte = int(buffer[np.uintp(position)])
                short = int(shorts[byte])
                if short > _BETWEEN:
                    if length == 0:
                        if run > 0:
                            break
                        state = FNV_OFFSET
                        is_number = False
                        is_upper = short != byte
                        newlines = 0
                        after_stop = False
                    begin = position
                    while short > _BETWEEN:
                        state = fnv_step(state, short)
                        position += 1
                        short = int(shorts[int(buffer[np.uintp(position)])]) if position < stop else 0
                    length += position - begin
                    last_is_digit = False
                elif short == _BETWEEN and length == 0 and run == 0:
                    is_upper = False
                    position += 1
                elif (
                    short == _BETWEEN
                    and length > 0
                    and not is_number
                    and not last_is_digit
                    and (line_words >= PHRASE_WORDS or line_first < 0)
                    and total < MAX_WORDS
                ):
                    position += 1
                    flags = NAME if is_upper and not sentence_begins else 0
                    flags |= IN_TITLE if position < title_end else 0
                    flags |= STARTS_SENTENCE if sentence_is_new else 0
                    if quoted_words >= 0:
                        flags |= QUOTED
                        quoted_words = quoted_words + 1 if quoted_words < MAX_QUOTED_WORDS else -1
                    words[np.uintp(total)] = fmix32(state) << HASH_SHIFT | flags
                    total += 1
                    line_words += 1
                    sentence_is_new = False
                    sentence_begins = False
                    is_upper = False
                    length = 0
                else:
                    break

            # --- the next code point (a newline after the last one closes everything)
            if position == stop:
                row = _NEWLINE << ROLE_SHIFT
                position += 1
            else:
                byte = int(buffer[position])
                if byte < 0x80:
                    code = byte
                    position += 1
                elif byte < 0xE0:
                    code = ((byte & 0x1F) << 6) | (int(buffer[position + 1]) & 0x3F)
                    position += 2
                elif byte < 0xF0:
                    code = (
                        ((byte & 0x0F) << 12)
                        | ((int(buffer[position + 1]) & 0x3F) << 6)
                        | (int(buffer[position + 2]) & 0x3F)
                    )
                    position += 3
                else:
                    code = (
                        ((byte & 0x07) << 18)
                        | ((int(buffer[position + 1]) & 0x3F) << 12)
                        | ((int(buffer[position + 2]) & 0x3F) << 6)
                        | (int(buffer[position + 3]) & 0x3F)
                    )
                    position += 4
                row = int(rows[code])
            upper = (row & UPPER_BIT) != 0
            part = 0
            parts = 1
            if row & EXPANSION_BIT:
                part = (row & CODE_POINT_MASK) + 1
                parts = int(expansions[part - 1])
                row = int(expansions[part])

            while parts > 0:
                role = (row >> ROLE_SHIFT) & _ROLE_MASK
                code = row & CODE_POINT_MASK

                # --- does this character end a word?
                found = 0  # 1: a word, 2: a pair or single of a script without spaces
                found_hash = 0
                if role == _LETTER or role == _DIGIT:
                    if run == 1:
                        found = 2
                        found_hash = fnv_step(FNV_OFFSET, previous)
                    run = 0
                elif role == _IDEOGRAPH:
                    if length > 0:
                        found = 1
                    elif run > 0:
                        found = 2
                        found_hash = fnv_step(fnv_step(FNV_OFFSET, previous), code)
                elif role == _NOTHING:
                    pass
                elif (
                    (role == _POINT or role == _COMMA)
                    and length > 0
                    and last_is_digit
                    and parts == 1
                    and position < stop
                    and 0x30 <= int(buffer[position]) <= 0x39
                ):
                    role = _NOTHING  # 1,000 and 3.5 are one number
                else:
                    if length > 0:
                        found = 1
                    elif run == 1:
                        found = 2
                        found_hash = fnv_step(FNV_OFFSET, previous)
                    run = 0
                if found == 1:
                    found_hash = state

                # --- a word: weigh it and keep it
                if found > 0:
                    word = fmix32(found_hash)
                    line_words += 1
                    if line_words <= PHRASE_WORDS and line_first >= 0:
                        phrase = fmix32(phrase ^ word)
                        probe = phrase & furniture_mask
                        while furniture[probe] != 0:
                            if int(furniture[probe]) ^ phrase == 0:  # signed or not
                                phrase_found = True
                                break
                            probe = (probe + 1) & furniture_mask
                    flags = 0
                    if found == 1 and is_number:
                        flags = NUMBER | level_of_number(digits, digits < length, leading) << LEVEL_SHIFT
                    elif found == 1:
                        flags = NAME if is_upper and not sentence_begins else 0
                    elif previous < FIRST_LISTED_PAIR:
                        flags = UNLISTED_PAIR_LEVEL << LEVEL_SHIFT
                    if quoted_words >= 0:
                        flags |= QUOTED
                    if position < title_end:
                        flags |= IN_TITLE
                    if sentence_is_new:
                        flags |= STARTS_SENTENCE
                        sentence_is_new = False
                    words[total] = word << HASH_SHIFT | flags
                    total += 1
                    sentence_begins = False
                    if quoted_words >= 0:
                        quoted_words += 1
                        if quoted_words > MAX_QUOTED_WORDS:
                            quoted_words = -1

                # --- what the character itself does
                word_length = length
                word_upper = is_upper
                if role == _LETTER or role == _DIGIT:
                    if length == 0:
                        state = FNV_OFFSET
                        is_number = role == _DIGIT
                        is_upper = upper
                        digits = 0
                        leading = 0
                    if role == _DIGIT:
                        digits += 1
                        if digits <= 2:
                            leading = leading * 10 + (code & 0xF)
                    state = fnv_step(state, code)
                    length += 1
                    last_is_digit = role == _DIGIT
                    newlines = 0
                    after_stop = False
                elif role == _IDEOGRAPH:
                    length = 0
                    previous = code
                    run += 1
                    newlines = 0
                    after_stop = False
                elif role != _NOTHING:
                    length = 0
                    is_upper = False
                    if role == _POINT:
                        # "Mr." and "U.S." end no sentence, "it." does
                        if word_length >= 4 or (word_length >= 2 and not word_upper) or word_length == 0:
                            sentence_begins = True
                            sentence_is_new = True
                        after_stop = True
                        newlines = 0
                    elif role == _STOP:
                        sentence_begins = True
                        sentence_is_new = True
                        after_stop = True
                        newlines = 0
                    elif role == _QUOTE:
                        quoted_words = 0 if quoted_words < 0 else -1
                        newlines = 0
                    elif role == _NEWLINE:
                        if phrase_found and line_words <= MAX_FURNITURE_WORDS:
                            total = line_first
                        newlines += 1
                        # a line end after a full stop, or an empty line, ends a
                        # paragraph; any other is a wrapped line
                        if after_stop or newlines >= 2:
                            quoted_words = -1
                            sentence_begins = True
                            sentence_is_new = True
                            line_first = total
                        else:
                            line_first = -1
                        line_words = 0
                        phrase = FNV_OFFSET
                        phrase_found = False

                parts -= 1
                if parts > 0:
                    part += 1
                    row = int(expansions[part])

        out += weigh(words[:total], table, recent, tokens[out:])
        ends[article] = out
