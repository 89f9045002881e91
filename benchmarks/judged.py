"""Pairs of the background sets that were read.

:data:`RIGHT` and :data:`WRONG`: links across events, and within the politics set; which join what is not the
same copy? By one reader, from the texts side by side. A link that is in neither list counts as wrong until it is
read, so a change of the engine cannot look better than it is.

:func:`graded`: pairs of web news within events, on the scale of the natural pairs (docs/quality.md says by whom, and
how far they agree).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

# Grades from and to which a pair is a copy, and is none; 2.5 is between two readers, and 2 is neither.
COPY_GRADE, OTHER_GRADE = 2.5, 1.0

_GRADED = Path(__file__).parent / "web_pairs.tsv"


def _pairs(*pairs: tuple[str, str]) -> frozenset[frozenset[str]]:
    return frozenset(map(frozenset, pairs))


RIGHT = _pairs(
    ("ab_EdiYzgxRFG6uX40G", "ab_GlyQjpAGol7wame3"),  # one outlet prints another's report
    ("ab_pxu01RPJb0tZI2c4", "ab_5T1XcI6oUzSsPwLA"),  # an agency's report, printed
    ("ab_W7iUZ6IoVkpZVXuo", "ab_XGd7WvSFo9NtQI7Y"),  # a third of it is the agency's report word for word
    (
        "ab_rEaPqlhrSsMKY3os",
        "ab_B6YBIRwt7RuP7Nzm",
    ),  # one article, updated as the vote went on: half of it stands
    ("ab_0LZiZgAY2dzyug5Z", "ab_sRx8kit9GjmvXjWh"),  # a report drawn from the opinion piece from end to end
    ("ab_9M22SWciWvlORjvQ", "ab_SEGCOPo67PWyXWlQ"),  # two outlets retell one paper's report
    ("ab_AjUJ7phQfuudVdW5", "ab_qD1gyEzrwoMFEj7B"),  # mostly the agency's copy, reworked
    ("mn2913_1", "mn28002_0"),  # the agency's report on the first day of a trial, twice collected
    ("mn20846_0", "mn20974_2"),  # one interview, reported alike
    ("mn24867_0", "mn38163_0"),  # an update with a new top
)
WRONG = _pairs(
    ("ab_w25m8dcMTLFn9zDZ", "ab_wKEI9oOeU3mo0Sr0"),  # an agency's next report of the day
    ("ab_qc2bw0dfAkN1fpiP", "ab_tH2sxfSf6xCBpjuG"),  # independent reports of a shooting
    ("ab_GKyPPKnm0i9a3L7e", "ab_c4McIXxhggcKQEKS"),  # independent reports of a court filing
    ("mn602_2", "mn16973_1"),  # the next day
    ("mn2913_0", "mn28002_0"),  # the third day of the trial
    ("mn24284_0", "mn33360_1"),  # months later
    ("mn24473_1", "mn41454_0"),  # two rankings with one standing text
    ("mn21653_1", "mn44505_0"),  # a year later
)


def wrong(linked: Iterable[tuple[str, str]]) -> tuple[int, int]:
    """Return how many of the links are wrong, and how many of those nobody has read yet."""
    found = list(map(frozenset, linked))
    unread = sum(1 for pair in found if pair not in RIGHT and pair not in WRONG)
    return unread + sum(1 for pair in found if pair in WRONG), unread


def graded() -> dict[tuple[str, str], float]:
    """Return the grade of each pair of web news that was read; the mean where two readers differ."""
    lines = _GRADED.read_text("ascii").splitlines()[1:]
    return {(left, right): float(grade) for left, right, grade in (line.split("\t") for line in lines)}
