"""The family tree of a cluster: where it probably comes from, its versions, which copy derives from which.

Every article's parent is, among those published before it, the one that explains most of
its words: runs of three content words in common count for one half, content words in
whatever order for the other. Equal ones: the earliest. This needs the stored tokens
alone, so that it works on the state of any engine.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pipeline.answers import cluster_id
from pipeline.article import Article
from pipeline.dates import format_date
from pipeline.text import AGENCIES
from pipeline.tokens import HASH_SHIFT
from workers.tools.articles import Edition, Entry, Story
from workers.tools.material import Material

MAX_MEMBERS = 2000
"""Members that are compared each with those before it; a larger cluster is cut to its earliest."""

PARENTS_LOOKED_AT = 200
"""Of so many before an article at most, the earliest half and the latest half."""

VERBATIM = 0.7
"""Share of an article's word triples from which it counts as taken over verbatim."""

_TIE = 0.01
_CREDIT_LEAD = 400  # characters in which a dateline's credit stands
_CREDIT_TAIL = 400  # and those in which a closing credit does
_NAMES = {
    "ap": "AP",
    "associated press": "AP",
    "the associated press": "AP",
    "associated press writer": "AP",
    "agence france-presse": "AFP",
    "reuters": "Reuters",
    "thomson reuters": "Reuters",
    "dpa": "dpa",
    "pa": "PA",
    "pa media": "PA",
    "press association": "PA",
    "canadian press": "Canadian Press",
    "bloomberg news": "Bloomberg",
    "itar-tass": "TASS",
    "xinhua": "Xinhua",
    "kyodo": "Kyodo",
    "yonhap": "Yonhap",
    "interfax": "Interfax",
    "bernama": "Bernama",
    "antara": "Antara",
    "belga": "Belga",
    "ritzau": "Ritzau",
    "bloomberg": "Bloomberg",
    "dow jones": "Dow Jones",
    "keystone-sda": "Keystone-SDA",
}
_BY_LENGTH = "|".join(sorted(AGENCIES.split("|"), key=lambda name: -len(name)))
_IN_BRACKETS = re.compile(rf"\(\s*({_BY_LENGTH})(?:/[^)\n]{{2,20}})?\s*\)", re.IGNORECASE)
_WITH_WORDS = re.compile(
    r"\b(Reuters|AFP|Agence France-Presse|Associated Press|dpa|EFE|ANSA|Xinhua|Kyodo|Yonhap|TASS|Interfax|PA Media)\b"
    r"(?=\s*(?:[-–—.]|$|\)|contributed|journalist|writer|\d{4}))",
    re.MULTILINE,
)
_EAST_ASIAN = (
    ("共同", "Kyodo"),
    ("新华社", "Xinhua"),
    ("時事", "Jiji"),
    ("ロイター", "Reuters"),
    ("法新社", "AFP"),
)


@dataclass(frozen=True, slots=True)
class Member:
    """An edition of an article in the tree. ``kind``: how it relates to its parent; ``version``: its group, from 1.

    ``edition``: its version as its source numbers it, 0 for none; ``status``: whether it stands; ``reason``: why
    it was killed. ``killed_ancestor``: the id of the nearest killed article that it derives from.
    ``node`` and ``parent_node``: it and its parent by place in the tree, because versions share an id.
    """

    node: int
    id: str
    edition: int
    status: Literal["stands", "replaced", "killed"]
    reason: str
    source: str
    title: str
    published_at: str
    later_ms: int
    credits: list[str]
    parent: str | None
    parent_node: int | None
    killed_ancestor: str | None
    kind: str
    verbatim: float
    words: float
    version: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a story probably comes from: an agency or a source, with the reason."""

    name: str
    article_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Family:
    """A cluster as a tree, with the versions of its articles and those that were killed.

    ``articles``: those that stand. ``cut``: members beyond :data:`MAX_MEMBERS`.
    """

    cluster_id: str
    merged_ids: list[str]
    split_ids: list[str]
    articles: int
    origin: Origin
    versions: int
    members: list[Member]
    cut: int

    def record(self) -> dict[str, Any]:
        """Return everything as JSON-ready values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Words:
    words: frozenset[int]
    triples: frozenset[tuple[int, int, int]]


