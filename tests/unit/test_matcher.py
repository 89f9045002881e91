"""The matcher's rules: what links, what is known, what leaves."""

from collections.abc import Callable

import pytest

from pipeline.answers import Answer, ClusterEvent
from pipeline.article import Article
from pipeline.hashing import identity64
from pipeline.matcher import MAX_BUCKET_WALK, WindowRules
from pipeline.window import MIN_CAPACITY, ORDINAL_MASK
from tests.desks import ANY_ORDER, DAY, HOUR, Desk, story, stream
from tests.runs import partition

# --- what links


def test_a_first_article_founds_a_cluster_that_bears_its_name(desk: Callable[..., Desk]) -> None:
    answer = desk().one("a", story(1), 5)
    assert answer == Answer("a", identity64("a"), "new", 0, None, 5)


def test_identical_text_links_as_exact(desk: Callable[..., Desk]) -> None:
    d = desk()
    d.one("a", story(1), 0)
    assert d.one("b", story(1), HOUR) == Answer("b", identity64("a"), "exact", 10_000, "a", HOUR)
    assert d.one("c", story(2), HOUR).relation == "new"


def test_the_earliest_of_equal_matches_is_named(desk: Callable[..., Desk]) -> None:
    d = desk()
    d.batch([("late", story(1), 3 * HOUR), ("early", story(1), HOUR), ("middle", story(1), 2 * HOUR)])
    assert d.one("x", story(1), 4 * HOUR).matched_id == "early"


@pytest.mark.parametrize("text", ["", ".", "the of and", "Correction to follow."])
def test_texts_of_next_to_no_words_stay_alone(desk: Callable[..., Desk], text: str) -> None:
    d = desk()
    answers = d.batch([(f"a{n}", text, n) for n in range(300)]).answers
    assert {answer.relation for answer in answers} == {"new"}
    assert len(partition(d.matcher)) == 300


def test_the_copies_of_the_sample_meet(
    desk: Callable[..., Desk], sample: list[Article], copies: dict[str, list[str]]
) -> None:
    d = desk()
    d.batch(stream(sample))
    found = partition(d.matcher)
    whole = [name for name, ids in copies.items() if any(set(ids) <= cluster for cluster in found)]
    assert len(whole) >= 0.7 * len(copies)


# --- the window


@pytest.mark.parametrize(
    ("distance", "relation"),
    [(7 * DAY, "exact"), (7 * DAY + 1, "new"), (-7 * DAY, "exact"), (-7 * DAY - 1, "new")],
)
def test_articles_link_up_to_the_window_apart_in_either_direction(
    desk: Callable[..., Desk], distance: int, relation: str
) -> None:
    d = desk(ANY_ORDER)
    d.one("a", story(1), 100 * DAY)
    assert d.one("b", story(1), 100 * DAY + distance).relation == relation


def test_an_article_that_comes_too_late_stays_alone_and_is_counted(desk: Callable[..., Desk]) -> None:
    d = desk(WindowRules(max_lateness_ms=DAY))
    d.one("a", story(1), 10 * DAY)
    just = d.batch([("b", story(1), 9 * DAY)])
    assert (just.answers[0].relation, just.answers[0].late, just.counters.late) == ("exact", False, 0)
    late = d.batch([("c", story(1), 9 * DAY - 1)])
    assert (late.answers[0].relation, late.answers[0].late, late.counters.late) == ("new", True, 1)
    assert [event.event for event in late.events] == ["created", "closed"]
    assert d.one("d", story(1), 10 * DAY).cluster == identity64("a")
    assert partition(d.matcher) == {frozenset("abd"), frozenset("c")}


def test_lateness_is_measured_against_what_came_before_and_not_after(desk: Callable[..., Desk]) -> None:
    d = desk(WindowRules(max_lateness_ms=DAY))
    answers = d.batch([("a", story(1), 0), ("b", story(2), 9 * DAY), ("c", story(3), 0)]).answers
    assert [answer.late for answer in answers] == [False, False, True]


def test_a_cluster_is_closed_once_when_nothing_can_join_it_any_more(desk: Callable[..., Desk]) -> None:
    d = desk(WindowRules(window_ms=DAY, max_lateness_ms=HOUR))
    d.batch([("a", story(1), 0), ("c", story(2), 0), ("b", story(1), 2 * HOUR)])
    d.one("x", story(3), 20 * HOUR)
    assert [event.event for event in d.events] == ["created", "created", "created"]
    d.one("y", story(4), DAY + 2 * HOUR)  # a and c are out, b is not
    assert [(e.event, e.cluster, e.size) for e in d.events[3:]] == [
        ("created", identity64("y"), 1),
        ("closed", identity64("c"), 1),
    ]
    d.one("z", story(5), 2 * DAY)
    closed = [e for e in d.events if e.event == "closed" and e.cluster == identity64("a")]
    assert closed == [ClusterEvent("closed", identity64("a"), 2, 0, 2 * HOUR)]


