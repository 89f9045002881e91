"""Why two articles are, or are not, the same copy: every number behind a decision."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pipeline.article import Article
from pipeline.bands import BANDS, PERMUTATIONS, ROWS, candidate_probability, estimated_similarity
from pipeline.dates import format_date
from pipeline.engine import Engine
from pipeline.errors import FingerprintError
from pipeline.matching import MIN_AGREEING
from pipeline.rules import RULES
from pipeline.sketch import resketch
from pipeline.tokens import HASH_SHIFT, Tokens
from pipeline.verify import (
    BIAS,
    COEFFICIENTS,
    LINK_SCORE,
    NEW,
    RELATIONS,
    SCORE_UNIT,
    compare,
)
from workers.tools.agreements import Agreement, agreements
from workers.tools.marking import Marked, mark
from workers.tools.material import Material

LABELS = {
    "numbers": ("Figures agree", "how far the numbers in both texts are the same"),
    "shared": ("Words in common", "distinct words of the shorter text that the other one has too"),
    "entities": ("Names agree", "how far names and larger figures are the same"),
    "length": ("Enough text", "the more there is to compare, the more agreement means"),
    "order": ("Same order", "words that both use once stand in the same order"),
    "worst": ("No foreign part", "the quarter of the shorter text that the other covers worst"),
    "sentences": ("Sentences in order", "sentences of the longer text have their partners in the same order"),
    "even": (
        "Spread evenly",
        "verbatim passages stand everywhere in the shorter text, not in one part of it",
    ),
    "unquoted": ("Own words", "how much of the shorter text is not quotation"),
    "phrases": (
        "Same phrases",
        "how much of the shorter text goes on as the longer one does, quotations left out",
    ),
}
"""A readable name and a meaning for each of the verifier's features."""


@dataclass(frozen=True, slots=True)
class Part:
    """One feature's part in the score: ``points`` = ``value`` x ``coefficient``."""

    feature: str
    label: str
    meaning: str
    value: float
    coefficient: float
    points: float


@dataclass(frozen=True, slots=True)
class Standing:
    """How an article stands in a state. ``version``: 0 for none given. ``earlier``: versions before it."""

    cluster_id: str | None = None
    version: int = 0
    earlier: int = 0


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two articles, with its text marked where it agrees with the other.

    ``version``: 0 for none given. ``earlier_versions``: known ones that stand no more; they are not what is explained.
    """

    id: str
    source: str
    lang: str
    url: str
    published_at: str | None
    cluster_id: str | None
    version: int
    earlier_versions: int
    marked: Marked

    @property
    def correction(self) -> str:
        """What to say of an article that was corrected; nothing of one that was not."""
        if not self.earlier_versions:
            return ""
        version = f"version {self.version}" if self.version else "the newest version"
        plural = "s" if self.earlier_versions > 1 else ""
        return f"corrected: this is {version}; {self.earlier_versions} earlier one{plural} stood before it"


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole account. ``rule``: which of :data:`RULES` decided. Points add up to ``total``."""

    engine: str
    linked: bool
    relation: str
    score: float
    threshold: float
    candidate: bool
    bands_shared: list[int]
    bands: int
    estimated_similarity: float
    signature_agrees: float
    signature_must_agree: float
    candidate_probability: float
    gap_ms: int
    gap_points: float
    parts: list[Part]
    bias: float
    total: float
    rule: str
    rule_meaning: str
    agreements: list[Agreement]
    chain: list[str] | None
    left: Side
    right: Side

    @property
    def verdict(self) -> str:
        """The decision in a sentence."""
        if self.linked and not self.candidate:
            return (
                f"Alike enough to link ({self.relation}, {self.score:.2f}), but their signatures agree too little "
                "to make them candidates: the engine would not compare them directly"
            )
        if self.linked:
            return f"The same copy: {self.relation}, score {self.score:.2f}"
        return f"Not the same copy: score {self.score:.2f} is below {self.threshold:.2f}"

    def record(self) -> dict[str, Any]:
        """Return everything as JSON-ready values."""
        fields = asdict(self)
        for side in ("left", "right"):
            marked = fields[side].pop("marked")
            fields[side] |= {
                "title": "".join(p["text"] for p in marked["title"]),
                "words": marked["words"],
                "covered": round(marked["covered"], 4),
            }
        fields["passages"] = self.left.marked.passages
        fields["shared_words"] = [asdict(w) for w in self.left.marked.shared_words]
        return {"verdict": self.verdict, **fields}


