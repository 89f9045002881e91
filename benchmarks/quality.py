"""Detection quality against its targets, and other tools on the same pairs.

    make bench-quality

Reads ``../shared/data``, writes ``benchmarks/results/quality.json`` and prints the tables. The
coefficients were fitted to the same data: the second column is what models reach on pairs that
they were not fitted to (``benchmarks/fit_verifier.py``). Wrong links of the background sets are
those of ``benchmarks/judged.py``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from rich.console import Console
from rich.table import Table
from sklearn.metrics import average_precision_score

from benchmarks import news
from benchmarks.background import BACKGROUND, Background, background, show_links
from benchmarks.check_cost import check_cost
from benchmarks.fit_verifier import held_out
from benchmarks.judged import wrong
from benchmarks.news import Pairs, labelled_sets
from benchmarks.peers import Peer, peers
from benchmarks.side_by_side import compare_peers, rate
from pipeline.engine import Engine
from pipeline.verify import BIAS, COEFFICIENTS, LINK_SCORE, SCORE_UNIT

RESULTS = Path(__file__).parent / "results" / "quality.json"
THRESHOLD = LINK_SCORE / SCORE_UNIT


@dataclass(frozen=True, slots=True)
class Target:
    """A measured value and the bound that it should keep. ``at_least``: whether the bound is a lower one."""

    measure: str
    value: float | None
    bound: float
    at_least: bool
    note: str = ""
    held_out: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the bound is kept; None when nothing was measured."""
        return self._keeps(self.value)

    @property
    def met_held_out(self) -> bool | None:
        """Whether the bound is kept on pairs that were not used; None when that was not measured."""
        return self._keeps(self.held_out)

    def _keeps(self, value: float | None) -> bool | None:
        if value is None:
            return None
        return value >= self.bound if self.at_least else value <= self.bound


def _natural(pairs: Pairs) -> list[Target]:
    grades = np.array(pairs.labels)
    scored = grades != 2
    targets = [
        Target(
            "natural pairs: average precision, grade >= 3 against <= 1",
            float(average_precision_score(grades[scored] >= 3, pairs.scores[scored])),
            0.80,
            True,
        )
    ]
    for grade, bound, at_least in ((4, 0.97, True), (3, 0.70, True), (1, 0.06, False), (0, 0.05, False)):
        linked = pairs.linked[grades == grade]
        targets.append(
            Target(
                f"natural pairs: linked, grade {grade}",
                rate(linked),
                bound,
                at_least,
                f"{linked.sum()} of {len(linked)}",
            )
        )
    return targets


def _linked(measure: str, pairs: Pairs, bound: float, at_least: bool, label: float | None = None) -> Target:
    linked = pairs.linked if label is None else pairs.linked[np.array(pairs.labels) == label]
    note = f"{linked.sum()} of {len(linked)}" if len(linked) else "no such texts in the data"
    return Target(measure, rate(linked), bound, at_least, note)


def _targets(sets: dict[str, Pairs]) -> list[Target]:
    """Return what has a target and is measured on labelled pairs."""
    hand, seed = sets["reuters_hand"], sets["seed"]
    targets = _natural(sets["natural"])
    targets.append(_linked("professional rewrites (onestop): linked", sets["onestop"], 0.96, True))
    targets.append(_linked("same event, independent (basil): linked", sets["basil"], 0.01, False))
    targets.append(_linked("look-alike events (ecb+): linked", sets["ecb"], 0.001, False))
    targets.append(
        Target(
            "wire templates (reuters, by hand): average precision",
            float(average_precision_score(hand.labels, hand.scores)),
            0.88,
            True,
        )
    )
    targets.append(_linked("wire templates: linked, label 0", hand, 0.12, False, 0))
    for language in news.LANGUAGES:
        bound = 0.95 if language in ("en", "de") else 0.85 if language == "is" else 0.90
        pairs = sets[f"wmt_{language}"]
        if len(pairs.linked) or language not in news.WRITTEN_LANGUAGES:
            targets.append(_linked(f"rewordings (wmt), {language}: linked", pairs, bound, True))
        else:
            pairs, measure = sets[f"written_{language}"], f"rewordings {language}, written by us: "
            targets.append(_linked(measure + "linked", pairs, bound, True, 1))
            targets.append(_linked(measure + "look-alikes linked", pairs, 0.0, False, 0))
    margin = float(seed.scores[0] - THRESHOLD) / THRESHOLD
    targets.append(Target("seed pair: score above the threshold, of it", margin, 0.10, True))
    accepted = [
        pairs.candidates[pairs.linked]
        for name, pairs in sets.items()
        if name in ("natural", "onestop", "reuters_hand") or name.startswith("wmt")
    ]
    targets.append(
        Target("candidate recall among accepted pairs", rate(np.concatenate(accepted)), 0.99, True)
    )
    return targets


