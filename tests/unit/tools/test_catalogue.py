"""Articles, clusters and merges as plain data."""

from pathlib import Path

import pytest

from pipeline.answers import cluster_id
from pipeline.errors import InputError
from pipeline.hashing import identity64
from tests.unit.tools.states import Item, changes_of
from workers.state import load_matcher
from workers.tools.catalogue import Catalogue
from workers.tools.feed import StateFeed


def test_agrees_with_the_matcher(sample_state: Path) -> None:
    catalogue = Catalogue.from_changes(told.change for told in StateFeed(sample_state).poll())
    expected = {cluster.name: cluster.article_ids for cluster in load_matcher(sample_state).clusters()}
    assert {s.name: [e.id for e in s.entries] for s in catalogue.stories()} == expected
    entry = catalogue.expect("n-0002")
    text = catalogue.text(entry)
    assert text is not None
    assert text.startswith("SKARVIK, Norway, March 10 (Reuters)")
    assert entry.source == "Nordic Wire Desk"


MERGING = [
    [Item("a", "a"), Item("b", "b", 5)],
    [Item("c", "a", 7, "copy", "a", 0.9, merges=[("a", "b")]), Item("d", "a", 1, "rewrite", "b", 0.7)],
]


def test_merged_clusters_are_one_and_both_ids_lead_there() -> None:
    catalogue = Catalogue.from_changes(changes_of(MERGING))
    for wanted in ("a", "b", "c", cluster_id(identity64("a")), cluster_id(identity64("b"))):
        story = catalogue.expect_story(wanted)
        assert [e.id for e in story.entries] == ["a", "d", "b", "c"]  # by time of publication
        assert story.id == cluster_id(identity64("a"))
        assert [cluster_id(m.lost) for m in story.merges] == [cluster_id(identity64("b"))]
    assert catalogue.cluster_count == 1


def test_chains_of_merges_resolve() -> None:
    catalogue = Catalogue.from_changes(
        changes_of(
            [
                [Item("a", "a"), Item("b", "b"), Item("c", "c")],
                [Item("d", "b", merges=[("b", "c")])],
                [Item("e", "a", merges=[("a", "b")])],
            ]
        )
    )
    story = catalogue.story(identity64("c"))
    assert story is not None
    assert {e.id for e in story.entries} == set("abcde")
    assert len(story.merges) == 2


def test_is_bounded_and_counts_what_it_forgets() -> None:
    batches = [[Item(f"{b}-{i}", f"{b}-{i}", text="words") for i in range(10)] for b in range(20)]
    catalogue = Catalogue.from_changes(changes_of(batches), max_articles=50)
    assert len(catalogue) == 50
    assert catalogue.forgotten == 150
    assert catalogue.cluster_count == 50
    assert "0-0" not in catalogue
    assert catalogue.text(catalogue.expect("19-9")) == "words"
    assert [e.id for e in catalogue.entries(after=198)] == ["19-8", "19-9"]


def test_newest_clusters_come_by_pages() -> None:
    catalogue = Catalogue.from_changes(changes_of([[Item(f"i{n}", f"i{n % 4}") for n in range(10)]]))
    first = catalogue.newest(3)
    assert [story.entries[-1].id for _, story in first] == ["i9", "i8", "i7"]
    assert [story.entries[-1].id for _, story in catalogue.newest(3, before=first[-1][0])] == ["i6"]


def test_texts_may_be_missing() -> None:
    catalogue = Catalogue.from_changes(changes_of([[Item("a", "a", text=None)]]))
    assert catalogue.text(catalogue.expect("a")) is None
    bare = changes_of([[Item("a", "a")]])
    bare[0].about = []
    assert Catalogue.from_changes(bare).expect("a").title == ""


def test_unknown_ids_name_the_nearest() -> None:
    catalogue = Catalogue.from_changes(changes_of(MERGING))
    with pytest.raises(InputError, match="samewire report"):
        catalogue.expect("zzzz")
    wide = Catalogue.from_changes(changes_of([[Item("reuters-1", "x"), Item("reuters-2", "x")]]))
    with pytest.raises(InputError, match="nearest: reuters-1"):
        wide.expect("reuters-11")
    name = cluster_id(identity64("x"))
    with pytest.raises(InputError, match=name):
        wide.expect_story(name[:-1] + ("0" if name[-1] != "0" else "1"))
    with pytest.raises(InputError) as caught:
        wide.expect("x" * 100_000)
    assert len(str(caught.value)) < 400


def test_desks_that_count_their_articles_alike_are_told_apart() -> None:
    english = changes_of([[Item("e1", "e1", text="one"), Item("e2", "e1", 2)], [Item("e3", "e3", 6)]])
    german = changes_of([[Item("g1", "g1", 1, text="eins"), Item("g2", "g1", 3, lang="de")]])
    catalogue = Catalogue.from_changes([english[0], german[0], english[1]])
    assert [e.id for e in catalogue.entries()] == ["e1", "e2", "g1", "g2", "e3"]
    assert [e.id for e in catalogue.entries(after=4)] == ["e3"]
    assert [[e.id for e in s.entries] for _, s in catalogue.newest(9)] == [["e3"], ["g1", "g2"], ["e1", "e2"]]
    assert [catalogue.text(catalogue.expect(name)) for name in ("e1", "g1")] == ["one", "eins"]


def test_an_id_that_comes_again_long_after_founds_its_cluster_anew() -> None:
    catalogue = Catalogue.from_changes(
        changes_of(
            [
                [Item("a", "a"), Item("b", "b")],
                [Item("c", "a", merges=[("a", "b")])],
                [Item("b", "b", 60 * 24 * 30)],
            ]
        )
    )
    story = catalogue.expect_story("b")
    assert [e.id for e in story.entries] == ["b"]
    assert story.name == identity64("b")
