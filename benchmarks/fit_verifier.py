"""Fit the verifier's coefficients (pipeline/verify.py) and measure them on pairs held out.

    python -m benchmarks.fit_verifier [--repeats 8] [--without SET ...]

A logistic regression over the features of :mod:`pipeline.features`, as the engine
computes them, with non-negative weights (agreement never speaks against a link) and a
small ridge. Its pairs are the labelled sets of ``../shared/data`` and, as negatives, pairs
of the background sets that the index proposes although they lie days apart or were
collected for different events. Each set has a weight of its own (:data:`WEIGHTS`), so that
three thousand translations do not outvote three hundred hand-graded pairs.

Held-out figures come from grouped cross-validation: pairs that share an article, an event
or a story are in one fold. What they do not remove is the choice of features and weights,
which was made looking at such figures; docs/quality.md says what follows from that. ``--without``
leaves whole sets out of the fit, and shows what the others make of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import minimize
from sklearn.metrics import average_precision_score

from benchmarks.judged import COPY_GRADE, OTHER_GRADE
from benchmarks.news import WRITTEN_LANGUAGES, Pairs, labelled_sets, written_rewordings
from pipeline.arrays import F64
from pipeline.features import FACTS, FEATURES, LENGTH
from pipeline.rules import rules
from pipeline.verify import LINK_SCORE, SCORE_UNIT

GRADED = ("natural", "web")
# How much each set counts in the fit, whatever its size.
WEIGHTS = {
    "natural": 20.0,
    "web": 15.0,
    "onestop": 0.7,
    "basil": 0.7,
    "ecb": 0.7,
    "reuters_hand": 2.5,
    "reuters_silver": 0.5,
    "seed": 0.15,
    "wmt_en": 4.2,
    "wmt_de": 1.5,
    "wmt_fr": 2.4,
    "wmt_is": 3.6,
    "wmt_ja": 3.6,
    "far_us2018": 4.0,
    "near_us2018": 4.0,
    "far_multinews": 30.0,
    "far_reuters": 2.4,
}
RIDGE = 1e-2
# Most pairs of one set that enter a fit: more changed nothing.
SAMPLE = 900
FOLDS = 5
REPEATS = 8
THRESHOLD = LINK_SCORE / SCORE_UNIT
# Added to the bias: what the weights of the sets make of the natural pairs is used as it is.
DEFAULT_SHIFT = 0.0
# The logit of texts with the same words; the model is not asked.
EXACT_LOGIT = 6.0


@dataclass(slots=True)
class Sample:
    """A set ready to fit: ``facts`` float64 ``[n, FACTS]``, targets 0, 1 or 0.5 (unused)."""

    facts: F64
    targets: F64
    weights: F64
    groups: list[Hashable]
    grades: F64
    chosen: Any


def _sample(name: str, pairs: Pairs, random: np.random.Generator) -> Sample:
    grades = np.array(pairs.labels, float)
    targets = grades
    if name in GRADED:
        targets = np.where(grades >= COPY_GRADE, 1.0, np.where(grades <= OTHER_GRADE, 0.0, 0.5))
    weights = np.ones(len(grades))
    weights[(targets == 0.5) | (pairs.facts[:, LENGTH] == 0)] = 0  # identical texts never reach the model
    if (targets == 1).any() and (targets == 0).any():
        weights[targets == 1] *= 0.45 / (targets == 1).sum()
        weights[targets == 0] *= 0.55 / (targets == 0).sum()
    if name == "natural":
        weights[grades == 4] *= 0.7
    weights *= WEIGHTS.get(name, 0.0) / max(weights.sum(), 1e-9)
    chosen = np.arange(len(grades))
    if len(chosen) > SAMPLE:
        chosen = np.sort(random.choice(len(chosen), SAMPLE, replace=False))
    return Sample(pairs.facts, targets, weights, list(pairs.groups), grades, chosen)


def _fit(samples: dict[str, Sample], keep: dict[str, Any] | None = None) -> F64:
    """Return the weights of the features and, last, the bias."""
    rows, targets, weights = [], [], []
    for name, sample in samples.items():
        chosen = sample.chosen
        if keep is not None and name != "seed":
            chosen = chosen[keep[name][chosen]]
        chosen = chosen[sample.weights[chosen] > 0]
        if not len(chosen):
            continue
        rows.append(sample.facts[chosen, : len(FEATURES)])
        targets.append(sample.targets[chosen])
        weights.append(sample.weights[chosen] * (sample.weights.sum() / sample.weights[chosen].sum()))
    x, y, w = np.concatenate(rows), np.concatenate(targets), np.concatenate(weights)
    mean, spread = x.mean(0), np.maximum(x.std(0), 1e-3)
    x = (x - mean) / spread  # without the mean the search stops early, and anywhere

    def loss(theta: F64) -> tuple[float, F64]:
        z = x @ theta[:-1] + theta[-1]
        residual = w * (1 / (1 + np.exp(-z)) - y)
        value = np.sum(w * (np.logaddexp(0, z) - y * z)) + RIDGE * np.sum(theta[:-1] ** 2)
        return value, np.r_[x.T @ residual + 2 * RIDGE * theta[:-1], residual.sum()]

    bounds = [(0, None)] * len(FEATURES) + [(None, None)]
    exact = {"maxiter": 5000, "ftol": 1e-13, "gtol": 1e-8}
    start = np.zeros(len(FEATURES) + 1)
    theta = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=exact).x
    fitted: F64 = np.r_[theta[:-1] / spread, theta[-1] - theta[:-1] @ (mean / spread)]
    return fitted


def _rounded(theta: F64, natural: Sample, shift: float) -> F64:
    """Return readable coefficients; the bias makes up for what the rounding does to the natural pairs' mean."""
    rounded = np.round(theta[:-1], 1)
    mean = natural.facts[natural.facts[:, LENGTH] > 0, : len(FEATURES)].mean(0)
    readable: F64 = np.r_[rounded, round(float(theta[-1] - shift + mean @ (theta[:-1] - rounded)), 2)]
    return readable


