"""The engine: one sketcher and the fingerprint of everything that decides an answer."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from pipeline.article import Article
from pipeline.bands import BANDS, ROWS, estimated_similarity, shares_band
from pipeline.codepoints import code_points
from pipeline.entering import MAX_BUCKET_WALK
from pipeline.matching import MAX_LINKS_PER_CLUSTER, MIN_AGREEING
from pipeline.signature import REPLICAS, SCHEME, SEED
from pipeline.sketch import Sketcher
from pipeline.tokens import MAX_TOKENS
from pipeline.verify import LINK_SCORE, MODEL, Comparison, compare
from pipeline.weights import TermTable

# Raise it with every change to what the tokeniser, the text rules or the verifier
# produce; tests/unit/test_fingerprint.py fails when their output changes and this does not.
ENGINE_VERSION = 4


class Engine:
    """A sketcher with its fingerprint.

    ``fingerprint`` names the tokeniser, term table, furniture, MinHash scheme and seed,
    bands and the verifier; states and records of different fingerprints never mix.
    """

    def __init__(
        self, table: TermTable | None = None, furniture: npt.NDArray[np.uint32] | None = None
    ) -> None:
        self.sketcher = Sketcher(table, furniture)
        parts = (
            ENGINE_VERSION,
            code_points().digest,
            self.sketcher.table.digest,
            self.sketcher.furniture.tobytes(),
            (SCHEME, SEED, REPLICAS, MAX_TOKENS),
            (BANDS, ROWS, MAX_BUCKET_WALK, MIN_AGREEING, MAX_LINKS_PER_CLUSTER),
            (LINK_SCORE, MODEL),
        )
        self.fingerprint = f"sw{ENGINE_VERSION}-{blake2b(repr(parts).encode(), digest_size=6).hexdigest()}"

    def score_pair(self, left: Article, right: Article) -> tuple[Comparison, bool, float]:
        """Compare two articles outside any window.

        Returns the comparison, whether they share a band (are candidates), and the
        similarity that their signatures estimate.
        """
        sketches = self.sketcher.sketch([left, right])
        gap_ms = 0
        if left.published_ms is not None and right.published_ms is not None:
            gap_ms = left.published_ms - right.published_ms
        comparison = compare(sketches.tokens_of(0), sketches.tokens_of(1), gap_ms)
        low = sketches.low
        has_items = len(sketches.tokens_of(0)) > 0 and len(sketches.tokens_of(1)) > 0
        return (
            comparison,
            has_items and shares_band(low[0], low[1]),
            estimated_similarity(low[0], low[1]) if has_items else 0.0,
        )