def _background_targets(runs: Sequence[Background]) -> list[Target]:
    targets = []
    for run in runs:
        records = run.articles.records
        count, unread = wrong((str(records[a]["id"]), str(records[b]["id"])) for a, b in run.across)
        note = f"{count} of {len(run.across)} links" + (f", {unread} not read yet" if unread else "")
        targets.append(
            Target(
                f"wrong links per 10,000 articles, {run.name}",
                count / len(records) * 10_000,
                1.0,
                False,
                note,
            )
        )
    return targets


def _cost(runs: Sequence[Background]) -> list[Target]:
    costs = [check_cost(run.articles) for run in runs]
    candidates = sum(cost.candidates for cost in costs)
    seconds = sum(cost.seconds for cost in costs)
    verified = sum(cost.verified for cost in costs)
    note = f"{candidates:,} candidates, {verified:,} verified; " + ", ".join(
        f"{run.name} {cost.microseconds:.2f}" for run, cost in zip(runs, costs, strict=True)
    )
    return [Target("a candidate's check, µs", seconds / max(1, candidates) * 1e6, 5.0, False, note)]


def measure(engine: Engine) -> tuple[list[Target], dict[str, Pairs], list[Background]]:
    """Measure everything that has a target."""
    sets = labelled_sets()
    unseen = held_out(sets)
    for language in news.LANGUAGES:
        if f"wmt_{language}" not in sets:
            sets[f"wmt_{language}"] = unseen[f"wmt_{language}"] = news.rewordings(language, engine)
    for language in news.WRITTEN_LANGUAGES:
        sets[f"written_{language}"] = unseen[f"written_{language}"] = news.written_rewordings(
            language, engine
        )
    targets = [
        replace(fitted, held_out=held.value)
        for fitted, held in zip(_targets(sets), _targets(unseen), strict=True)
    ]
    runs = [background(engine, name) for name in BACKGROUND]
    targets += _background_targets([background(engine, *BACKGROUND), *runs])
    runs.append(background(engine, "reuters_stream"))
    targets += _cost(runs)
    by_set = {name: sets[name] for name in ("natural", "onestop", "basil", "seed")}
    return targets, by_set | {"reuters": sets["reuters_hand"]}, runs


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*row)
    return table


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{count} {kind}" for kind, count in value.items() if count)
    return str(value)


def _verdict(target: Target) -> str:
    if target.met is None:
        return "not measured"
    if target.met_held_out is None or target.met == target.met_held_out:
        return "met" if target.met else "MISSED"
    return "met fitted, MISSED held out" if target.met else "MISSED fitted, met held out"


def show(
    targets: Sequence[Target], runs: Sequence[Background], rows: dict[str, Any], tools: Sequence[Peer]
) -> None:
    """Print the tables."""
    console = Console(width=190)
    lines = [
        (
            t.measure,
            _number(t.value),
            _number(t.held_out),
            f"{'>=' if t.at_least else '<='} {t.bound:g}",
            _verdict(t),
            t.note,
        )
        for t in targets
    ]
    console.print(_table("targets", ("measure", "fitted", "held out", "target", "", ""), lines))
    judged = [(run.name, *(_cell(value) for value in run.figures().values())) for run in runs]
    heads = (
        "one run each",
        "articles",
        "links",
        "to be judged by reading",
        "per 10,000",
        "within events",
        "largest clusters",
    )
    console.print(_table("background sets", heads, judged))
    names = list(next(iter(rows.values())))
    peer_lines = [(name, *(_number(row[n]) for n in names)) for name, row in rows.items()]
    console.print(_table("the same pairs", ("tool", *(n.replace("_", " ") for n in names)), peer_lines))
    for tool in tools:
        if tool.missing:
            console.print(f"not installed, left out: {tool.name} (pip install {tool.missing})")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write the results."""
    parser = argparse.ArgumentParser(description="detection quality against its targets, and peers")
    parser.add_argument(
        "--links", type=int, metavar="CHARACTERS", help="print the background links for reading instead"
    )
    options = parser.parse_args(arguments)
    engine = Engine()
    if options.links:
        show_links([background(engine, n) for n in BACKGROUND], options.links)
        return
    targets, by_set, runs = measure(engine)
    tools = peers()
    rows = compare_peers(by_set, tools)
    show(targets, runs, rows, tools)
    result = {
        "engine": engine.fingerprint,
        "model": {"coefficients": COEFFICIENTS, "bias": BIAS},
        "targets": [
            {
                "measure": t.measure,
                "value": t.value,
                "held_out": t.held_out,
                "bound": t.bound,
                "at_least": t.at_least,
                "met": t.met,
                "met_held_out": t.met_held_out,
                "note": t.note,
            }
            for t in targets
        ],
        "background": {run.name: run.figures() for run in runs},
        "peers": rows,
        "not_installed": [tool.missing for tool in tools if tool.missing],
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_bytes(orjson.dumps(result, option=orjson.OPT_INDENT_2) + b"\n")


if __name__ == "__main__":
    main()