def _logits(facts: F64, theta: F64, shift: float) -> F64:
    """Return the verdicts with the rules for short, verbatim and collected texts applied."""
    z = facts[:, : len(FEATURES)] @ theta[:-1] + theta[-1] - shift
    ruled = np.array([rules(float(v), row) for v, row in zip(z, facts, strict=True)])
    return np.where(facts[:, LENGTH] == 0, EXACT_LOGIT, ruled)


def _cross_validated(samples: dict[str, Sample], repeats: int, shift: float) -> dict[str, F64]:
    """Return each pair's mean verdict over the repeats, from fits that did not see its group."""
    totals = {name: np.zeros(len(sample.targets)) for name, sample in samples.items()}
    for repeat in range(repeats):
        random = np.random.default_rng(repeat)
        folds = {}
        for name, sample in samples.items():
            groups = sorted(set(sample.groups), key=str)
            place = dict(zip(groups, random.permutation(len(groups)) % FOLDS, strict=True))
            folds[name] = np.array([place[g] for g in sample.groups])
        for fold in range(FOLDS):
            theta = _fit(samples, {name: folds[name] != fold for name in samples})
            for name, sample in samples.items():
                held = folds[name] == fold if name != "seed" else np.array([True])
                share = repeats * (FOLDS if name == "seed" else 1)
                totals[name][held] += _logits(sample.facts[held], theta, shift) / share
    return totals


def held_out(
    sets: dict[str, Pairs], repeats: int = REPEATS, shift: float = DEFAULT_SHIFT
) -> dict[str, Pairs]:
    """Return the sets as models judge them that did not see the pair's group."""
    random = np.random.default_rng(1)
    samples = {name: _sample(name, pairs, random) for name, pairs in sets.items()}
    judged = {}
    for name, logits in _cross_validated(samples, repeats, shift).items():
        scores = 1 / (1 + np.exp(-logits))
        judged[name] = replace(sets[name], scores=scores, linked=scores >= THRESHOLD)
    return judged


def _report(title: str, samples: dict[str, Sample], logits: dict[str, F64]) -> None:
    print(f"\n{title}")
    for name in GRADED:
        grades, targets, verdicts = samples[name].grades, samples[name].targets, logits[name]
        scored = targets != 0.5
        precision = average_precision_score(targets[scored], verdicts[scored])
        print(f"  {name} pairs, average precision of grade >= 3 against <= 1: {precision:.3f}")
        for grade in (4, 3, 2, 1, 0):
            of_grade = np.abs(grades - grade + 0.1) < 0.5
            linked = verdicts[of_grade] > 0
            print(f"    grade {grade} linked: {linked.mean():6.1%} ({linked.sum()} of {of_grade.sum()})")
    hand = samples["reuters_hand"]
    print(
        f"  reuters by hand, average precision: {average_precision_score(hand.targets, logits['reuters_hand']):.3f}"
    )
    for name, sample in samples.items():
        for label in (1, 0):
            chosen = sample.targets == label
            if name not in GRADED and chosen.any():
                linked = logits[name][chosen] > 0
                print(
                    f"  {name:15} label {label} linked: {linked.mean():7.2%} ({linked.sum()} of {chosen.sum()})"
                )
    print(f"  seed pair: logit {logits['seed'][0]:+.2f}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, print the held-out table and the coefficients."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS, help="repeats of the cross-validation")
    parser.add_argument("--shift", type=float, default=DEFAULT_SHIFT, help="raises the threshold, in logits")
    parser.add_argument(
        "--without", nargs="+", default=[], choices=WEIGHTS, metavar="SET", help="not fitted to"
    )
    options = parser.parse_args(arguments)
    random = np.random.default_rng(1)
    sets = labelled_sets() | {f"written_{name}": written_rewordings(name) for name in WRITTEN_LANGUAGES}
    samples = {name: _sample(name, pairs, random) for name, pairs in sets.items()}
    for name in options.without:
        samples[name].weights[:] = 0
    assert all(s.facts.shape[1] == FACTS for s in samples.values())
    held_out = _cross_validated(samples, options.repeats, options.shift)
    _report(f"held out ({FOLDS} folds, {options.repeats} repeats)", samples, held_out)
    theta = _fit(samples)
    rounded = _rounded(theta, samples["natural"], options.shift)
    fitted = {name: _logits(s.facts, rounded, 0.0) for name, s in samples.items()}
    _report("fitted to all, rounded (not held out)", samples, fitted)
    print("\ncoefficients for pipeline/verify.py")
    for feature, value in zip(FEATURES, rounded[:-1], strict=True):
        print(f"  {feature:10} {value:6.1f}")
    print(f"  BIAS       {rounded[-1]:6.2f}")


if __name__ == "__main__":
    main()
