"""How much a word counts: its level, the quantised square of its inverse document frequency.

A *term table* maps the hashes of common words to levels; a word that is not in it
is rare and has the top level of words; level 0 is not kept at all. The default table is
merged from wordfreq's lists for 40 languages, so no language need be known;
``samewire weights`` learns one from a user's own stream. A table is static: its
digest is part of the engine fingerprint.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from math import log10
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.errors import SettingsError
from pipeline.hashing import word_hash
from pipeline.kernels import called, inlined
from pipeline.tokens import (
    HASH_SHIFT,
    IN_TITLE,
    LEVEL_MASK,
    LEVEL_SHIFT,
    MAX_TOKENS,
    NAME,
    NUMBER,
    QUOTED,
    STARTS_SENTENCE,
    Tokens,
)

LEVEL_BITS = 4
TOP_WORD_LEVEL = 4
NUMBER_LEVEL = 5

# Lower bounds of the levels 1 to 4, in powers of ten of rarity: a word more frequent
# than one in 10^3.4 has level 0, one rarer than one in 10^4.6 has level 4. Finer steps
# beyond that changed neither the links nor the candidates.
DEFAULT_EDGES = (3.4, 3.8, 4.2, 4.6)

# Pairs of a script without spaces and without a word list (Thai, Lao, Khmer, Myanmar).
UNLISTED_PAIR_LEVEL = 3

# A few words make up most of any text: their levels are remembered where the processor
# has them at hand, which halves the cost of a word (a power of two).
RECENT_WORDS = 16_384

_MAGIC = b"SWTERMS1"
_HEADER = struct.Struct("<8sIIQ")  # magic, slots, terms, length of the packed slots
_MAX_SLOTS = 1 << 26


@dataclass(frozen=True, slots=True)
class TermTable:
    """An open-addressing hash table from words to levels.

    ``slots``: uint32, a power of two of them; upper 28 bits of a word's hash and
    its level; 0 is an empty slot. ``terms``: how many words it holds.
    """

    slots: npt.NDArray[np.uint32]
    terms: int

    @property
    def digest(self) -> str:
        """Hex digest of the contents; two tables with one digest weigh alike."""
        return blake2b(self.slots.tobytes(), digest_size=8).hexdigest()

    def level(self, folded: str) -> int:
        """Return the level of a folded word."""
        return int(level_of_word(word_hash(folded), self.slots))

    def save(self, path: Path) -> None:
        """Write the table to ``path``."""
        packed = zlib.compress(self.slots.tobytes(), 9)
        path.write_bytes(_HEADER.pack(_MAGIC, len(self.slots), self.terms, len(packed)) + packed)

    @classmethod
    def load(cls, path: Path) -> TermTable:
        """Read a table; raises :class:`SettingsError` when ``path`` holds none."""
        try:
            return cls.parse(path.read_bytes())
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"term table {path}: {error}; make one with `samewire weights`, or leave the setting out"
            ) from error

    @classmethod
    def parse(cls, content: bytes) -> TermTable:
        """Read a table from its bytes; raises :class:`ValueError` when they are damaged."""
        if len(content) < _HEADER.size:
            raise ValueError("too short for a term table")
        magic, slots, terms, length = _HEADER.unpack_from(content)
        packed = content[_HEADER.size :]
        if magic != _MAGIC or len(packed) != length or slots > _MAX_SLOTS or slots & (slots - 1):
            raise ValueError("not a term table of this version, or cut short")
        unpacker = zlib.decompressobj()
        try:
            raw = unpacker.decompress(packed, slots * 4 + 1)
        except zlib.error as error:
            raise ValueError(f"damaged ({error})") from error
        if len(raw) != slots * 4:
            raise ValueError("damaged (wrong length)")
        return cls(np.frombuffer(raw, dtype=np.uint32), terms)


@cache
def default_table() -> TermTable:
    """Return the table that comes with samewire."""
    return TermTable.parse(files("pipeline").joinpath("tables/default.terms").read_bytes())


def build_table(frequencies: Mapping[str, float], edges: Sequence[float] = DEFAULT_EDGES) -> TermTable:
    """Make a table from word frequencies (shares of running text, 0..1) of folded words."""
    levels: dict[int, int] = {}
    for word, frequency in frequencies.items():
        rarity = -log10(frequency) if frequency > 0 else edges[-1]
        level = sum(rarity >= edge for edge in edges)
        if level < TOP_WORD_LEVEL:
            hashed = word_hash(word)
            levels[hashed] = min(level, levels.get(hashed, TOP_WORD_LEVEL))
    slots = 1 << max(10, (2 * len(levels) - 1).bit_length())
    table = np.zeros(slots, dtype=np.uint32)
    for hashed, level in sorted(levels.items()):
        slot = hashed & (slots - 1)
        while table[slot]:
            slot = (slot + 1) & (slots - 1)
        table[slot] = (hashed & ~0xF) | level
    return TermTable(table, len(levels))


@inlined
def level_of_word(word: int, table: npt.NDArray[np.uint32]) -> int:
    """Return the level of the word with hash ``word``."""
    mask = len(table) - 1
    slot = word & mask
    while True:
        entry = int(table[slot])
        if entry == 0:
            return TOP_WORD_LEVEL
        if (entry ^ word) >> LEVEL_BITS == 0:  # unsigned against signed would be compared as floats
            return entry & 0xF
        slot = (slot + 1) & mask


@inlined
def level_of_number(digits: int, has_letters: bool, leading: int) -> int:
    """Return the level of a number.

    ``digits``: how many; ``leading``: the value of its first two. Single digits and
    years stand in every story; long figures tell more than names do.
    """
    if has_letters:
        return 4 if digits > 1 else 2
    if digits == 1:
        return 1
    if digits == 2:
        return 4
    if digits == 4 and (leading == 19 or leading == 20):
        return 2
    return NUMBER_LEVEL


def recent_words() -> npt.NDArray[np.uint32]:
    """Return what :func:`weigh` remembers the levels of recent words in: of none yet.

    A slot holds the upper 28 bits of a hash and the level. An empty one's bits are none of those
    that a word of that slot can have.
    """
    return ~np.arange(RECENT_WORDS, dtype=np.uint32)


@called
def weigh(
    words: npt.NDArray[np.int64],
    table: npt.NDArray[np.uint32],
    recent: npt.NDArray[np.uint32],
    tokens: Tokens,
) -> int:
    """Make tokens of an article's words and return how many; words of level 0 are dropped.

    ``words``: int64; a word's hash above the lower 8 bits of its token, of which the level is 0 when
    the table knows it. ``tokens`` receives at most :data:`MAX_TOKENS`.
    """
    missing = np.empty(len(words), dtype=np.int64)
    first_slots = np.empty(len(words), dtype=np.uint32)
    misses = 0
    for at in range(len(words)):
        word = int(words[at]) >> HASH_SHIFT
        known = int(recent[word & (RECENT_WORDS - 1)])
        unknown = (int(words[at]) >> LEVEL_SHIFT) & LEVEL_MASK == 0
        is_recent = (known ^ word) >> LEVEL_BITS == 0
        words[at] |= (known & LEVEL_MASK) << LEVEL_SHIFT if unknown and is_recent else 0
        missing[misses] = at
        misses += 1 if unknown and not is_recent else 0
    # The table is larger than the caches at hand: all words wait for it together.
    for miss in range(misses):
        first_slots[miss] = table[(words[missing[miss]] >> HASH_SHIFT) & (len(table) - 1)]
    for miss in range(misses):
        at = missing[miss]
        word = int(words[at]) >> HASH_SHIFT
        level = level_of_word(word, table) if first_slots[miss] != 0 else TOP_WORD_LEVEL
        recent[word & (RECENT_WORDS - 1)] = word >> LEVEL_BITS << LEVEL_BITS | level
        words[at] |= level << LEVEL_SHIFT
    out = 0
    pending = 0
    for at in range(len(words)):
        entry = int(words[at])
        pending |= entry & STARTS_SENTENCE
        flags = (entry & (NUMBER | NAME | QUOTED | IN_TITLE)) | pending
        level = (entry >> LEVEL_SHIFT) & LEVEL_MASK
        tokens[out] = entry >> (HASH_SHIFT + 8) << HASH_SHIFT | level << LEVEL_SHIFT | flags
        # without a branch: it would be a coin toss
        keep = 1 if level > 0 else 0
        out += keep
        pending &= keep - 1
        if out == MAX_TOKENS:
            break
    return out
