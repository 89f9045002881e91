"""Family trees."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from pipeline.article import Article
from tests.unit.tools.states import Item, changes_of
from workers.tools.catalogue import Catalogue
from workers.tools.feed import StateFeed
from workers.tools.material import Material, gather
from workers.tools.story import Family, credits_of, family
from workers.tools.story_terminal import print_family

REPORT = [
    "ferry",
    "runs",
    "aground",
    "near",
    "skarvik",
    "port",
    "and",
    "all",
    "passengers",
    "are",
    "brought",
    "ashore",
    "by",
    "nine",
    "fishing",
    "vessels",
]


def _family(*texts: tuple[str, float, Sequence[str], str]) -> Family:
    """Make a tree of (id, minute, words, source)."""
    items = [Item(name, texts[0][0], minute, source=source) for name, minute, _, source in texts]
    catalogue = Catalogue.from_changes(changes_of([items]))
    material = {}
    for place, (name, _, words, source) in enumerate(texts, start=1):
        tokens = np.array([(hash(w) & 0xFFFFFF) << 8 for w in words], np.uint32)
        material[0, place] = Material(Article(name, " ".join(words), source=source), tokens, "")
    story = catalogue.expect_story(texts[0][0])
    return family(story, catalogue.all_editions(story), material)


def test_kinds_and_parents() -> None:
    other = [f"word{n}" for n in range(12)]
    tree = _family(
        ("first", 0, REPORT, "Wire"),
        ("same", 1, REPORT, "Post"),
        ("short", 2, REPORT[:9], "Gazette"),
        ("more", 3, REPORT + other, "Times"),
        ("of-more", 4, other, "Echo"),
        ("words", 5, sorted(REPORT), "Herald"),
    )
    found = {m.id: (m.parent, m.kind, m.version) for m in tree.members}
    assert found == {
        "first": (None, "first", 1),
        "same": ("first", "verbatim", 1),
        "short": ("first", "trimmed", 1),
        "more": ("first", "extended", 2),
        "of-more": ("more", "trimmed", 2),
        "words": ("first", "rewritten", 3),
    }
    assert tree.versions == 3


def test_nobody_derives_from_a_later_copy() -> None:
    tree = _family(("late", 9, REPORT, ""), ("early", 0, REPORT, ""))
    assert [(m.id, m.parent) for m in tree.members] == [("early", None), ("late", "early")]


@pytest.mark.parametrize(
    ("text", "source", "expected"),
    [
        ("LONDON, March 3 (Reuters) - A ferry", "", ["Reuters"]),
        ("Offenbach (dpa) - Am Dienstag", "", ["dpa"]),
        ("PARIS (AFP) — Un ferry", "", ["AFP"]),
        ("DULUTH, Minn. (AP) — Burglars", "", ["AP"]),
        ("A ferry ran aground.", "Reuters", ["Reuters"]),
        (
            "A ferry ran aground. " + "x" * 900 + " The Associated Press contributed to this report.",
            "",
            ["AP"],
        ),
        ("【ベルリン共同】フェリー", "", ["Kyodo"]),
        ("The Palestinian Authority said the mp3 (with apples) was fine.", "Daily", []),
    ],
)
def test_credits(text: str, source: str, expected: list[str]) -> None:
    assert credits_of(Article("a", text, source=source)) == expected


def test_origin_is_the_agency_that_is_credited() -> None:
    wire = ["LONDON", "(Reuters)", "-", *REPORT]
    tree = _family(("a", 0, REPORT, "Post"), ("b", 1, wire, "Gazette"), ("c", 2, wire, "Reuters"))
    assert (tree.origin.name, tree.origin.article_id) == ("Reuters", "b")
    plain = _family(("a", 0, REPORT, "Post"), ("b", 1, REPORT, "Gazette"))
    assert plain.origin.name == "Post"
    assert "no agency" in plain.origin.why


def test_the_sample_and_its_tree_on_a_terminal(sample_state: Path) -> None:
    catalogue = Catalogue.from_changes(
        (told.change for told in StateFeed(sample_state).poll()), with_texts=False
    )
    story = catalogue.expect_story("n-0007")
    material = gather(StateFeed(sample_state).poll(), {e.id for e in story.entries})
    tree = family(story, catalogue.all_editions(story), material)
    assert tree.origin.name == "Reuters"
    assert {m.id: m.kind for m in tree.members}["n-0007"] == "rewritten"
    console = Console(width=160, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    print_family(console, tree)
    assert "Probable origin: Reuters" in console.export_text()


def test_a_long_chain_is_no_recursion() -> None:
    items = [Item(f"i{n}", "i0", n) for n in range(1500)]
    catalogue = Catalogue.from_changes(changes_of([items]))
    story = catalogue.expect_story("i0")
    # each shares half of its words with the one before it alone
    material = {
        (0, n + 1): Material(
            Article(f"i{n}", ""), (np.arange(n * 5, n * 5 + 10, dtype=np.uint32) + 1) << np.uint32(8), ""
        )
        for n in range(1500)
    }
    tree = family(story, catalogue.all_editions(story), material)
    assert [m.parent for m in tree.members[1:]] == [f"i{n}" for n in range(1499)]
    print_family(Console(width=100, file=open("/dev/null", "w")), tree)  # noqa: SIM115, PTH123
