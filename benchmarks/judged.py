"""Links of the background sets that were read: which join what is not the same copy.

By one reader, from the texts side by side. A link that is in neither list counts as wrong until it is
read, so a change of the engine cannot look better than it is.
"""

from __future__ import annotations

from collections.abc import Iterable


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
