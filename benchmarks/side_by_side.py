"""samewire and the other tools on the same pairs, in one run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score

from benchmarks import news
from benchmarks.news import Pairs, Record
from benchmarks.peers import Peer

# The share of professional rewrites at which other tools' thresholds are set.
REWRITES_FOUND = 0.95


def rate(linked: Any) -> float | None:
    """Return the share that is true; None of nothing."""
    return float(np.mean(linked)) if len(linked) else None


@dataclass(slots=True)
class PeerSet:
    """Pairs of texts with what they are: ``truth`` 1 copy, 0 not, -1 not scored."""

    lefts: list[str]
    rights: list[str]
    truth: Any


def _texts(records: list[Record], pairs: Pairs) -> tuple[list[str], list[str]]:
    return [records[left]["text"] for left, _ in pairs.places], [
        records[right]["text"] for _, right in pairs.places
    ]


def peer_sets(measured: dict[str, Pairs]) -> dict[str, PeerSet]:
    """Return the sets that all tools are compared on."""
    sides = [side for record in news.records("natural_pairs") for side in (record["a"], record["b"])]
    sources: dict[str, Callable[[], list[Record]]] = {
        "natural": lambda: sides,
        "onestop": lambda: news.records("onestop"),
        "basil": lambda: news.records("same_event_basil"),
        "reuters": lambda: news.records("reuters_stream"),
        "seed": news.seeds,
    }
    sets = {}
    for name, source in sources.items():
        pairs = measured[name]
        labels = np.array(pairs.labels)
        truth = np.where(labels >= 3, 1, np.where(labels <= 1, 0, -1)) if name == "natural" else labels
        sets[name] = PeerSet(*_texts(source(), pairs), truth)
    return sets


def peer_row(scores: dict[str, Scores], truths: dict[str, Any]) -> dict[str, float | None]:
    """Return one tool's row: its links as documented, and at the threshold that finds 95 % of the rewrites."""
    own = float(np.quantile(scores["onestop"].values, 1 - REWRITES_FOUND))

    def average(name: str) -> float:
        chosen = truths[name] >= 0
        return float(average_precision_score(truths[name][chosen], scores[name].values[chosen]))

    def linked(name: str, truth: int) -> float | None:
        links = scores[name].linked
        return None if links is None else rate(links[truths[name] == truth])

    return {
        "natural_average_precision": average("natural"),
        "reuters_average_precision": average("reuters"),
        "natural_copies_linked": linked("natural", 1),
        "natural_others_linked": linked("natural", 0),
        "onestop_linked": linked("onestop", 1),
        "basil_linked": linked("basil", 0),
        "seed_linked": linked("seed", 1),
        "own_threshold": own,
        "basil_at_own_threshold": rate(scores["basil"].values >= own),
        "seed_at_own_threshold": float(scores["seed"].values[0] >= own),
    }


@dataclass(slots=True)
class Scores:
    """A tool's verdicts on one set: scores (float64) and links (bool; None where it has no usual threshold)."""

    values: Any
    linked: Any


def compare_peers(measured: dict[str, Pairs], tools: Sequence[Peer]) -> dict[str, dict[str, float | None]]:
    """Run every tool that is installed over the same pairs."""
    sets = peer_sets(measured)
    truths = {name: pairs.truth for name, pairs in sets.items()}
    ours = {name: Scores(measured[name].scores, measured[name].linked) for name in sets}
    rows = {"samewire": peer_row(ours, truths)}
    for tool in tools:
        if tool.missing:
            continue
        scores = {}
        for name, pairs in sets.items():
            values, linked = tool.score(pairs.lefts, pairs.rights)
            scores[name] = Scores(np.array(values), None if linked is None else np.array(linked, bool))
        rows[tool.name] = peer_row(scores, truths)
    return rows