def test_the_end_of_a_finite_input_closes_what_is_a_window_behind(desk: Callable[..., Desk]) -> None:
    d = desk(WindowRules(window_ms=DAY, max_lateness_ms=None))
    d.batch([("a", story(1), 0), ("b", story(2), 3 * DAY), ("c", story(3), 3 * DAY)])
    assert [(e.event, e.cluster) for e in d.matcher.close().events] == [("closed", identity64("a"))]
    assert d.matcher.close().events == []


# --- ids that come again


def test_a_repeated_id_gets_the_answer_that_it_got_before(desk: Callable[..., Desk]) -> None:
    d = desk()
    d.one("a", story(1), 0)
    first = d.one("b", story(1), 1)
    again = d.batch([("b", "other text now", 99), ("c", story(2), 1), ("c", story(1), 1), ("a", "", 0)])
    # another text under the same id and version: the first one stands, and it is said
    assert again.answers[0] == first._replace(repeated=True, conflict=True)
    assert again.answers[2] == again.answers[1]._replace(repeated=True, conflict=True)
    assert again.answers[3].repeated
    assert again.counters.repeated == 3
    assert again.change.ids == ["c"]
    assert len(d.matcher) == 3


def test_an_id_is_known_even_when_its_batch_pushes_it_out(desk: Callable[..., Desk]) -> None:
    d = desk(WindowRules(max_lateness_ms=None, max_articles=10))
    first = d.batch([(f"a{n}", story(n), n) for n in range(10)]).answers
    more = d.batch([("b", story(20), 20), ("a0", story(0), 0), ("c", story(21), 21), ("a1", "", 0)])
    assert more.answers[1] == first[0]._replace(repeated=True)
    assert more.answers[3] == first[1]._replace(repeated=True)
    assert "a0" not in d.matcher
    assert "a9" in d.matcher


def test_an_id_that_left_the_window_is_a_new_article(desk: Callable[..., Desk]) -> None:
    d = desk(WindowRules(max_lateness_ms=None, max_articles=10))
    for n in range(30):
        d.one(f"a{n}", story(n), n)
    assert not d.one("a0", story(0), 0).repeated
    assert d.matcher.event_time("a0") == 0
    assert d.matcher.event_time("a5") is None


# --- merges


def passage(number: int, first: int, last: int) -> str:
    """Some of the six sentences of a story. 0 to 3 and 2 to 5 do not link, the whole links to both."""
    words = [[f"zq{number}x{9 * n + word}y" for word in range(9)] for n in range(first, last + 1)]
    return " ".join(" ".join(sentence).capitalize() + "." for sentence in words)


BEGINNING, END, WHOLE = passage(1, 0, 3), passage(1, 2, 5), passage(1, 0, 5)


def test_two_clusters_that_turn_out_to_be_one_keep_the_older_name(desk: Callable[..., Desk]) -> None:
    d = desk()
    older, newer = d.one("old", BEGINNING, HOUR), d.one("young", END, 2 * HOUR)
    assert older.cluster != newer.cluster
    joined = d.batch([("both", WHOLE, 3 * HOUR)])
    assert joined.answers[0].cluster == identity64("old")
    assert joined.events == [
        ClusterEvent("merged", identity64("old"), 2, HOUR, 2 * HOUR, identity64("young"), "both")
    ]
    assert partition(d.matcher) == {frozenset({"old", "young", "both"})}
    assert d.one("later", END, 4 * HOUR).cluster == identity64("old")


def test_it_is_the_founding_time_that_decides_and_not_the_order_of_arrival(desk: Callable[..., Desk]) -> None:
    d = desk()
    d.one("young", END, 2 * HOUR)
    d.one("old", BEGINNING, HOUR)
    d.one("young2", END, 2 * HOUR)
    joined = d.batch([("both", WHOLE, 3 * HOUR)])
    assert joined.answers[0].cluster == identity64("old")
    assert [(e.cluster, e.other, e.size) for e in joined.events] == [
        (identity64("old"), identity64("young"), 3)
    ]


def test_old_answers_keep_the_name_that_was_published(desk: Callable[..., Desk]) -> None:
    d = desk()
    d.batch([("old", BEGINNING, HOUR), ("young", END, 2 * HOUR), ("both", WHOLE, 3 * HOUR)])
    assert d.matcher.answer_again("young").cluster == identity64("young")


