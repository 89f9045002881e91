"""The log is the state: what is folded goes on like what was matched."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from pipeline.article import Article
from pipeline.changelog import decode, encode
from pipeline.engine import Engine
from pipeline.errors import FingerprintError, StateError
from pipeline.hashing import identity64
from pipeline.matcher import MAX_BUCKET_WALK, Matcher, WindowRules
from tests.conftest import News
from tests.desks import ANY_ORDER, DAY, HOUR, Desk, story, stream


def assert_same_state(left: Matcher, right: Matcher) -> None:
    """Compare what can be seen of two matchers."""
    assert list(left.clusters()) == list(right.clusters())
    assert left.watermark_ms == right.watermark_ms
    window, other = left.window, right.window
    assert (window.open, window.next) == (other.open, other.next)
    for ordinal in range(window.open, window.next):
        article_id = left.store.ids[window.slot(ordinal)]
        assert (article_id in left) == (article_id in right)
        if article_id in left:
            assert left.answer_again(article_id) == right.answer_again(article_id)


@pytest.mark.parametrize(
    "rules",
    [
        ANY_ORDER,
        WindowRules(window_ms=6 * HOUR, max_lateness_ms=20 * 60_000),
        WindowRules(max_lateness_ms=None, max_articles=40),
    ],
    ids=["archive", "live", "full"],
)
@pytest.mark.parametrize("size", [1, 9])
def test_the_state_is_the_fold_of_its_log(
    desk: Callable[..., Desk], sample: list[Article], rules: WindowRules, size: int
) -> None:
    articles = stream(sample)
    articles += [
        (f"m{n}", text + "\n\n" + articles[n - 1][1], time)
        for n, (_, text, time) in enumerate(articles)
        if n % 4
    ]
    articles.sort(key=lambda article: (article[2], article[0]))
    half = len(articles) // 2 // size * size
    live, folded = desk(rules), desk(rules)
    for first in range(0, half, size):
        change = live.batch(articles[first : first + size]).change
        folded.matcher.apply(decode(encode(change))[0])
        assert_same_state(folded.matcher, live.matcher)
    for first in range(half, len(articles), size):
        batch = articles[first : first + size]
        left, right = live.batch(batch), folded.batch(batch)
        assert left.answers == right.answers
        assert left.events == right.events
    assert_same_state(folded.matcher, live.matcher)
    assert any(event.event == "merged" for event in live.events)


def test_late_articles_are_folded_too(desk: Callable[..., Desk]) -> None:
    rules = WindowRules(max_lateness_ms=HOUR)
    live, folded = desk(rules), desk(rules)
    live.one("a", story(1), DAY)
    live.batch([(f"late{n}", story(1), 0) for n in range(2 * MAX_BUCKET_WALK)])
    for change in live.changes:
        folded.matcher.apply(change)
    assert_same_state(folded.matcher, live.matcher)
    # the late ones take no place among the candidates
    assert live.one("b", story(1), DAY) == folded.one("b", story(1), DAY)
    assert folded.matcher.answer_again("b").matched_id == "a"


def test_records_of_articles_that_left_the_window_can_be_dropped(desk: Callable[..., Desk]) -> None:
    rules = WindowRules(window_ms=DAY, max_lateness_ms=HOUR)
    live, folded = desk(rules), desk(rules)
    for day in range(8):
        live.batch((f"d{day}-{n}", story(n % 3), day * DAY + n * HOUR) for n in range(9))
    needed = [c for c in live.changes if c.first + len(c.ids) > live.matcher.window.open]
    assert len(needed) < len(live.changes)
    for change in needed:
        folded.matcher.apply(change)
    assert folded.matcher.window.open == live.matcher.window.open
    batch = [(f"x{n}", story(n), 7 * DAY + 10 * HOUR) for n in range(4)]
    left, right = live.batch(batch), folded.batch(batch)
    assert left.answers == right.answers
    assert left.events == right.events
    assert left.answers[0].cluster == identity64("d0-0")


def test_a_gap_in_the_log_is_refused(desk: Callable[..., Desk]) -> None:
    d = desk()
    for n in range(3):
        d.one(f"a{n}", story(n), n)
    fresh = desk().matcher
    fresh.apply(d.changes[0])
    with pytest.raises(StateError, match="article 2 is missing"):
        fresh.apply(d.changes[2])
    fresh.apply(d.changes[1])
    with pytest.raises(StateError, match="gap"):
        fresh.apply(d.changes[0])


def test_the_log_of_another_engine_is_refused(desk: Callable[..., Desk]) -> None:
    d = desk()
    d.one("a", story(1), 0)
    with pytest.raises(FingerprintError, match="must not be mixed"):
        desk(fingerprint="sw0-other").matcher.apply(d.changes[0])


def test_empty_changes_fold_into_nothing(desk: Callable[..., Desk]) -> None:
    d = desk()
    d.one("a", story(1), 0)
    folded = desk().matcher
    for change in (*d.changes, d.matcher.nothing().change, d.matcher.close().change):
        folded.apply(decode(encode(change))[0])
    assert_same_state(folded, d.matcher)


def test_what_readers_want_to_know_travels_with_its_article(engine: Engine) -> None:
    matcher = Matcher(engine.fingerprint)
    sketches = engine.sketcher.sketch([Article(i, story(1)) for i in "aba"])
    change = matcher.match(["a", "b", "a"], [0, 0, 0], sketches, ["A", "B", "A2"]).change
    assert list(change.about) == ["A", "B"]


@pytest.mark.news
def test_a_long_real_stream_folds_and_continues_alike(desk: Callable[..., Desk], news: News) -> None:
    from pipeline.dates import parse_date

    records: list[dict[str, Any]] = news("reuters_stream", 3000)
    articles = [(str(r["id"]), r["text"], parse_date(r["published_at"])) for r in records]
    rules = WindowRules(window_ms=2 * DAY, max_lateness_ms=HOUR)
    live, folded = desk(rules), desk(rules)
    bounds = [*range(0, 3000, 128), 3000]
    for first, end in pairwise(bounds[:-3]):
        folded.matcher.apply(decode(encode(live.batch(articles[first:end]).change))[0])
    for first, end in pairwise(bounds[-4:]):
        left, right = live.batch(articles[first:end]), folded.batch(articles[first:end])
        assert left.answers == right.answers
        assert left.events == right.events
    assert_same_state(folded.matcher, live.matcher)
