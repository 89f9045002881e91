"""How well the engine does on labelled articles: the figures behind `samewire evaluate`.

Metrics are scikit-learn's where it has them; B-cubed is that of Bagga and Baldwin
(1998, "Entity-based cross-document coreferencing using the vector space model").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from config.settings import Settings, milliseconds
from pipeline.engine import Engine
from pipeline.errors import SettingsError
from pipeline.verify import LINK_SCORE, SCORE_UNIT
from workers.candidates import components, links, sketch_all
from workers.labelled import Kind, Labelled, LabelledPair

SCHEMA = "samewire.evaluation/1"
THRESHOLD = LINK_SCORE / SCORE_UNIT
Figures = dict[str, Any]


def require(module: str, extra: str = "evaluate") -> ModuleType:
    """Import an optional package, or say how to get it."""
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        raise SettingsError(
            f"{module.split('.')[0]} is not installed; install samewire with its extra: pip install 'samewire[{extra}]'"
        ) from error


@dataclass(slots=True)
class ScoredPairs:
    """Pairs with scores. ``truth``: 1 copy, 0 not, -1 does not score. ``candidates``: shares a band."""

    grades: npt.NDArray[np.float64]
    truth: npt.NDArray[np.int8]
    scores: npt.NDArray[np.float64]
    candidates: npt.NDArray[np.bool_]


def score_pairs(pairs: Sequence[LabelledPair], engine: Engine) -> ScoredPairs:
    """Score pairs outside any window."""
    scores, candidates = [], []
    for pair in pairs:
        comparison, candidate, _ = engine.score_pair(pair.left, pair.right)
        scores.append(comparison.score / SCORE_UNIT)
        candidates.append(candidate)
    truth = [-1 if pair.is_copy is None else int(pair.is_copy) for pair in pairs]
    return ScoredPairs(
        np.array([pair.grade for pair in pairs]),
        np.array(truth, np.int8),
        np.array(scores),
        np.array(candidates, bool),
    )


def _rate(part: float, whole: float) -> float | None:
    return round(float(part / whole), 6) if whole else None


def pair_figures(scored: ScoredPairs, threshold: float = THRESHOLD) -> Figures:
    """Return average precision, link rates by grade, and candidate recall."""
    metrics = require("sklearn.metrics")
    linked = scored.scores >= threshold
    scores = scored.truth >= 0
    truth = scored.truth[scores]
    precision = None
    if 0 < truth.sum() < len(truth):
        precision = round(float(metrics.average_precision_score(truth, scored.scores[scores])), 6)
    by_grade = {}
    for grade in sorted(set(scored.grades.tolist()), reverse=True):
        chosen = scored.grades == grade
        by_grade[f"{grade:g}"] = {
            "pairs": int(chosen.sum()),
            "linked": _rate(linked[chosen].sum(), chosen.sum()),
            "linked_by_the_index": _rate((linked & scored.candidates)[chosen].sum(), chosen.sum()),
        }
    right = int((linked & (scored.truth == 1)).sum())
    wrong = int((linked & (scored.truth == 0)).sum())
    return {
        "pairs": len(scored.grades),
        "threshold": threshold,
        "average_precision": precision,
        "precision": _rate(right, right + wrong),
        "recall": _rate(right, int((scored.truth == 1).sum())),
        "candidate_recall": _rate(int(scored.candidates[linked].sum()), int(linked.sum())),
        "by_grade": by_grade,
    }


def b_cubed(labels: Sequence[Hashable], clusters: Sequence[Hashable]) -> tuple[float, float]:
    """Return B-cubed precision and recall."""
    together = Counter(zip(labels, clusters, strict=True))
    of_label, of_cluster = Counter(labels), Counter(clusters)
    precision = sum(n * n / of_cluster[cluster] for (_, cluster), n in together.items())
    recall = sum(n * n / of_label[label] for (label, _), n in together.items())
    return precision / len(labels), recall / len(labels)


def _harmonic(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def cluster_figures(labels: Sequence[str], clusters: Sequence[int]) -> Figures:
    """Return pairwise and B-cubed precision, recall and F1, the adjusted Rand index and over-merging."""
    metrics = require("sklearn.metrics")
    (_, false_links), (missed, true_links) = metrics.pair_confusion_matrix(labels, clusters).tolist()
    precision = true_links / (true_links + false_links) if true_links + false_links else 1.0
    recall = true_links / (true_links + missed) if true_links + missed else 1.0
    b_precision, b_recall = b_cubed(labels, clusters)
    sizes = Counter(clusters)
    spanning = _spanning(labels, clusters)
    return {
        "articles": len(labels),
        "labels": len(set(labels)),
        "clusters": len(sizes),
        "pairwise": {
            "precision": round(precision, 6),
            "recall": round(recall, 6),
            "f1": round(_harmonic(precision, recall), 6),
        },
        "b_cubed": {
            "precision": round(b_precision, 6),
            "recall": round(b_recall, 6),
            "f1": round(_harmonic(b_precision, b_recall), 6),
        },
        "adjusted_rand_index": round(float(metrics.adjusted_rand_score(labels, clusters)), 6),
        "largest_cluster": max(sizes.values()),
        "articles_in_clusters_of_several_labels": _rate(sum(sizes[c] for c in spanning), len(labels)),
    }


def _spanning(labels: Sequence[str], clusters: Sequence[int]) -> set[int]:
    first: dict[int, str] = {}
    return {c for label, c in zip(labels, clusters, strict=True) if first.setdefault(c, label) != label}


def event_figures(
    labels: Sequence[str], linked: Sequence[tuple[int, int]], clusters: Sequence[int]
) -> Figures:
    """Return how many pairs of one event, and of different events, are linked."""
    of_event = Counter(labels)
    within = sum(n * (n - 1) // 2 for n in of_event.values())
    across = len(labels) * (len(labels) - 1) // 2 - within
    same = sum(labels[left] == labels[right] for left, right in linked)
    return {
        "articles": len(labels),
        "events": len(of_event),
        "within_events": {"pairs": within, "links": same, "rate": _rate(same, within)},
        "across_events": {
            "pairs": across,
            "links": len(linked) - same,
            "rate": _rate(len(linked) - same, across),
            "links_per_10000_articles": round((len(linked) - same) / len(labels) * 10_000, 3),
        },
        "largest_cluster": max(Counter(clusters).values()),
    }


@dataclass(slots=True)
class Evaluation:
    """The figures of one file; ``pairs`` where there are any, for the plot."""

    figures: Figures
    pairs: ScoredPairs | None = None


def evaluate(labelled: Labelled, engine: Engine, settings: Settings) -> Evaluation:
    """Measure the engine on labelled input of any kind."""
    head: Figures = {"schema": SCHEMA, "engine": engine.fingerprint, "kind": str(labelled.kind)}
    if labelled.unusable:
        head["unusable"] = labelled.unusable
    if labelled.kind is Kind.PAIRS:
        scored = score_pairs(labelled.pairs, engine)
        return Evaluation(head | pair_figures(scored), scored)
    sketched = sketch_all(labelled.articles, engine)
    linked = links(sketched, milliseconds(settings.window.length))
    clusters = components(len(labelled.articles), linked)
    if labelled.kind is Kind.EVENTS:
        return Evaluation(head | event_figures(labelled.labels, linked, clusters))
    return Evaluation(head | cluster_figures(labelled.labels, clusters))