# --- room


def test_the_window_grows_and_forgets_nothing(desk: Callable[..., Desk]) -> None:
    d = desk(ANY_ORDER)
    many = 2 * MIN_CAPACITY + 100
    texts = [story(n // 2) for n in range(many)]  # each text twice
    for first in range(0, many, 1500):
        d.batch((f"a{n}", texts[n], n) for n in range(first, min(many, first + 1500)))
    assert d.matcher.window.capacity >= many
    assert partition(d.matcher) == {frozenset({f"a{n}", f"a{n + 1}"}) for n in range(0, many, 2)}
    answers = d.batch((f"b{n}", texts[n], n) for n in range(0, many, 97)).answers
    assert [a.matched_id for a in answers] == [f"a{n - n % 2}" for n in range(0, many, 97)]


def test_the_arena_grows_with_long_texts(desk: Callable[..., Desk]) -> None:
    d = desk(ANY_ORDER)
    long = [" ".join(f"w{n}q{word}" for word in range(1000)) for n in range(20)]
    before = d.matcher.window.bytes_allocated
    for round_number in range(60):
        d.batch((f"r{round_number}-{n}", text, 0) for n, text in enumerate(long))
    assert d.matcher.window.bytes_allocated > before
    assert len(partition(d.matcher)) == 20
    for ordinal in range(1, 1201):
        assert len(d.matcher.window.tokens_of(ordinal)) == 1000


def test_articles_that_leave_early_are_counted_and_their_clusters_closed(desk: Callable[..., Desk]) -> None:
    d = desk(WindowRules(max_lateness_ms=None, max_articles=100))
    evicted = sum(d.batch([(f"a{n}", story(n), n)]).counters.evicted_early for n in range(250))
    assert evicted == 150
    assert len(d.matcher) == 100
    assert sum(event.event == "closed" for event in d.events) == 150
    assert d.one("x", story(249), 300).relation == "exact"
    assert d.one("y", story(1), 300).relation == "new"


def test_a_live_window_keeps_no_more_than_it_needs(desk: Callable[..., Desk]) -> None:
    d = desk(WindowRules(window_ms=DAY, max_lateness_ms=HOUR))
    for day in range(60):
        d.batch((f"d{day}-{n}", story(n), day * DAY + n) for n in range(200))
    assert d.matcher.window.capacity == MIN_CAPACITY
    # yesterday's article n is within a day of today's n, so the chain never breaks
    assert {len(cluster) for cluster in partition(d.matcher)} != {1}
    assert d.one("x", story(0), 59 * DAY + 300).cluster == identity64("d0-0")


def test_a_batch_may_be_larger_than_the_window(desk: Callable[..., Desk]) -> None:
    d = desk(WindowRules(max_lateness_ms=None, max_articles=50))
    answers = d.batch((f"a{n}", story(n % 120), n) for n in range(240)).answers
    assert len(answers) == 240
    assert d.one("x", story(119), 300).relation == "exact"


def test_hot_buckets_are_cut_and_counted_and_the_copies_still_meet(desk: Callable[..., Desk]) -> None:
    d = desk(ANY_ORDER)
    count = 3 * MAX_BUCKET_WALK
    matched = d.batch((f"a{n}", story(1), n) for n in range(count))
    assert matched.counters.cut_buckets > 0
    assert len(partition(d.matcher)) == 1
    assert matched.counters.checks < count * MAX_BUCKET_WALK


def test_ordinals_may_pass_32_bits(desk: Callable[..., Desk], sample: list[Article]) -> None:
    plain, far = desk(), desk()
    window = far.matcher.window
    window.first = window.open = window.next = ORDINAL_MASK - 50
    assert far.batch(stream(sample)).answers == plain.batch(stream(sample)).answers
    assert window.next > ORDINAL_MASK
    assert partition(far.matcher) == partition(plain.matcher)


# --- batches


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("rules", [ANY_ORDER, WindowRules(window_ms=8 * HOUR, max_lateness_ms=20 * 60_000)])
def test_the_answers_do_not_depend_on_the_batches(
    desk: Callable[..., Desk], sample: list[Article], rules: WindowRules, size: int
) -> None:
    articles = stream(sample)
    articles += [(f"again-{i}", text, time + 9 * HOUR) for i, text, time in articles[::3]] + articles[::5]
    whole = desk(rules).batch(articles)
    d = desk(rules)
    answers = [
        a for first in range(0, len(articles), size) for a in d.batch(articles[first : first + size]).answers
    ]
    assert answers == whole.answers
    assert len({answer.relation for answer in answers}) >= 3
    assert sorted(d.events, key=repr) == sorted(whole.events, key=repr)
