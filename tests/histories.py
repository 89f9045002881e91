"""Random histories of articles, corrections, kills and repetitions, and a slow and obvious model of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
from hypothesis import strategies as st

from pipeline.article import Article
from pipeline.bands import shares_band
from pipeline.engine import Engine
from pipeline.life import Notices
from pipeline.matcher import Matched, Matcher, WindowRules
from pipeline.matching import MIN_AGREEING
from pipeline.verify import compare
from pipeline.window import WITHDRAWN

HOUR = 3_600_000
ENGINE = Engine()

PARTS = 2  # a part is long enough to be a story of its own
ALL = 1 << 62


@dataclass(frozen=True)
class Step:
    """One record of a history: an article's version, or a kill (of versions up to ``version``, 0: all)."""

    id: str
    text: str = ""
    hour: int = 0
    version: int = 0
    kill: bool = False


def sentence(part: int, number: int) -> str:
    """A sentence of words that occur nowhere else."""
    words = [
        f"{chr(98 + part)}or{chr(97 + number)}{syllable}"
        for syllable in ["bal", "den", "fim", "gur", "hok", "jal", "kep", "lur"]
    ]
    return f"{' '.join(words).capitalize()} {100 + 17 * part + number}."


def stretch(part: int, first: int, last: int) -> str:
    """The running text of a part from one sentence to another."""
    return " ".join(sentence(part, number) for number in range(first, last + 1))


# The beginning and the end of a part do not link to each other, the whole part links to both:
# that makes bridges, which removals take away. So do two parts in one text.
stretches = st.builds(
    lambda part, ends: stretch(part, *ends),
    st.integers(0, PARTS - 1),
    st.sampled_from([(0, 3), (2, 5), (0, 5), (1, 4), (0, 2), (3, 5), (4, 5)]),
)
texts = st.one_of(stretches, stretches, st.lists(stretches, min_size=2, max_size=2).map("\n\n".join))
names = st.sampled_from([f"story-{number}" for number in range(14)])


def histories(most_hours: int = 30, drifting: bool = False) -> st.SearchStrategy[list[Step]]:
    """Return histories in which a version of an id has one text and one time, so that order cannot matter."""
    article = st.builds(Step, names, texts, st.integers(0, most_hours), st.integers(0, 3), st.just(False))
    kill = st.builds(Step, names, st.just(""), st.just(0), st.sampled_from([0, 0, 1, 2]), st.just(True))
    single = st.one_of(article, article, article, kill).map(lambda step: [step])

    def history(pieces: list[list[Step]]) -> list[Step]:
        steps = [step for piece in pieces for step in piece]
        return _consistent(_drifting(steps) if drifting else steps)

    return st.lists(st.one_of(single, single, bridges(most_hours)), min_size=8, max_size=24).map(history)


def _drifting(steps: list[Step]) -> list[Step]:
    """Let time pass: each record is some hours later than the one before it, so that articles expire."""
    return [replace(step, hour=step.hour + 5 * number) for number, step in enumerate(steps)]


def bridges(most_hours: int) -> st.SearchStrategy[list[Step]]:
    """Return two articles that only a third one links, which is then withdrawn or corrected."""

    def build(ids: list[str], part: int, hour: int, version: int, kill: bool, text: str) -> list[Step]:
        start, end, whole = (stretch(part, *ends) for ends in ((0, 2), (2, 5), (0, 5)))
        last = Step(ids[2], "", 0, 0, True) if kill else Step(ids[2], text, hour, version + 1)
        return [
            Step(ids[0], start, hour, version),
            Step(ids[1], end, hour, version),
            Step(ids[2], whole, hour, version),
            last,
        ]

    ids = st.lists(names, min_size=3, max_size=3, unique=True)
    hours = st.integers(0, most_hours)
    return st.builds(build, ids, st.integers(0, PARTS - 1), hours, st.integers(0, 3), st.booleans(), texts)


def _consistent(steps: list[Step]) -> list[Step]:
    first: dict[tuple[str, int], Step] = {}
    return [step if step.kill else first.setdefault((step.id, step.version), step) for step in steps]


@cache
def _sketch(text: str) -> tuple[np.ndarray, np.ndarray]:
    sketches = ENGINE.sketcher.sketch([Article("x", text)])
    return sketches.tokens, sketches.low[0]


@cache
def _linked(left: str, right: str, gap_ms: int) -> bool:
    (tokens, low), (other_tokens, other_low) = _sketch(left), _sketch(right)
    return (
        len(tokens) > 0
        and len(other_tokens) > 0
        and shares_band(low, other_low)
        and int((low == other_low).sum()) >= MIN_AGREEING
        and compare(tokens, other_tokens, gap_ms).linked
    )


@dataclass
class Model:
    """What must be true after a history, by the rules alone: no index, no names, no incremental work."""

    window_ms: int
    versions: dict[str, dict[int, Step]] = field(default_factory=dict)
    killed: dict[str, int] = field(default_factory=dict)

    def take(self, step: Step) -> None:
        """Add one record of the history."""
        if step.kill:
            self.killed[step.id] = max(self.killed.get(step.id, -1), step.version or ALL)
        else:
            self.versions.setdefault(step.id, {}).setdefault(step.version, step)

    def live(self) -> list[Step]:
        """The articles that stand: of each id the highest version, unless it was killed."""
        found = []
        for article_id, versions in self.versions.items():
            standing = [v for v in versions if v > self.killed.get(article_id, -1)]
            if standing:
                found.append(versions[max(standing)])
        return found

    def linked(self, left: Step, right: Step) -> bool:
        """Tell whether two articles link."""
        gap_ms = (left.hour - right.hour) * HOUR
        return abs(gap_ms) <= self.window_ms and _linked(left.text, right.text, gap_ms)

    def partition(self) -> set[frozenset[str]]:
        """The connected components of the live articles."""
        groups: list[list[Step]] = []
        for article in self.live():
            touching = [g for g in groups if any(self.linked(article, other) for other in g)]
            groups = [g for g in groups if g not in touching]
            groups.append([article, *(other for g in touching for other in g)])
        return {frozenset(step.id for step in group) for group in groups}


