"""The evaluation data of ``../shared/data`` as pairs of articles with the engine's features."""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from benchmarks.judged import RIGHT, graded
from pipeline.arrays import F64
from pipeline.article import article_from
from pipeline.bands import shares_band
from pipeline.engine import Engine
from pipeline.features import FACTS
from pipeline.verify import LINK_SCORE, SCORE_UNIT, compared
from workers.candidates import Sketched, proposed, sketch_all

NEWS = Path(__file__).parents[1] / "../shared/data"
LANGUAGES = ("en", "de", "fr", "hr", "is", "ja", "zh")
# What the evaluation data may lack: renderings that we wrote ourselves (tests/data/README.md).
WRITTEN = Path(__file__).parents[1] / "tests/data/rewordings_hr_zh.jsonl"
WRITTEN_LANGUAGES = ("hr", "zh")
_DAY_MS = 86_400_000

Record = dict[str, Any]
Places = list[tuple[int, int]]


def records(name: str) -> list[Record]:
    """Read a set."""
    with gzip.open(NEWS / f"{name}.jsonl.gz", "rb") as lines:
        return [orjson.loads(line) for line in lines]


def seeds() -> list[Record]:
    """Read the seed pair."""
    return [
        {"id": path.stem, "text": path.read_text("utf-8")} for path in sorted((NEWS / "seeds").glob("*.txt"))
    ]


@dataclass(slots=True)
class News(Sketched):
    """A set: its records beside what was computed of them."""

    records: list[Record]


def sketched(found: list[Record], engine: Engine | None = None) -> News:
    """Sketch a set."""
    done = sketch_all([article_from(record) for record in found], engine or Engine())
    return News(done.tokens, done.low, done.times, found)


@dataclass(slots=True)
class Pairs:
    """Pairs of one set. ``labels``: as in the data; ``groups``: pairs that are not independent share one."""

    labels: list[float]
    groups: Sequence[Hashable]
    scores: F64
    linked: npt.NDArray[np.bool_]
    candidates: npt.NDArray[np.bool_]
    facts: F64
    places: Places = field(default_factory=list)


def compare_pairs(
    articles: News,
    places: Places,
    labels: Sequence[float],
    groups: Sequence[Hashable],
    timed: bool = False,
) -> Pairs:
    """Compare pairs, given as positions in a set; ``timed`` counts the time between two articles."""
    scores, candidates, facts = [], [], []
    for left, right in places:
        gap = int(articles.times[left] - articles.times[right]) if timed else 0
        score, _, of_pair = compared(articles.tokens[left], articles.tokens[right], gap)
        scores.append(score / SCORE_UNIT)
        facts.append(of_pair)
        candidates.append(shares_band(articles.low[left], articles.low[right]))
    values = np.array(scores)
    return Pairs(
        list(labels),
        groups,
        values,
        values >= LINK_SCORE / SCORE_UNIT,
        np.array(candidates, bool),
        np.array(facts).reshape(-1, FACTS),
        places,
    )


def within(articles: News, key: str, wanted: Callable[[Record, Record], bool] | None = None) -> Places:
    """List the pairs of articles that agree in a field."""
    groups: defaultdict[Hashable, list[int]] = defaultdict(list)
    for row, record in enumerate(articles.records):
        groups[record[key]].append(row)
    return [
        (left, right)
        for rows in groups.values()
        for left, right in combinations(rows, 2)
        if wanted is None or wanted(articles.records[left], articles.records[right])
    ]


class _Groups:
    """Union-find over hashable names."""

    def __init__(self) -> None:
        self.parents: dict[Hashable, Hashable] = {}

    def find(self, name: Hashable) -> Hashable:
        self.parents.setdefault(name, name)
        while self.parents[name] != name:
            self.parents[name] = self.parents[self.parents[name]]
            name = self.parents[name]
        return name

    def unite(self, left: Hashable, right: Hashable) -> None:
        self.parents[self.find(left)] = self.find(right)


def natural_pairs(engine: Engine | None = None) -> Pairs:
    """The hand-graded pairs; grouped by shared articles and, for Multi-News, by event."""
    found = records("natural_pairs")
    articles = sketched([side for record in found for side in (record["a"], record["b"])], engine)
    groups = _Groups()
    for record in found:
        for side in (record["a"]["id"], record["b"]["id"]):
            if side.startswith("mn"):
                groups.unite(side, side.split("_")[0])
        groups.unite(record["a"]["id"], record["b"]["id"])
    return compare_pairs(
        articles,
        [(2 * row, 2 * row + 1) for row in range(len(found))],
        [record["grade"] for record in found],
        [groups.find(record["a"]["id"]) for record in found],
    )


def web_pairs(engine: Engine | None = None) -> Pairs:
    """Pairs of web news within events, which we graded as the natural pairs are; no event is in both."""
    grades = graded()
    wanted = {side for pair in grades for side in pair}
    articles = sketched([r for r in records("background_multinews") if r["id"] in wanted], engine)
    row_of = {record["id"]: row for row, record in enumerate(articles.records)}
    return compare_pairs(
        articles,
        [(row_of[left], row_of[right]) for left, right in grades],
        list(grades.values()),
        [articles.records[row_of[left]]["event"] for left, _ in grades],
    )


