"""What a user's own labelled pairs say about the threshold and the bands: `samewire tune`.

The threshold and the bands are constants of the engine, so that every installation of one
version gives the same answers; this shows what another choice would bring on a user's pairs.
``score`` is in every answer: a stricter threshold can be applied downstream at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.bands import BANDS, ROWS, candidate_probability
from pipeline.engine import Engine
from pipeline.errors import InputError
from pipeline.signature import items
from workers.evaluate import SCHEMA, THRESHOLD, ScoredPairs, score_pairs
from workers.labelled import Labelled

BAND_CHOICES = (48, 64, 85, BANDS, 128, 160)
FOUND = 0.99
"""The share of accepted pairs that bands should find."""


@dataclass(slots=True)
class Tuning:
    """The figures; ``similarities``: weighted Jaccard of the pairs that the verifier accepts (float64)."""

    figures: dict[str, Any]
    similarities: np.ndarray


def weighted_jaccard(left: Sequence[int], right: Sequence[int]) -> float:
    """Return the similarity that the signatures estimate."""
    a, b = set(left), set(right)
    return len(a & b) / len(a | b) if a and b else 0.0


def at_threshold(scored: ScoredPairs, threshold: float) -> dict[str, float]:
    """Return precision, recall and F1 of the pairs that score."""
    linked = scored.scores >= threshold
    right = int((linked & (scored.truth == 1)).sum())
    wrong = int((linked & (scored.truth == 0)).sum())
    precision = right / (right + wrong) if right + wrong else 1.0
    recall = right / max(1, int((scored.truth == 1).sum()))
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {
        "threshold": round(threshold, 4),
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(f1, 4),
    }


def _fewest_bands(curve: list[dict[str, Any]]) -> int | None:
    """Return the fewest bands that find enough of the accepted pairs; each costs memory and candidates."""
    enough = [row["bands"] for row in curve if (row["found_of_accepted"] or 0) >= FOUND]
    return min(enough, default=None)


def tune(labelled: Labelled, engine: Engine, min_precision: float | None = None) -> Tuning:
    """Fit a threshold and a number of bands to labelled pairs.

    The threshold has the best F1, or with ``min_precision`` the best recall among those
    that reach it. Of several it is the middle one, which generalises best.
    """
    scored = score_pairs(labelled.pairs, engine)
    if not ((scored.truth == 1).any() and (scored.truth == 0).any()):
        raise InputError(
            "tune needs pairs that are copies and pairs that are not; see `samewire evaluate --help`"
        )
    choices = [at_threshold(scored, step / 100) for step in range(2, 100)]
    fitting = [c for c in choices if min_precision is None or c["precision"] >= min_precision]
    if not fitting:
        best = max(choices, key=lambda c: c["precision"])
    else:
        measure = "f1" if min_precision is None else "recall"
        top = max(c[measure] for c in fitting)
        ties = [c for c in fitting if c[measure] == top]
        best = ties[len(ties) // 2]
    sketches = engine.sketcher.sketch([side for pair in labelled.pairs for side in (pair.left, pair.right)])
    similarities = np.array(
        [
            weighted_jaccard(items(sketches.tokens_of(2 * row)), items(sketches.tokens_of(2 * row + 1)))
            for row in range(len(labelled.pairs))
        ]
    )
    accepted = similarities[(scored.scores >= best["threshold"]) & (scored.truth != 0)]
    curve = []
    for bands in BAND_CHOICES:
        chances = [candidate_probability(float(s), bands) for s in accepted]
        curve.append(
            {
                "bands": bands,
                "rows": ROWS,
                "in_use": bands == BANDS,
                "found_of_accepted": round(float(np.mean(chances)), 4) if chances else None,
                "candidate_at_0.05": round(candidate_probability(0.05, bands), 5),
                "candidate_at_0.30": round(candidate_probability(0.30, bands), 4),
            }
        )
    figures = {
        "schema": SCHEMA,
        "engine": engine.fingerprint,
        "kind": "tuning",
        "pairs": len(labelled.pairs),
        "in_use": at_threshold(scored, THRESHOLD),
        "best": best,
        "best_bands": _fewest_bands(curve),
        "curve": curve,
    }
    return Tuning(figures, accepted)
