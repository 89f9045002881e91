"""Passages that two texts share: runs of the same words, wherever they stand.

Greedy string tiling over words (Wise 1996: "YAP3: improved detection of similarities in
computer program and other texts"), with runs found through an index of word triples.
``assets/passages.js`` does the same in the browser.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

SEED_WORDS = 3
"""Runs shorter than this are chance ("of the")."""

MAX_PLACES = 32
"""Places at which a triple is looked up: a phrase repeated more often says little."""

MOST_RUN_WORDS = 40
"""Words in runs for each word of the texts; in a text of one phrase over and over all places match all."""


@dataclass(frozen=True, slots=True)
class Passage:
    """The same ``words`` words at ``left`` and ``right`` (positions in the lists of words)."""

    left: int
    right: int
    words: int


def shared_passages(left: Sequence[str], right: Sequence[str]) -> list[Passage]:
    """Return runs of equal words, longest first where they compete; no word is used twice."""
    places: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for at in range(len(right) - SEED_WORDS + 1):
        found = places[tuple(right[at : at + SEED_WORDS])]
        if len(found) < MAX_PLACES:
            found.append(at)
    runs: list[tuple[int, int, int]] = []
    known_until: dict[int, int] = {}  # by diagonal: a run begins only where the one before it ended
    budget = MOST_RUN_WORDS * (len(left) + len(right))
    for at in range(len(left) - SEED_WORDS + 1):
        if budget < 0:
            break
        for other in places.get(tuple(left[at : at + SEED_WORDS]), ()):
            diagonal = other - at
            if known_until.get(diagonal, -1) > at:
                continue
            length = SEED_WORDS
            while (
                at + length < len(left)
                and other + length < len(right)
                and left[at + length] == right[other + length]
            ):
                length += 1
            known_until[diagonal] = at + length
            runs.append((length, at, other))
            budget -= length
    runs.sort(key=lambda run: (-run[0], run[1], run[2]))
    used_left, used_right = bytearray(len(left)), bytearray(len(right))
    taken: list[Passage] = []
    for length, at, other in runs:
        begin = 0
        # What is left of a run when a longer one took a part of it.
        while begin < length:
            while begin < length and (used_left[at + begin] or used_right[other + begin]):
                begin += 1
            end = begin
            while end < length and not used_left[at + end] and not used_right[other + end]:
                end += 1
            if end - begin >= SEED_WORDS:
                used_left[at + begin : at + end] = b"\1" * (end - begin)
                used_right[other + begin : other + end] = b"\1" * (end - begin)
                taken.append(Passage(at + begin, other + begin, end - begin))
            begin = max(end, begin + 1)
    return sorted(taken, key=lambda p: p.left)


def covered(passages: Sequence[Passage], words: int) -> float:
    """Return the share of a text of so many words that stands in passages."""
    return sum(p.words for p in passages) / words if words else 0.0