def _field_pairs(
    name: str,
    key: str,
    label: float,
    wanted: Callable[[Record, Record], bool] | None = None,
    engine: Engine | None = None,
) -> Pairs:
    articles = sketched(records(name), engine)
    places = within(articles, key, wanted)
    return compare_pairs(
        articles, places, [label] * len(places), [articles.records[left][key] for left, _ in places]
    )


def onestop(engine: Engine | None = None) -> Pairs:
    """Professional rewrites: all pairs are copies."""
    return _field_pairs("onestop", "label", 1, engine=engine)


def basil(engine: Engine | None = None) -> Pairs:
    """The same event by different outlets: no pair is a copy."""
    return _field_pairs("same_event_basil", "event", 0, engine=engine)


def ecb(engine: Engine | None = None) -> Pairs:
    """Different events of the same kind: no pair is a copy."""
    return _field_pairs(
        "lookalike_events_ecbplus", "topic", 0, lambda a, b: bool(a["event"] != b["event"]), engine
    )


def rewordings(language: str, engine: Engine | None = None) -> Pairs:
    """Several translations of one article into one language: all pairs are copies. May be empty."""
    chosen = [record for record in records("rewordings_wmt") if record["lang"] == language]
    if not chosen:
        return compare_pairs(sketched([], engine), [], [], [])
    articles = sketched(chosen, engine)
    places = within(articles, "label")
    return compare_pairs(articles, places, [1] * len(places), [chosen[left]["label"] for left, _ in places])


def written_rewordings(language: str, engine: Engine | None = None) -> Pairs:
    """Renderings written by us: label 1 for two of one article, 0 for look-alikes and other reports of its event."""
    with WRITTEN.open("rb") as lines:
        found = [record for line in lines if (record := orjson.loads(line))["lang"] == language]
    articles = sketched(found, engine)
    places = within(articles, "topic")
    return compare_pairs(
        articles,
        places,
        [found[left]["label"] == found[right]["label"] for left, right in places],
        [found[left]["topic"] for left, _ in places],
    )


def reuters_pairs(kind: str, engine: Engine | None = None) -> Pairs:
    """Labelled pairs of the Reuters stream (``hand`` or ``silver``), those that score."""
    articles = sketched(records("reuters_stream"), engine)
    row_of = {record["id"]: row for row, record in enumerate(articles.records)}
    groups = _Groups()
    labelled = records("reuters_pairs")
    for pair in labelled:
        groups.unite(pair["a"], pair["b"])
    chosen = [pair for pair in labelled if pair["kind"] == kind and pair["label"] != 0.5]
    return compare_pairs(
        articles,
        [(row_of[pair["a"]], row_of[pair["b"]]) for pair in chosen],
        [pair["label"] for pair in chosen],
        [groups.find(pair["a"]) for pair in chosen],
    )


def seed_pair(engine: Engine | None = None) -> Pairs:
    """The two rewrites that the project began with."""
    return compare_pairs(sketched(seeds(), engine), [(0, 1)], [1], ["seed"])


def far_pairs(name: str, days: float | None, engine: Engine | None = None) -> Pairs:
    """Pairs that the index proposes although they are more than ``days`` apart; None: of different events.

    Without those that reading found to be copies (:data:`benchmarks.judged.RIGHT`).
    """
    articles = sketched(records(name), engine)

    def far(left: int, right: int) -> bool:
        if days is None:
            return bool(articles.records[left]["event"] != articles.records[right]["event"])
        return abs(int(articles.times[left] - articles.times[right])) > days * _DAY_MS

    return _proposed_pairs(articles, far)


def near_pairs(name: str, days: float, engine: Engine | None = None) -> Pairs:
    """Pairs that the index proposes at most ``days`` apart, but for copies as in :func:`far_pairs`.

    Reports of one event by several outlets, and an outlet's follow-ups.
    """
    articles = sketched(records(name), engine)

    def near(left: int, right: int) -> bool:
        return abs(int(articles.times[left] - articles.times[right])) <= days * _DAY_MS

    return _proposed_pairs(articles, near)


def _proposed_pairs(articles: News, wanted: Callable[[int, int], bool]) -> Pairs:
    ids = [str(record["id"]) for record in articles.records]
    places = [
        (left, right)
        for left, right in proposed(articles)
        if wanted(left, right) and frozenset((ids[left], ids[right])) not in RIGHT
    ]
    groups = _Groups()
    for left, right in places:
        groups.unite(left, right)
    return compare_pairs(articles, places, [0] * len(places), [groups.find(left) for left, _ in places])


def labelled_sets() -> dict[str, Pairs]:
    """All sets that the verifier is fitted to."""
    sets = {
        "natural": natural_pairs(),
        "web": web_pairs(),
        "onestop": onestop(),
        "basil": basil(),
        "ecb": ecb(),
        "reuters_hand": reuters_pairs("hand"),
        "reuters_silver": reuters_pairs("silver"),
        "seed": seed_pair(),
        "far_us2018": far_pairs("background_us2018", 3),
        "near_us2018": near_pairs("background_us2018", 3),
        "far_multinews": far_pairs("background_multinews", None),
        "far_reuters": far_pairs("reuters_stream", 1.5),
    }
    sets |= {f"wmt_{language}": rewordings(language) for language in ("en", "de", "fr", "is", "ja")}
    return sets
