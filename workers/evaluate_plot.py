"""Plots for `samewire evaluate` and `samewire tune`, as PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.bands import BANDS, ROWS, candidate_probability
from pipeline.errors import OutputError
from workers.evaluate import THRESHOLD, ScoredPairs, require


def plot_pairs(scored: ScoredPairs, file: Path) -> None:
    """Draw precision and recall over the threshold, and the scores by grade."""
    figure_module = require("matplotlib.figure")
    metrics = require("sklearn.metrics")
    figure = figure_module.Figure(figsize=(11, 4.5), layout="constrained")
    curve, histogram = figure.subplots(1, 2)
    scores = scored.truth >= 0
    truth = scored.truth[scores]
    if 0 < truth.sum() < len(truth):
        precision, recall, _ = metrics.precision_recall_curve(truth, scored.scores[scores])
        average = metrics.average_precision_score(truth, scored.scores[scores])
        curve.step(recall, precision, where="post", label=f"average precision {average:.3f}")
        linked = scored.scores[scores] >= THRESHOLD
        if linked.any():
            curve.plot(
                linked[truth == 1].mean(), truth[linked].mean(), "o", label=f"at the threshold {THRESHOLD:g}"
            )
        curve.legend(loc="lower left")
    curve.set(
        xlabel="recall", ylabel="precision", xlim=(0, 1.01), ylim=(0, 1.05), title="Precision and recall"
    )
    grades = sorted(set(scored.grades.tolist()))
    histogram.hist(
        [scored.scores[scored.grades == grade] for grade in grades],
        bins=np.linspace(0, 1, 21),
        stacked=True,
        label=[f"grade {grade:g}" for grade in grades],
    )
    histogram.axvline(THRESHOLD, color="black", linestyle="--", linewidth=1)
    histogram.set(xlabel="score", ylabel="pairs", title="Scores by grade")
    histogram.legend()
    _save(figure, file)


def plot_s_curve(file: Path, similarities: np.ndarray, bands: tuple[int, ...]) -> None:
    """Draw the chance to become a candidate over similarity, and where the accepted pairs lie."""
    figure = require("matplotlib.figure").Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    x = np.linspace(0, 1, 201)
    for count in bands:
        axes.plot(
            x,
            [candidate_probability(float(s), count) for s in x],
            label=f"{count} bands of {ROWS}" + (" (in use)" if count == BANDS else ""),
        )
    axes.set(xlabel="weighted Jaccard similarity", ylabel="chance to become a candidate", title="S-curve")
    axes.legend(loc="lower right")
    density = axes.twinx()
    density.hist(similarities, bins=np.linspace(0, 1, 41), alpha=0.3, color="grey")
    density.set_ylabel("accepted pairs")
    _save(figure, file)


def _save(figure: object, file: Path) -> None:
    try:
        figure.savefig(file, dpi=120)  # type: ignore[attr-defined]
    except (OSError, ValueError) as error:
        raise OutputError(
            f"plot {file}: {error}; choose a place that can be written, ending in .png"
        ) from error