def from_articles(engine: Engine, left: Article, right: Article) -> Explanation:
    """Explain two articles with this engine."""
    sketches = engine.sketcher.sketch([left, right])
    pair = [
        Material(article, sketches.tokens_of(row).copy(), engine.fingerprint)
        for row, article in enumerate((left, right))
    ]
    return explain(engine.fingerprint, pair[0], pair[1])


def require_engine(engine: str, material: Material) -> None:
    """Raise :class:`FingerprintError` when a state's article was read by another engine."""
    if material.engine != engine:
        raise FingerprintError(
            f"the state was made by engine {material.engine} and this is engine {engine}: its scores would not be "
            "the ones that decided. Run explain with the version and --config that made the state; or write the "
            "two articles to files and give those, to see what this engine says; `samewire report` shows the state as it is"
        )


def explain(
    engine: str,
    left: Material,
    right: Material,
    stand: tuple[Standing, Standing] = (Standing(), Standing()),
    chain: list[str] | None = None,
) -> Explanation:
    """Explain a pair whose tokens both come from ``engine``."""
    dated = left.article.published_ms is not None and right.article.published_ms is not None
    gap_ms = abs((left.article.published_ms or 0) - (right.article.published_ms or 0)) if dated else 0
    comparison = compare(left.tokens, right.tokens, gap_ms)
    parts = [
        Part(name, *LABELS.get(name, (name, "")), value, coefficient, value * coefficient)
        for (name, value), coefficient in zip(comparison.facts.items(), COEFFICIENTS, strict=True)
        if coefficient
    ]
    gap_points = -comparison.penalty
    total = BIAS + sum(part.points for part in parts) + gap_points
    identical = _identical(left.tokens, right.tokens)
    rule = comparison.rule
    if identical:  # nothing was computed, and nothing need be shown
        parts = []
    shared, agreeing, estimate = _signatures(left.tokens, right.tokens)
    marks = mark(left, right)
    return Explanation(
        engine=engine,
        linked=comparison.linked,
        relation=RELATIONS[comparison.relation] if comparison.linked else RELATIONS[NEW],
        score=comparison.score / SCORE_UNIT,
        threshold=LINK_SCORE / SCORE_UNIT,
        candidate=bool(shared) and agreeing >= MIN_AGREEING,
        bands_shared=shared,
        bands=BANDS,
        estimated_similarity=estimate,
        signature_agrees=agreeing / PERMUTATIONS,
        signature_must_agree=MIN_AGREEING / PERMUTATIONS,
        candidate_probability=candidate_probability(estimate),
        gap_ms=gap_ms,
        gap_points=gap_points,
        parts=parts,
        bias=BIAS,
        total=total,
        rule=rule,
        rule_meaning=RULES[rule],
        agreements=agreements(left, right),
        chain=chain,
        left=_side(left.article, stand[0], marks[0]),
        right=_side(right.article, stand[1], marks[1]),
    )


def _identical(left: Tokens, right: Tokens) -> bool:
    return len(left) == len(right) and not np.any((left ^ right) >> HASH_SHIFT)


def _signatures(left: Tokens, right: Tokens) -> tuple[list[int], int, float]:
    """Return the bands that two articles share, how many values agree, and the similarity that this estimates."""
    if not len(left) or not len(right):
        return [], 0, 0.0
    low = resketch(np.concatenate((left, right)), np.cumsum([len(left), len(right)])).low
    agree = low[0] == low[1]
    bands = np.flatnonzero(agree.reshape(-1, ROWS).all(axis=1))
    return [int(band) for band in bands], int(agree.sum()), estimated_similarity(low[0], low[1])


def _side(article: Article, stands: Standing, marked: Marked) -> Side:
    published = article.published_ms
    return Side(
        id=article.id,
        source=article.source,
        lang=article.lang,
        url=article.url,
        published_at=None if published is None else format_date(published),
        cluster_id=stands.cluster_id,
        version=stands.version,
        earlier_versions=stands.earlier,
        marked=marked,
    )
