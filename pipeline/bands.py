"""Locality-sensitive hashing: which pairs become candidates.

A signature of ``BANDS * ROWS`` values is cut into bands of ``ROWS``; two articles are
candidates when they agree on a whole band (Indyk, Motwani 1998; Leskovec, Rajaraman,
Ullman, "Mining of Massive Datasets", ch. 3). Of every value the low 8 bits are kept
(b-bit minwise hashing: Li, König 2010), so a band's key has 24 bits.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.signature import Signatures

BANDS = 104
ROWS = 3
PERMUTATIONS = BANDS * ROWS

Bytes = npt.NDArray[np.uint8]


def low_bytes(signatures: Signatures) -> Bytes:
    """Return the low 8 bits of each value: uint8, the shape of ``signatures``."""
    return signatures.astype(np.uint8)


def shares_band(left: Bytes, right: Bytes) -> bool:
    """Tell whether two rows of low bytes (uint8 ``[PERMUTATIONS]``) agree on a whole band."""
    return bool((left == right).reshape(-1, ROWS).all(axis=1).any())


def candidate_probability(similarity: float, bands: int = BANDS, rows: int = ROWS) -> float:
    """Return the chance that a pair of this weighted Jaccard similarity shares a band (the S-curve)."""
    return 1.0 - (1.0 - similarity**rows) ** bands


def estimated_similarity(left: Bytes, right: Bytes) -> float:
    """Estimate weighted Jaccard similarity from two rows of low bytes."""
    agree = float(np.mean(left == right))
    return max(0.0, (agree - 1 / 256) / (1 - 1 / 256))