def feed(matcher: Matcher, steps: Sequence[Step]) -> Matched:
    """Give a batch to a matcher."""
    articles = [Article(step.id, step.text) for step in steps]
    notices = Notices.none(len(steps))
    notices.kill[:] = [step.kill for step in steps]
    notices.version[:] = [step.version for step in steps]
    times = [step.hour * HOUR for step in steps]
    ids = [step.id for step in steps]
    return matcher.match(ids, times, ENGINE.sketcher.sketch(articles), (), notices)


def play(steps: Sequence[Step], sizes: Sequence[int], rules: WindowRules) -> tuple[Matcher, list[Matched]]:
    """Match a history in batches of these sizes, again and again."""
    matcher = Matcher(ENGINE.fingerprint, rules)
    results = []
    first = turn = 0
    while first < len(steps):
        batch = steps[first : first + sizes[turn % len(sizes)]]
        results.append(feed(matcher, batch))
        first += len(batch)
        turn += 1
    return matcher, results


@dataclass
class Resident:
    """An article of the live model: where it came in the order, and whether it stands."""

    step: Step
    late: bool
    links: list[Resident] = field(default_factory=list)
    removed: bool = False

    @property
    def time_ms(self) -> int:
        """Event time."""
        return self.step.hour * HOUR


@dataclass
class LiveModel:
    """What must be true in a live stream, where articles expire, as slowly and obviously as :class:`Model`.

    Links are kept for ever, those of expired articles too; only what is withdrawn takes its links away.
    """

    rules: WindowRules
    residents: list[Resident] = field(default_factory=list)
    opened: int = 0
    watermark_ms: int | None = None
    killed: dict[str, tuple[int, int]] = field(default_factory=dict)

    def batch(self, steps: Sequence[Step]) -> None:
        """Take in a batch; articles expire behind it."""
        for step in steps:
            self._take(step)
        horizon = self._horizon_ms()
        while self.opened < len(self.residents) and self.residents[self.opened].time_ms < horizon:
            self.opened += 1

    def _horizon_ms(self) -> int:
        lateness = self.rules.max_lateness_ms
        if self.watermark_ms is None or lateness is None:
            return -(1 << 62)
        return self.watermark_ms - lateness - self.rules.window_ms

    def known(self, article_id: str) -> Resident | None:
        """The article that stands under an id."""
        for resident in self.residents[self.opened :]:
            if (
                resident.step.id == article_id
                and not resident.removed
                and resident.time_ms >= self._horizon_ms()
            ):
                return resident
        return None

    def _take(self, step: Step) -> None:
        known = self.known(step.id)
        if step.kill:
            through = step.version or ALL
            if known is not None and known.step.version <= through:
                known.removed = True
            before, since = self.killed.get(step.id, (-1, 0))
            if known is not None or through > before or since < self._horizon_ms():
                now = self.watermark_ms if self.watermark_ms is not None else step.hour * HOUR
                if since < self._horizon_ms():
                    before = -1
                self.killed[step.id] = (max(before, through), now)
            return
        through, since = self.killed.get(step.id, (-1, 0))
        if step.version <= through and since >= self._horizon_ms():
            return
        if known is not None and known.step.version >= step.version:
            return
        same = known is not None and (known.step.text, known.step.hour) == (step.text, step.hour)
        if known is not None and same:
            known.step = step
            return
        lateness = self.rules.max_lateness_ms
        time_ms = step.hour * HOUR
        assert lateness is not None
        late = self.watermark_ms is not None and (
            time_ms < self.watermark_ms - lateness if known is None else time_ms < self._horizon_ms()
        )
        resident = Resident(step, late)
        for other in self.residents[self.opened :]:
            if not (late or other.late or other.removed or other is known) and self._linked(step, other.step):
                resident.links.append(other)
                other.links.append(resident)
        self.residents.append(resident)
        if known is not None:
            known.removed = True
        self.watermark_ms = max(time_ms, self.watermark_ms if self.watermark_ms is not None else time_ms)

    def _linked(self, left: Step, right: Step) -> bool:
        gap_ms = (left.hour - right.hour) * HOUR
        return abs(gap_ms) <= self.rules.window_ms and _linked(left.text, right.text, gap_ms)

    def partition(self) -> set[frozenset[int]]:
        """Which of the articles that stand and have not expired belong together; by number of entry."""
        found = set()
        seen: set[int] = set()
        for start in self.residents[self.opened :]:
            if start.removed or id(start) in seen:
                continue
            group, frontier = {id(start)}, [start]
            while frontier:
                for other in frontier.pop().links:
                    if not other.removed and id(other) not in group:
                        group.add(id(other))
                        frontier.append(other)
            seen |= group
            found.add(
                frozenset(
                    number
                    for number, each in enumerate(self.residents, start=1)
                    if number > self.opened and id(each) in group
                )
            )
        return found


def open_partition(matcher: Matcher) -> set[frozenset[int]]:
    """Which articles that have not expired a matcher has together, by ordinal."""
    window = matcher.window
    groups: dict[int, set[int]] = {}
    for ordinal in range(window.open, window.next):
        row = int(window.slots.row[window.slot(ordinal)])
        if row != WITHDRAWN:
            groups.setdefault(row if row >= 0 else -ordinal, set()).add(ordinal)
    return {frozenset(group) for group in groups.values()}
