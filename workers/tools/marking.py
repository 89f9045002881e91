"""Two texts, cut into pieces: shared passages, shared words by weight, and the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from workers.tools.material import Material
from workers.tools.passages import Passage, covered, shared_passages
from workers.tools.words import MAX_SHOWN_CHARACTERS, Known, Spot, known_words, spots

LONG_PASSAGE_WORDS = 5
"""From here on a run is a passage whatever its words; a shorter one needs a weighty word."""

LONG_PASSAGE_CHARACTERS = 8
"""The same for scripts without spaces, where every character counts as a word."""

WEIGHTY_LEVEL = 2


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text. ``level``: a shared word's weight, 0 for other text. ``passage``: its number, or None."""

    text: str
    level: int
    passage: int | None


@dataclass(frozen=True, slots=True)
class SharedWord:
    """A content word that both texts have."""

    word: str
    level: int


@dataclass(frozen=True, slots=True)
class Marked:
    """A text in pieces. ``covered``: the share of its words in passages. ``cut``: characters not shown."""

    title: list[Piece]
    text: list[Piece]
    words: int
    covered: float
    cut: int
    passages: list[str]
    shared_words: list[SharedWord]


@dataclass(frozen=True, slots=True)
class _Read:
    content: str
    title_end: int
    cut: int
    spots: list[Spot]
    known: dict[int, Known]


def mark(left: Material, right: Material) -> tuple[Marked, Marked]:
    """Mark both texts of a pair."""
    sides = (_read(left), _read(right))
    common = sides[0].known.keys() & sides[1].known.keys()
    passages = [
        p
        for p in shared_passages([s.folded for s in sides[0].spots], [s.folded for s in sides[1].spots])
        if _worth_showing(p, sides[0], common)
    ]
    return (
        _marked(sides[0], common, [(p.left, p.words) for p in passages], passages),
        _marked(sides[1], common, [(p.right, p.words) for p in passages], passages),
    )


def _read(material: Material) -> _Read:
    article = material.article
    content = f"{article.title}\n\n{article.text}" if article.title else article.text
    shown = content[:MAX_SHOWN_CHARACTERS]
    return _Read(
        shown,
        min(len(article.title), len(shown)),
        len(content) - len(shown),
        spots(shown),
        known_words(material.tokens),
    )


def _worth_showing(passage: Passage, side: _Read, common: set[int]) -> bool:
    run = side.spots[passage.left : passage.left + passage.words]
    spaceless = sum(1 for spot in run if spot.pair or spot.end - spot.start == 1)
    if spaceless == len(run):
        return len(run) >= LONG_PASSAGE_CHARACTERS
    if len(run) >= LONG_PASSAGE_WORDS:
        return True
    return any(spot.hash in common and side.known[spot.hash].level >= WEIGHTY_LEVEL for spot in run)


def _marked(
    side: _Read, common: set[int], runs: Sequence[tuple[int, int]], passages: Sequence[Passage]
) -> Marked:
    levels = _levels(side, common)
    cuts: dict[int, tuple[int, int]] = {}  # first word of a passage: (its last word, its number)
    for order, (first, words) in enumerate(runs):
        cuts[first] = (first + words - 1, order)
    pieces: list[tuple[int, int, int, int | None]] = []  # start, end, level, passage
    position = 0
    at = 0
    inside: tuple[int, int] | None = None
    while at < len(side.spots):
        spot = side.spots[at]
        begins = cuts.get(at)
        if begins is not None:
            inside = begins
        number = inside[1] if inside is not None else None
        if spot.start > position:
            pieces.append((position, spot.start, 0, number if begins is None else None))
        pieces.append((spot.start, spot.end, levels[at], number))
        position = spot.end
        if inside is not None and at == inside[0]:
            inside = None
        at += 1
    if position < len(side.content):
        pieces.append((position, len(side.content), 0, None))
    title, text = _split(side, pieces)
    return Marked(
        title=title,
        text=text,
        words=len(side.spots),
        covered=covered(passages, len(side.spots)),
        cut=side.cut,
        passages=[
            side.content[side.spots[first].start : side.spots[first + words - 1].end] for first, words in runs
        ],
        shared_words=_shared_words(side, common),
    )


def _levels(side: _Read, common: set[int]) -> list[int]:
    """Return by word the weight level of those that both texts have, 0 for the others."""
    levels = [side.known[s.hash].level if s.hash in common else 0 for s in side.spots]
    for at, spot in enumerate(side.spots):
        if spot.pair in common:
            level = side.known[spot.pair].level
            levels[at] = max(levels[at], level)
            if at + 1 < len(levels):
                levels[at + 1] = max(levels[at + 1], level)
    return levels


def _split(
    side: _Read, pieces: Sequence[tuple[int, int, int, int | None]]
) -> tuple[list[Piece], list[Piece]]:
    """Join neighbours that look alike, and cut at the title's end."""
    title: list[Piece] = []
    text: list[Piece] = []
    for start, end, level, passage in pieces:
        stretches = ((start, end),)
        if start < side.title_end < end:
            stretches = ((start, side.title_end), (side.title_end, end))  # type: ignore[assignment]
        for begin, stop in stretches:
            target = title if stop <= side.title_end else text
            last = target[-1] if target else None
            content = side.content[begin:stop]
            if last is not None and last.level == level and last.passage == passage and level == 0:
                target[-1] = Piece(last.text + content, level, passage)
            else:
                target.append(Piece(content, level, passage))
    if title and text:  # the empty line that parted them
        text[0] = replace(text[0], text=text[0].text.lstrip("\n"))
    return title, text


def _shared_words(side: _Read, common: set[int]) -> list[SharedWord]:
    found: dict[int, SharedWord] = {}
    for spot in side.spots:
        if spot.hash in common and spot.hash not in found:
            found[spot.hash] = SharedWord(side.content[spot.start : spot.end], side.known[spot.hash].level)
    return sorted(found.values(), key=lambda w: (-w.level, w.word.casefold()))
