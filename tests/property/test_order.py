"""The order of arrival, the batches and a replay change nothing about who belongs together."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.article import Article
from pipeline.changelog import decode, encode
from pipeline.engine import Engine
from pipeline.matcher import Matched, Matcher, WindowRules
from pipeline.sketch import Sketches

HOUR = 3_600_000
ANY_ORDER = WindowRules(window_ms=48 * HOUR, max_lateness_ms=None)
ENGINE = Engine()

PARTS = 3  # a part is long enough to be a story of its own
SENTENCES = 6


def sentence(part: int, number: int) -> str:
    """A sentence of words that occur nowhere else."""
    words = [
        f"{chr(98 + part)}or{chr(97 + number)}{syllable}"
        for syllable in ["bal", "den", "fim", "gur", "hok", "jal", "kep", "lur"]
    ]
    return f"{' '.join(words).capitalize()} {100 + 17 * part + number}."


@dataclass(frozen=True)
class Piece:
    """A stretch of one part: its sentences from ``first`` to ``last``."""

    part: int
    first: int
    last: int

    def text(self) -> str:
        """The running text."""
        return " ".join(sentence(self.part, number) for number in range(self.first, self.last + 1))


pieces = st.builds(
    lambda part, ends: Piece(part, min(ends), max(ends)),
    st.integers(0, PARTS - 1),
    st.sampled_from([(0, 3), (2, 5), (0, 3), (2, 5), (0, 5), (1, 4), (4, 5)]),
)
# The beginning and the end of a part do not link to each other, the whole part links to both:
# that makes chains and merges. So do two parts in one text.
texts = st.lists(pieces, min_size=1, max_size=2).map(
    lambda found: "\n\n".join(piece.text() for piece in found)
)
streams = st.lists(st.tuples(texts, st.integers(0, 60)), min_size=2, max_size=30).map(
    lambda found: [Article(f"a{n}", text, published_ms=hour * HOUR) for n, (text, hour) in enumerate(found)]
)


@dataclass(frozen=True)
class Run:
    """What came of feeding articles to a matcher."""

    matcher: Matcher
    results: list[Matched]

    def partition(self) -> set[frozenset[str]]:
        """The clusters as sets of ids."""
        return {frozenset(cluster.article_ids) for cluster in self.matcher.clusters()}


def sketches_of(articles: Sequence[Article]) -> Sketches:
    """Sketch a batch."""
    return ENGINE.sketcher.sketch(articles)


def run(articles: Sequence[Article], sizes: Sequence[int]) -> Run:
    """Match articles in batches of these sizes, again and again."""
    matcher = Matcher(ENGINE.fingerprint, ANY_ORDER)
    results = []
    first = turn = 0
    while first < len(articles):
        batch = articles[first : first + sizes[turn % len(sizes)]]
        times = [article.published_ms or 0 for article in batch]
        results.append(matcher.match([article.id for article in batch], times, sketches_of(batch)))
        first += len(batch)
        turn += 1
    return Run(matcher, results)


batch_sizes = st.lists(st.integers(1, 25), min_size=1, max_size=4)
thorough = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@thorough
@given(streams, st.data())
def test_any_order_in_any_batches_gives_the_same_partition(
    articles: list[Article], data: st.DataObject
) -> None:
    whole = run(articles, [len(articles)])
    shuffled = data.draw(st.permutations(articles))
    assert run(shuffled, data.draw(batch_sizes)).partition() == whole.partition()


@thorough
@given(streams, batch_sizes, st.integers(0, 24))
def test_a_replay_from_the_log_at_any_point_gives_the_same_names(
    articles: list[Article], sizes: list[int], stop: int
) -> None:
    uninterrupted = run(articles, sizes)
    again = Matcher(ENGINE.fingerprint, ANY_ORDER)
    first = 0
    for number, result in enumerate(uninterrupted.results):
        if number < stop:
            again.apply(decode(encode(result.change))[0])
        else:
            batch = articles[first : first + len(result.answers)]
            times = [article.published_ms or 0 for article in batch]
            repeated = again.match([article.id for article in batch], times, sketches_of(batch))
            assert repeated.answers == result.answers
            assert repeated.events == result.events
        first += len(result.answers)
    assert list(again.clusters()) == list(uninterrupted.matcher.clusters())


@thorough
@given(streams, batch_sizes)
def test_old_names_lead_to_the_cluster_that_took_them_in(articles: list[Article], sizes: list[int]) -> None:
    found = run(articles, sizes)
    heirs = {
        event.other: event.cluster
        for result in found.results
        for event in result.events
        if event.event == "merged"
    }
    names = {i: cluster.name for cluster in found.matcher.clusters() for i in cluster.article_ids}
    for result in found.results:
        for answer in result.answers:
            name = answer.cluster
            while name in heirs:
                name = heirs[name]
            assert name == names[answer.article_id]


@thorough
@given(streams, st.data())
def test_an_article_that_comes_again_changes_nothing(articles: list[Article], data: st.DataObject) -> None:
    repeated = data.draw(st.permutations(articles + articles))
    found = run(repeated, data.draw(batch_sizes))
    assert found.partition() == run(articles, [100]).partition()
    by_id: dict[str, set[int]] = {}
    for result in found.results:
        for answer in result.answers:
            by_id.setdefault(answer.article_id, set()).add(answer.cluster)
    assert {len(names) for names in by_id.values()} == {1}


@pytest.mark.parametrize("wanted", ["links", "merges", "chains", "strangers"])
def test_the_streams_above_hold_what_the_laws_are_about(wanted: str) -> None:
    met = {"links": 0, "merges": 0, "chains": 0, "strangers": 0}

    @settings(max_examples=60, deadline=None, database=None, derandomize=True)
    @given(streams)
    def look(articles: list[Article]) -> None:
        found = run(articles, [5])
        met["links"] += sum(result.counters.links for result in found.results)
        met["merges"] += sum(event.event == "merged" for result in found.results for event in result.events)
        by_id = {article.id: article for article in articles}
        for cluster in found.partition():
            met["strangers"] += len(cluster) == 1
            members = [by_id[i] for i in sorted(cluster)]
            met["chains"] += any(not ENGINE.score_pair(members[0], other)[0].linked for other in members[1:])

    look()
    assert met[wanted] > 10, met
