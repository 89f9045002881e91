"""What became of articles: corrected, killed, moved, as the catalogue knows it."""

from pathlib import Path

import pytest

from pipeline.answers import cluster_id
from pipeline.changelog import Change
from pipeline.hashing import identity64
from pipeline.life import ALL_VERSIONS
from pipeline.matcher import WindowRules
from tests.unit.tools.lives import (
    CORRECTED_FERRY,
    FERRY,
    WHOLE,
    LivingState,
    article,
    catalogue_of,
    kill,
)
from workers.tools.catalogue import Catalogue
from workers.tools.feed import StateFeed
from workers.tools.missing import GoneError


def test_a_corrected_article_stands_as_its_newest_version(living_catalogue: Catalogue) -> None:
    entry = living_catalogue.expect("wire-1")
    assert (entry.version, living_catalogue.text(entry)) == (2, CORRECTED_FERRY)
    editions = living_catalogue.editions(entry)
    assert [(e.entry.version, e.status, e.is_later) for e in editions] == [
        (1, "replaced", False),
        (2, "stands", True),
    ]
    assert living_catalogue.text(editions[0].entry) == FERRY
    left = living_catalogue.expect_story("gazette-1").left
    assert [(e.id, e.version) for e in left] == [("wire-1", 1)]


def test_a_killed_article_is_in_no_cluster_and_still_known(living_catalogue: Catalogue) -> None:
    assert "bank-1" not in living_catalogue
    with pytest.raises(GoneError, match=r"killed up to version 3 on 2026-03-10T09:30:00Z: The governor"):
        living_catalogue.expect("bank-1")
    story = living_catalogue.expect_story("bank-2")
    assert [e.id for e in story.entries] == ["bank-2"]
    assert [(k.article_id, k.through_version) for k in story.killed] == [("bank-1", 3)]
    with pytest.raises(GoneError, match=r"its cluster c[0-9a-f]{16} is gone with it"):
        living_catalogue.expect_story("lone")
    with pytest.raises(GoneError, match="its articles were killed, the last one was 'lone'"):
        living_catalogue.expect_story(cluster_id(identity64("lone")))
    with pytest.raises(GoneError, match="it was in no cluster"):
        living_catalogue.expect("never")


def test_a_cluster_that_came_apart_is_two(living_catalogue: Catalogue) -> None:
    start, end = living_catalogue.expect_story("start"), living_catalogue.expect_story("end")
    assert ([e.id for e in start.entries], [e.id for e in end.entries]) == (["start"], ["end"])
    assert start.splits == end.splits == living_catalogue.splits
    assert (start.splits[0].kept, start.splits[0].parted) == (start.name, end.name)
    assert start.splits[0].article_id == "bridge"
    # the name that the end once had was merged away, and its redirect was published
    assert living_catalogue.expect_story(cluster_id(identity64("end"))).name == start.name


def test_what_was_withdrawn_is_not_counted(living_catalogue: Catalogue) -> None:
    assert len(living_catalogue) == len(list(living_catalogue.entries())) == 7
    assert len(living_catalogue.partition()) == 7
    assert {k.article_id for k in living_catalogue.kills()} == {"bank-1", "bridge", "lone", "never"}


def test_ordinals_are_those_of_the_desk(living: Path) -> None:
    changes = [told.change for told in StateFeed(living).poll()]
    two = Catalogue()
    for change in changes:
        for desk in (0, 1):
            two.apply(_named(change, desk), desk)
    one = {frozenset(e.id for e in s.entries) for s in catalogue_of(living).stories()}
    expected = {frozenset(f"{i}/{desk}" for i in ids) for ids in one for desk in (0, 1)}
    assert {frozenset(e.id for e in s.entries) for s in two.stories()} == expected


def _named(change: Change, desk: int) -> Change:
    """A copy of a record for another desk, with ids and names of its own."""
    columns = {name: getattr(change, name) for name in Change.__slots__}
    for name in ("ids", "kill_ids", "split_by", "heir_by"):
        columns[name] = [f"{article_id}/{desk}" for article_id in columns[name]]
    for name in (
        "name",
        "cluster",
        "merge_names",
        "renamed_to",
        "kill_clusters",
        "split_names",
        "heir_names",
    ):
        columns[name] = columns[name] ^ columns[name].dtype.type(desk)
    return Change(**columns)


def test_a_kill_of_what_has_left_the_window_is_shown(tmp_path: Path) -> None:
    hour = 3_600_000
    with LivingState(tmp_path, WindowRules(window_ms=10 * hour, max_lateness_ms=hour)) as state:
        state.take(article("old", FERRY, "00:00"), article("old-copy", FERRY, "00:10"))
        state.take({**article("new", WHOLE), "published_at": "2026-03-14T00:00:00Z"})
        state.take(kill("old", reason="Too late?"))
    catalogue = catalogue_of(tmp_path)
    assert [e.id for e in catalogue.expect_story("old-copy").entries] == ["old-copy"]
    with pytest.raises(GoneError, match="Too late"):
        catalogue.expect("old")


def test_a_version_after_a_kill_stands_and_the_kill_is_in_its_past(tmp_path: Path) -> None:
    with LivingState(tmp_path) as state:
        state.take(article("a", FERRY, version=1), article("b", FERRY))
        state.take(kill("a", version=1, reason="Wrong"))
        state.take(article("a", WHOLE, version=2))
        state.take(article("a", WHOLE, version=3))  # nothing but the number changed
    catalogue = catalogue_of(tmp_path)
    [first, second] = catalogue.editions(catalogue.expect("a"))
    assert (first.status, second.status, second.entry.version) == ("killed", "stands", 3)
    assert first.killed is not None
    assert first.killed.reason == "Wrong"
    assert catalogue.expect_story("b").killed == []
    assert list(catalogue.kills()) == []


def test_kills_that_come_again_keep_what_is_known(tmp_path: Path) -> None:
    with LivingState(tmp_path) as state:
        state.take(article("a", FERRY, version=1), article("b", FERRY))
        state.take(kill("a", version=1, reason="Wrong"))
        state.take(kill("a"))
    killed = catalogue_of(tmp_path).killed("a")
    assert killed is not None
    assert (killed.through, killed.reason, killed.cluster) == (ALL_VERSIONS, "Wrong", identity64("a"))
    assert killed.entry is not None


def test_what_was_withdrawn_is_forgotten_with_its_time(tmp_path: Path) -> None:
    with LivingState(tmp_path) as state:
        state.take(article("a", FERRY, version=1))
        for version in range(2, 30):
            text = FERRY if version % 2 else CORRECTED_FERRY
            state.take(article("a", text, version=version), kill(f"k{version}"), kill("a", version=1))
    catalogue = catalogue_of(tmp_path, max_articles=5)
    assert len(catalogue) == 1
    assert len(catalogue.editions(catalogue.expect("a"))) == 5
    assert len(list(catalogue.kills())) <= 5
    assert len(catalogue.touched(0)) <= 6