def family(story: Story, editions: Sequence[Edition], material: Mapping[tuple[int, int], Material]) -> Family:
    """Return the tree of a cluster. ``editions``: its articles' versions; ``material``: by :attr:`Entry.key`."""
    known = sorted(editions, key=lambda e: (_known_ms(e), e.entry.ordinal))
    shown = known[:MAX_MEMBERS]
    entries = [edition.entry for edition in shown]
    read = [_words(material.get(entry.key)) for entry in entries]
    credited = [credits_of(material[e.key].article) if e.key in material else [] for e in entries]
    members: list[Member] = []
    versions = 0
    last: dict[str, int] = {}
    for at, (edition, entry) in enumerate(zip(shown, entries, strict=True)):
        # a correction comes from the version before it, however much of it stood in a copy first
        before = last.get(entry.id) if edition.is_later else None
        parent, verbatim, words, kept = _parent(read, at, _candidates(at) if before is None else [before])
        last[entry.id] = at
        above = None if parent is None else members[parent]
        kind = _kind(verbatim, kept) if above is not None else "first"
        if above is None or kind in ("rewritten", "extended"):
            versions += 1
        members.append(
            Member(
                node=at,
                id=entry.id,
                edition=entry.version,
                status=edition.status,
                reason=edition.killed.reason if edition.killed else "",
                source=entry.source,
                title=entry.title,
                published_at=format_date(entry.time_ms),
                later_ms=_known_ms(edition) - _known_ms(shown[0]),
                credits=credited[at],
                parent=None if above is None else above.id,
                parent_node=parent,
                killed_ancestor=None if above is None else _killed_above(above, entry.id),
                kind=kind,
                verbatim=round(verbatim, 4),
                words=round(words, 4),
                version=versions if above is None or kind in ("rewritten", "extended") else above.version,
            )
        )
    return Family(
        cluster_id=story.id,
        merged_ids=[cluster_id(merge.lost) for merge in story.merges],
        split_ids=[cluster_id(s.parted) for s in story.splits if s.parted != story.name],
        articles=len(story.entries),
        origin=_origin(entries, credited),
        versions=versions,
        members=members,
        cut=len(known) - len(shown),
    )


def _known_ms(edition: Edition) -> int:
    """Return since when an edition can have been copied: a correction not before it was made."""
    entry = edition.entry
    return max(entry.time_ms, entry.updated_ms) if edition.is_later else entry.time_ms


def _killed_above(parent: Member, article_id: str) -> str | None:
    # a version that came after a kill of the one before it is what was to be published instead
    is_killed = parent.status == "killed" and parent.id != article_id
    return parent.id if is_killed else parent.killed_ancestor


def _words(material: Material | None) -> _Words:
    hashes = [] if material is None else [token >> HASH_SHIFT for token in material.tokens.tolist()]
    return _Words(frozenset(hashes), frozenset(zip(hashes, hashes[1:], hashes[2:], strict=False)))


def _candidates(at: int) -> Sequence[int]:
    """Return which of those before an article are looked at."""
    if at <= PARENTS_LOOKED_AT:
        return range(at)
    half = PARENTS_LOOKED_AT // 2
    return [*range(half), *range(at - half, at)]


def _parent(
    read: Sequence[_Words], at: int, candidates: Sequence[int]
) -> tuple[int | None, float, float, float]:
    """Return an article's parent, its shares of triples and words from it, and the parent's triples kept."""
    best: tuple[int | None, float, float, float] = (None, 0.0, 0.0, 0.0)
    best_share = -1.0
    mine = read[at]
    for other in candidates:
        theirs = read[other]
        triples = len(mine.triples & theirs.triples)
        verbatim = triples / max(1, len(mine.triples))
        words = len(mine.words & theirs.words) / max(1, len(mine.words))
        share = (verbatim + words) / 2
        if share > best_share + _TIE:
            best_share = share
            best = (other, verbatim, words, triples / max(1, len(theirs.triples)))
    return best


def _kind(verbatim: float, kept: float) -> str:
    """Name what a child made of its parent."""
    if verbatim >= VERBATIM:
        return "verbatim" if kept >= VERBATIM else "trimmed"
    return "extended" if kept >= VERBATIM else "rewritten"


def credits_of(article: Article) -> list[str]:
    """Return the agencies that an article credits, in its dateline, its last lines or as its source."""
    found: dict[str, None] = {}
    name = article.source.strip().casefold()
    if name in _NAMES or name in AGENCIES.split("|"):
        found[_proper(article.source.strip())] = None
    lead, tail = article.text[:_CREDIT_LEAD], article.text[_CREDIT_LEAD:][-_CREDIT_TAIL:]
    for part in (lead, tail):
        for match in _IN_BRACKETS.finditer(part):
            found[_proper(match[1])] = None
        for match in _WITH_WORDS.finditer(part):
            found[_proper(match[1])] = None
    for sign, agency in _EAST_ASIAN:
        if sign in article.text[:60]:
            found[agency] = None
    return list(found)


def _proper(name: str) -> str:
    folded = name.casefold()
    return _NAMES.get(folded, folded.upper() if len(folded) <= 4 else name)


def _origin(entries: Sequence[Entry], credited: Sequence[Sequence[str]]) -> Origin:
    first = entries[0]
    tally = Counter(agency for found in credited for agency in found)
    if not tally:
        name = first.source or first.id
        return Origin(name, first.id, "the earliest copy; no agency is credited in any")
    # Of agencies credited equally often, the one credited first.
    agency, times = max(tally.items(), key=lambda item: item[1])
    at = next(place for place, found in enumerate(credited) if agency in found)
    entry = entries[at]
    noun = "copy credits" if times == 1 else "copies credit"
    if entry.source.casefold() == agency.casefold():
        why = f"{times} {noun} it, and this is its own"
    elif at == 0:
        why = f"{times} {noun} it, the earliest among them; its own copy is not in the state"
    else:
        why = f"{times} {noun} it; the earliest copy of all, from {first.source or first.id}, does not"
    return Origin(agency, entry.id, why)


def children(members: Sequence[Member]) -> dict[int | None, list[Member]]:
    """Return the members by their parent's node."""
    found: dict[int | None, list[Member]] = {}
    for member in members:
        found.setdefault(member.parent_node, []).append(member)
    return found
