"""The 32-bit hashes of words, MinHash items and bands, and the 64-bit ones of identities.

Words: FNV-1a over code points (Fowler, Noll, Vo 1991), finished with MurmurHash3's
``fmix32`` (Appleby 2011). Identities (cluster ids, contents): BLAKE2b.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np

from pipeline.arrays import U64
from pipeline.kernels import inlined

FNV_OFFSET = 0x811C9DC5
FNV_PRIME = 0x01000193
MASK32 = 0xFFFFFFFF


@inlined
def fnv_step(state: int, code_point: int) -> int:
    """Add one code point to a running word hash."""
    return ((state ^ code_point) * FNV_PRIME) & MASK32


@inlined
def fmix32(value: int) -> int:
    """Scatter a 32-bit value over 32 bits (MurmurHash3's finaliser)."""
    value ^= value >> 16
    value = (value * 0x85EBCA6B) & MASK32
    value ^= value >> 13
    value = (value * 0xC2B2AE35) & MASK32
    return value ^ (value >> 16)


def word_hash(folded: str) -> int:
    """Return the 32-bit hash of a folded word, as the tokeniser computes it."""
    state = FNV_OFFSET
    for character in folded:
        state = fnv_step(state, ord(character))
    return int(fmix32(state))


def identity64(name: str) -> int:
    """Return 64 bits that stand for ``name``; cluster ids are made of them."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")


def identities64(names: Iterable[str]) -> U64:
    """Return :func:`identity64` of each."""
    blank = blake2b(digest_size=8)  # copying it is cheaper than making one for each
    digests = []
    for name in names:
        one = blank.copy()
        one.update(name.encode())
        digests.append(one.digest())
    return np.frombuffer(b"".join(digests), ">u8").astype(np.uint64)
