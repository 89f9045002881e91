"""Weighted MinHash signatures, bit for bit those of datasketch 2.0.

A word of level *l* enters the hashed set as ``REPLICAS[l]`` different items, so that
plain MinHash over the items is MinHash of the weighted set (Haveliwala, Gionis,
Indyk 2000: "Scalable techniques for clustering the web"). The signature is that of
``datasketch.MinHash(scheme="affine32")`` over the items: position *k* holds the
minimum of ``a[k] * fmix32(item) + b[k]`` modulo 2^32.
"""

from __future__ import annotations

from functools import cache

import datasketch
import numpy as np
import numpy.typing as npt

from pipeline.hashing import fmix32
from pipeline.kernels import COMPILED, kernel
from pipeline.tokens import HASH_SHIFT, LEVEL_MASK, LEVEL_SHIFT, MAX_TOKENS, WORD_SHIFT, Tokens

Signatures = npt.NDArray[np.uint32]

SCHEME = "affine32"
SEED = 1
# Items by level. Words of level 1 are kept for the verifier only; figures count most.
# Measured: flat weights find more pairs at equal numbers of candidates than steep ones.
REPLICAS = (0, 0, 1, 1, 2, 3, 0, 0)
MAX_REPLICAS = max(REPLICAS)

_REPLICAS = np.array(REPLICAS, dtype=np.int64)
# Which words an article has shown last, one a slot (a power of two): leaving repeated words out
# saves work and need not be perfect.
_SEEN_SLOTS = 1024
# So many items pass a permutation together: it is loaded and stored once for all of them.
_AT_A_TIME = 8
_NO_ITEM = 0xFFFFFFFF


@cache
def permutations(count: int) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Return datasketch's ``a`` and ``b`` (uint32, ``[count]`` each) for :data:`SEED`."""
    a, b = datasketch.MinHash(num_perm=count, seed=SEED, scheme=SCHEME).permutations
    return np.ascontiguousarray(a, dtype=np.uint32), np.ascontiguousarray(b, dtype=np.uint32)


def items(tokens: Tokens) -> list[int]:
    """Return the hashed items (distinct 32-bit integers) of one article's tokens."""
    found: dict[int, None] = {}
    for token in tokens.tolist():
        for replica in range(REPLICAS[(token >> LEVEL_SHIFT) & LEVEL_MASK]):
            found[(token >> HASH_SHIFT) << 2 | replica] = None
    return list(found)


def reference_signature(tokens: Tokens, count: int) -> Signatures:
    """Sign one article with datasketch itself; returns uint32 ``[count]``."""
    minhash = datasketch.MinHash(num_perm=count, seed=SEED, scheme=SCHEME, hashfunc=int)
    hashed = items(tokens)
    if hashed:
        minhash.update_batch(hashed)
    return np.asarray(minhash.hashvalues, dtype=np.uint32)


def lean_minhash(signature: Signatures) -> datasketch.LeanMinHash:
    """Return a signature as datasketch's own object, for users of that library."""
    return datasketch.LeanMinHash(seed=SEED, hashvalues=signature, scheme=SCHEME)


def sign(tokens: Tokens, ends: npt.NDArray[np.int64], count: int) -> Signatures:
    """Sign a batch.

    ``tokens``: all articles' tokens back to back; article ``i``'s end at ``ends[i]``.
    Returns uint32 ``[len(ends), count]``; an article without items has only 0xFFFFFFFF.
    """
    signatures = np.empty((len(ends), count), dtype=np.uint32)
    if COMPILED:
        a, b = permutations(count)
        _sign(tokens, ends, a, b, _REPLICAS, signatures)
    else:
        first = 0
        for row, end in enumerate(ends.tolist()):
            signatures[row] = reference_signature(tokens[first:end], count)
            first = end
    return signatures


@kernel
def _sign(
    tokens: Tokens,
    ends: npt.NDArray[np.int64],
    a: npt.NDArray[np.uint32],
    b: npt.NDArray[np.uint32],
    replicas: npt.NDArray[np.int64],
    signatures: Signatures,
) -> None:
    hashed = np.empty(MAX_TOKENS * MAX_REPLICAS + _AT_A_TIME, dtype=np.uint32)
    seen = np.zeros(_SEEN_SLOTS, dtype=np.uint32)
    first = 0
    for row in range(len(ends)):
        end = int(ends[row])
        for slot in range(_SEEN_SLOTS):
            seen[slot] = 0
        total = 0
        for position in range(first, end):
            token = int(tokens[position])
            word = token >> WORD_SHIFT
            slot = (token >> HASH_SHIFT) & (_SEEN_SLOTS - 1)
            # All items are written and the superfluous ones overwritten: a branch would be a coin toss.
            for replica in range(MAX_REPLICAS):
                hashed[total + replica] = np.uint32((token >> HASH_SHIFT) << 2 | replica)
            total += int(replicas[(token >> LEVEL_SHIFT) & LEVEL_MASK]) if int(seen[slot]) != word else 0
            seen[slot] = np.uint32(word)
        first = end
        least = signatures[row]
        for k in range(len(least)):
            least[k] = _NO_ITEM
        if total == 0:
            continue
        for position in range(_AT_A_TIME):
            hashed[total + position] = hashed[0]  # an item twice changes nothing
        for position in range(total + _AT_A_TIME):
            hashed[position] = np.uint32(fmix32(int(hashed[position])))
        for position in range(0, total, _AT_A_TIME):
            h0 = hashed[position]
            h1 = hashed[position + 1]
            h2 = hashed[position + 2]
            h3 = hashed[position + 3]
            h4 = hashed[position + 4]
            h5 = hashed[position + 5]
            h6 = hashed[position + 6]
            h7 = hashed[position + 7]
            for k in range(len(a)):
                factor = a[k]
                offset = b[k]
                value = least[k]
                value = min(value, np.uint32(factor * h0 + offset))
                value = min(value, np.uint32(factor * h1 + offset))
                value = min(value, np.uint32(factor * h2 + offset))
                value = min(value, np.uint32(factor * h3 + offset))
                value = min(value, np.uint32(factor * h4 + offset))
                value = min(value, np.uint32(factor * h5 + offset))
                value = min(value, np.uint32(factor * h6 + offset))
                value = min(value, np.uint32(factor * h7 + offset))
                least[k] = value
