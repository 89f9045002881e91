"""Quotations, numbers and names: which do both texts have, which only one."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from difflib import SequenceMatcher

from workers.tools.material import Material
from workers.tools.words import MAX_SHOWN_CHARACTERS, Known, Spot, known_words, spots

MAX_LISTED = 60
_QUOTATION = re.compile(
    r"“([^“”\n]{8,600})”|„([^„“”\n]{8,600})[“”]|«([^«»\n]{8,600})»|»([^«»\n]{8,600})«|\"([^\"\n]{8,600})\"|「([^「」\n]{4,300})」"
)
SAME_QUOTATION = 0.75
"""Share of words in order from which two quotations are the same, shortened or cleaned up."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What of one kind both texts have, and what only the left or the right one has."""

    kind: str
    both: list[str]
    only_left: list[str]
    only_right: list[str]


def agreements(left: Material, right: Material) -> list[Agreement]:
    """Return the agreements in quotations, numbers and names of two articles."""
    contents = [f"{m.article.title}\n\n{m.article.text}"[:MAX_SHOWN_CHARACTERS] for m in (left, right)]
    places = [spots(content) for content in contents]
    known = [known_words(left.tokens), known_words(right.tokens)]
    return [
        _quotations(contents[0], contents[1]),
        _marked_words("numbers", contents, places, known),
        _marked_words("names", contents, places, known),
    ]


def _quotations(left: str, right: str) -> Agreement:
    found = [
        [next(g for g in match.groups() if g) for match in _QUOTATION.finditer(text)][:MAX_LISTED]
        for text in (left, right)
    ]
    matched: set[int] = set()
    both, only_left = [], []
    words = [[[s.folded for s in spots(quotation)] for quotation in side] for side in found]
    for quotation, mine in zip(found[0], words[0], strict=True):
        best = next(
            (at for at, theirs in enumerate(words[1]) if at not in matched and _same_quotation(mine, theirs)),
            None,
        )
        if best is None:
            only_left.append(quotation)
        else:
            matched.add(best)
            both.append(quotation)
    return Agreement("quotations", both, only_left, [q for at, q in enumerate(found[1]) if at not in matched])


def _same_quotation(left: list[str], right: list[str]) -> bool:
    if not left or not right:
        return False
    blocks = SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) >= SAME_QUOTATION * min(len(left), len(right))


def _marked_words(
    kind: str, contents: list[str], places: list[list[Spot]], known: list[dict[int, Known]]
) -> Agreement:
    """Numbers, or names; neighbouring names are listed as one ("Angela Merkel")."""
    listed: list[dict[tuple[int, ...], str]] = []
    for content, side, facts in zip(contents, places, known, strict=True):
        found: dict[tuple[int, ...], str] = {}
        run: list[Spot] = []
        for spot in [*side, None]:
            fact = facts.get(spot.hash) if spot is not None else None
            wanted = fact is not None and (fact.is_number if kind == "numbers" else fact.is_name)
            if wanted and kind == "names" and spot is not None:
                wanted = content[spot.start].isupper()
            joined = (
                run and spot is not None and content[run[-1].end : spot.start] in (" ", "-", "’s ", "'s ")
            )
            if run and not (wanted and joined and kind == "names"):
                found.setdefault(tuple(s.hash for s in run), content[run[0].start : run[-1].end])
                run = []
            if wanted and spot is not None:
                run.append(spot)
        listed.append(found)
    return Agreement(
        kind,
        [text for hashes, text in listed[0].items() if _all_in(hashes, known[1])][:MAX_LISTED],
        [text for hashes, text in listed[0].items() if not _all_in(hashes, known[1])][:MAX_LISTED],
        [text for hashes, text in listed[1].items() if not _all_in(hashes, known[0])][:MAX_LISTED],
    )


def _all_in(hashes: Collection[int], known: dict[int, Known]) -> bool:
    return all(word in known for word in hashes)
