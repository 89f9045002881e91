"""Corrections and kills, one rule at a time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import pytest

from pipeline.answers import Answer, ClusterEvent
from pipeline.article import Article, parse_line
from pipeline.changelog import decode, encode
from pipeline.engine import Engine
from pipeline.hashing import identity64
from pipeline.life import QUIET_KILL, Notices
from pipeline.matcher import Matched, Matcher, WindowRules
from tests.histories import HOUR, stretch

ANY_ORDER = WindowRules(max_lateness_ms=None)
START, END, WHOLE, OTHER = stretch(0, 0, 2), stretch(0, 2, 5), stretch(0, 0, 5), stretch(1, 0, 5)


class Desk:
    """A matcher that takes records as they come in."""

    def __init__(self, engine: Engine, rules: WindowRules = ANY_ORDER, obey: bool = False) -> None:
        self.engine = engine
        self.matcher = Matcher(engine.fingerprint, rules)
        self.obey = obey
        self.events: list[ClusterEvent] = []
        self.last: Matched | None = None

    def take(self, *records: dict[str, Any], quiet: Sequence[int] = ()) -> list[Answer]:
        """Match records given as for JSON; undated ones arrive at hour 1."""
        articles = [parse_line(orjson.dumps(record)) for record in records]
        times = [a.published_ms if a.published_ms is not None else HOUR for a in articles]
        notices = Notices.of(articles, [HOUR] * len(articles), self.obey)
        notices.kill[list(quiet)] = QUIET_KILL
        sketches = self.engine.sketcher.sketch(articles)
        self.last = self.matcher.match([a.id for a in articles], times, sketches, (), notices)
        self.events += self.last.events
        return self.last.answers

    def told(self, kind: str) -> list[ClusterEvent]:
        """The events of one kind so far."""
        return [event for event in self.events if event.event == kind]

    def together(self) -> list[list[str]]:
        """The clusters."""
        return [cluster.article_ids for cluster in self.matcher.clusters()]


def article(article_id: str, text: str, **fields: Any) -> dict[str, Any]:
    """A record of an article."""
    return {"id": article_id, "text": text, "published_at": "1970-01-01T01:00:00Z", **fields}


def kill(article_id: str, **fields: Any) -> dict[str, Any]:
    """A record of a kill."""
    return {"id": article_id, "kind": "kill", **fields}


@pytest.fixture
def desk(engine: Engine) -> Desk:
    """A desk for any order."""
    return Desk(engine)


# --- versions


def test_a_correction_goes_where_its_new_text_belongs(desk: Desk) -> None:
    desk.take(article("a", WHOLE), article("b", OTHER), article("c", WHOLE, version=1))
    (answer,) = desk.take(article("c", OTHER, version=2))
    assert (answer.cluster, answer.relation, answer.version) == (identity64("b"), "exact", 2)
    assert answer.replaces == (identity64("a"), "exact")
    assert desk.together() == [["a"], ["b", "c"]]
    assert [(e.cluster, e.size, e.article_id) for e in desk.told("shrunk")] == [(identity64("a"), 1, "c")]


def test_a_later_updated_at_corrects_too(desk: Desk) -> None:
    desk.take(article("a", WHOLE), article("b", WHOLE, updated_at="1970-01-01T02:00:00Z"))
    (answer,) = desk.take(article("b", OTHER, updated_at="1970-01-01T03:00:00Z"))
    assert answer.relation == "new"
    assert answer.record("e")["updated_at"] == "1970-01-01T03:00:00Z"
    (again,) = desk.take(article("b", WHOLE, updated_at="1970-01-01T02:00:00Z"))
    assert again.repeated
    assert again.relation == "new"


def test_the_version_decides_before_the_time_of_the_update(desk: Desk) -> None:
    desk.take(article("a", WHOLE, version=2, updated_at="1970-01-01T02:00:00Z"))
    (answer,) = desk.take(article("a", OTHER, version=1, updated_at="1970-01-02"))
    assert answer.repeated
    (answer,) = desk.take(article("a", OTHER, version=3, updated_at="1970-01-01"))
    assert answer.replaces is not None


def test_a_corrected_article_alone_keeps_its_cluster(desk: Desk) -> None:
    desk.take(article("a", WHOLE))
    (answer,) = desk.take(article("a", OTHER, version=1))
    assert answer.cluster == identity64("a")
    assert [event.event for event in desk.events] == ["created"]


def test_a_cluster_that_a_correction_leaves_empty_leads_to_the_one_it_joined(desk: Desk) -> None:
    desk.take(article("a", WHOLE), article("b", OTHER))
    (answer,) = desk.take(article("b", WHOLE, version=1))
    assert answer.cluster == identity64("a")
    assert [(e.cluster, e.other) for e in desk.told("merged")] == [(identity64("a"), identity64("b"))]


def test_a_founder_that_is_corrected_away_leaves_the_name_to_its_copies(desk: Desk) -> None:
    desk.take(article("a", WHOLE), article("b", WHOLE))
    (answer,) = desk.take(article("a", OTHER, version=1))
    names = {cluster.article_ids[0]: cluster.name for cluster in desk.matcher.clusters()}
    assert names["b"] == identity64("a")
    assert names["a"] == answer.cluster
    assert answer.cluster not in (identity64("a"), identity64("b"))


def test_a_correction_that_changes_nothing_is_a_repetition(desk: Desk) -> None:
    (first,) = desk.take(article("a", WHOLE))
    (answer,) = desk.take(article("a", WHOLE, version=3))
    assert answer == first._replace(repeated=True, version=3)
    # and it is remembered: what lies between is old
    (answer,) = desk.take(article("a", OTHER, version=2))
    assert answer.repeated
    assert desk.last is not None
    assert desk.last.counters.corrected == 0


def test_another_text_under_the_same_version_is_a_conflict(desk: Desk) -> None:
    desk.take(article("a", WHOLE, version=1))
    (answer,) = desk.take(article("a", OTHER, version=1))
    assert answer.conflict
    assert answer.repeated
    assert desk.last is not None
    assert desk.last.counters.conflicts == 1


def test_an_undated_correction_keeps_the_time_of_the_first_sight(engine: Engine) -> None:
    desk = Desk(engine)
    desk.take({"id": "a", "text": WHOLE, "published_at": "1970-01-01T05:00:00Z"})
    (answer,) = desk.take({"id": "a", "text": OTHER, "version": 1})
    assert answer.published_ms == 5 * HOUR


def test_a_correction_of_an_old_story_is_not_late(engine: Engine) -> None:
    desk = Desk(engine, WindowRules(window_ms=48 * HOUR, max_lateness_ms=2 * HOUR))
    desk.take(article("a", WHOLE), article("b", OTHER))
    desk.take(article("now", stretch(0, 4, 5), published_at="1970-01-01T20:00:00Z"))
    corrected, late = desk.take(article("b", WHOLE, version=1), article("c", WHOLE))
    assert not corrected.late
    assert corrected.cluster == identity64("a")
    assert late.late


def test_versions_come_in_any_order_within_a_batch(desk: Desk) -> None:
    answers = desk.take(
        article("a", WHOLE, version=2), article("a", OTHER, version=1), article("a", START, version=3)
    )
    assert [a.repeated for a in answers] == [False, True, False]
    assert answers[2].replaces == (identity64("a"), "new")


# --- kills


def test_a_killed_article_leaves_the_index_at_once(desk: Desk) -> None:
    answers = desk.take(article("a", WHOLE), kill("a", reason="wrong name"), article("b", WHOLE))
    assert (answers[1].relation, answers[1].cluster) == ("killed", identity64("a"))
    assert answers[1].record("e")["reason"] == "wrong name"
    assert answers[2].relation == "new"
    assert desk.together() == [["b"]]


def test_what_derives_from_a_killed_article_is_named(desk: Desk) -> None:
    desk.take(article("early", WHOLE, published_at="1970-01-01"), article("a", WHOLE), article("b", START))
    desk.take(kill("a"))
    (event,) = desk.told("killed")
    assert event.copies == ("b",)  # the earlier one does not derive from it
    assert event.size == 2


def test_naming_copies_can_be_turned_off(engine: Engine) -> None:
    desk = Desk(engine, WindowRules(max_lateness_ms=None, name_copies=False))
    desk.take(article("a", WHOLE), article("b", WHOLE), kill("a"))
    assert not desk.told("killed")


def test_a_kill_before_its_article_is_remembered(desk: Desk) -> None:
    (early,) = desk.take(kill("a", reason="wrong"))
    assert (early.relation, early.cluster) == ("killed", 0)
    assert early.record("e")["cluster_id"] is None
    (answer,) = desk.take(article("a", WHOLE))
    assert (answer.relation, answer.cluster) == ("killed", 0)
    assert desk.together() == []
    assert desk.events == []


def test_a_kill_is_forgotten_after_the_window(engine: Engine) -> None:
    desk = Desk(engine, WindowRules(window_ms=10 * HOUR, max_lateness_ms=HOUR))
    desk.take(article("x", OTHER), kill("a"))
    desk.take(article("y", OTHER, published_at="1970-01-03"))
    assert len(desk.matcher.store.kills) == 0
    (answer,) = desk.take(article("a", WHOLE, published_at="1970-01-03"))
    assert answer.relation == "new"


def test_a_kill_of_one_version_leaves_later_ones_alone(desk: Desk) -> None:
    desk.take(article("a", WHOLE, version=1))
    desk.take(kill("a", version=1))
    older, newer = desk.take(article("a", WHOLE, version=1), article("a", START, version=2))
    assert older.relation == "killed"
    assert newer.relation == "new"
    (answer,) = desk.take(kill("a", version=1))
    assert answer.relation == "new"
    assert answer.repeated


def test_a_kill_that_comes_again_gets_the_same_answer(desk: Desk) -> None:
    desk.take(article("a", WHOLE))
    first, again = desk.take(kill("a"), kill("a"))
    assert again == first._replace(repeated=True)


def test_a_quiet_kill_is_answered_where_the_article_was(desk: Desk) -> None:
    desk.take(article("a", WHOLE))
    answers = desk.take(kill("a"), kill("b"), quiet=(0, 1))
    assert [answer.article_id for answer in answers] == ["a"]
    assert [answer.relation for answer in desk.take(article("b", WHOLE))] == ["killed"]


def test_the_bridge_between_two_parts_can_be_killed(desk: Desk) -> None:
    desk.take(
        article("a", START), article("b", END, published_at="1970-01-01T02:00:00Z"), article("w", WHOLE)
    )
    assert desk.together() == [["a", "w", "b"]]
    desk.take(kill("w"))
    assert desk.together() == [["a"], ["b"]]
    (split,) = desk.told("split")
    names = {cluster.article_ids[0]: cluster.name for cluster in desk.matcher.clusters()}
    assert names == {"a": split.cluster, "b": split.other}
    assert (split.size, split.article_id) == (1, "w")
    line = orjson.loads(split.line("e"))
    assert line["split_id"] != line["cluster_id"]
    assert desk.last is not None
    change = desk.last.change
    assert (change.split_names.tolist(), change.split_by) == ([[split.cluster, split.other]], ["w"])


def test_a_part_never_bears_the_name_of_the_cluster_that_it_left(desk: Desk) -> None:
    desk.take(article("z", OTHER), article("a", OTHER))
    desk.take(article("a", WHOLE, version=1))  # founds a cluster, as a later version of its id
    desk.take(
        article("b", START, published_at="1970-01-01T00:30:00Z"),
        article("c", END, published_at="1970-01-01T02:00:00Z"),
    )
    assert desk.together() == [["b", "a", "c"], ["z"]]
    desk.take(article("a", END, version=2))  # it leaves that cluster, and is the first of the part that goes
    assert desk.together() == [["b"], ["z"], ["a", "c"]]
    assert len({cluster.name for cluster in desk.matcher.clusters()}) == 3


def test_a_kill_is_logged_with_when_and_why(desk: Desk) -> None:
    desk.take(kill("a", reason="wrong", published_at="1970-01-01T03:00:00Z"), kill("b"))
    assert desk.last is not None
    change, _ = decode(encode(desk.last.change))
    assert [orjson.loads(told) for told in change.kill_about] == [
        {"published_at": "1970-01-01T03:00:00Z", "reason": "wrong"},
        {"published_at": "1970-01-01T01:00:00Z"},
    ]


def test_advisories_are_flagged_and_obeyed_only_when_told(engine: Engine) -> None:
    withdrawal = article("a", "KILL: Harbour story\n\nDo not use it.", version=2)
    flagged = Desk(engine)
    flagged.take(article("a", WHOLE))
    (answer,) = flagged.take(withdrawal)
    assert answer.record("e")["advisory"] == "kill"
    assert answer.relation == "new"
    obeyed = Desk(engine, obey=True)
    obeyed.take(article("a", WHOLE))
    (answer,) = obeyed.take(withdrawal)
    assert answer.relation == "killed"
    assert obeyed.together() == []


def test_embargoed_articles_are_matched_and_marked(desk: Desk) -> None:
    over, ahead = desk.take(
        article("a", WHOLE, embargo_until="1970-01-01T00:30:00Z"),
        article("b", WHOLE, embargo_until="1970-01-01T02:00:00Z"),
    )
    assert (over.record("e")["embargoed"], ahead.record("e")["embargoed"]) == (False, True)
    assert ahead.relation == "exact"
    (again,) = desk.take(article("b", WHOLE))
    assert again.record("e")["embargo_until"] == "1970-01-01T02:00:00Z"


# --- bad input


def test_kills_in_a_row_are_bounded_and_counted(engine: Engine) -> None:
    desk = Desk(engine, WindowRules(max_lateness_ms=None, max_articles=1000))
    matcher, count = desk.matcher, 5000
    forgotten = 0
    for first in range(0, 20 * count, count):
        ids = [f"k{n}" for n in range(first, first + count)]
        articles = [Article(i, "", kill=True) for i in ids]
        notices = Notices.of(articles, [HOUR] * count)
        found = matcher.match(ids, [HOUR] * count, engine.sketcher.sketch(articles), (), notices)
        forgotten += found.counters.kills_forgotten
        assert len(found.answers) == found.counters.kills == count
    assert len(matcher.store.kills) == 1000
    assert forgotten == 20 * count - 1000


def test_an_id_that_is_used_for_another_story_does_not_move_the_first(desk: Desk) -> None:
    desk.take(article("a", WHOLE), article("b", WHOLE))
    (answer,) = desk.take(article("a", OTHER, published_at="1970-01-02"))
    assert answer.conflict
    assert desk.together() == [["a", "b"]]


def test_the_life_of_a_story_survives_its_log(desk: Desk) -> None:
    again = Matcher(desk.engine.fingerprint, ANY_ORDER)
    for records in (
        [article("a", START), article("b", END), article("w", WHOLE, embargo_until="1970-02-01")],
        [kill("never"), article("a", START, version=4)],
        [kill("w"), article("b", OTHER, version=1), article("c", OTHER)],
    ):
        desk.take(*records)
        assert desk.last is not None
        again.apply(decode(encode(desk.last.change))[0])
    assert list(again.clusters()) == list(desk.matcher.clusters())
    assert again.store.kills.by_id == desk.matcher.store.kills.by_id
    slots = (desk.matcher.window.slots, again.window.slots)
    for name in ("version", "updated", "bond"):
        assert np.array_equal(*(getattr(each, name)[1:8] for each in slots))
