"""The report: everything is in it, compressed, and nothing can break out."""

import base64
import gzip
import re
from typing import Any

import orjson

from tests.unit.tools.states import Item, changes_of
from workers.tools.catalogue import Catalogue
from workers.tools.compare import compare_partitions
from workers.tools.report import BLOCK_BYTES, report_page

HOSTILE = "</script><script>alert(1)</script><!--<script>"


def _blocks(page: str) -> dict[str, Any]:
    found = re.findall(r'<script type="text/plain" id="([\w-]+)">([^<]*)</script>', page)
    return {name: orjson.loads(gzip.decompress(base64.b64decode(content))) for name, content in found}


def _catalogue(*batches: list[Item]) -> Catalogue:
    return Catalogue.from_changes(changes_of(batches))


def test_holds_every_article_and_its_text() -> None:
    text = "words " * (BLOCK_BYTES // 20)
    items = [
        Item(f"i{n}", f"i{n % 7}", n, title=f"Title {n}", text=f"{n} {text}", url="https://x")
        for n in range(40)
    ]
    blocks = _blocks(report_page(_catalogue(items), "state"))
    index = blocks["index"]
    assert index["articles"]["id"] == [item.id for item in items]
    assert len(blocks) > 3
    for item, (block, at) in zip(items, index["places"], strict=True):
        assert blocks[f"block-{block}"][at] == [item.title, item.text, "https://x", []]


def test_nothing_foreign_stands_in_the_page_itself() -> None:
    items = [Item(HOSTILE, HOSTILE, title=HOSTILE, text=HOSTILE, source=HOSTILE, lang=HOSTILE, url=HOSTILE)]
    page = report_page(_catalogue(items), HOSTILE)
    assert "alert(1)</script>" not in page
    assert page.count("<script") == page.count("</script>")
    assert "&lt;/script&gt;" in page  # the name of the state


def test_is_bounded_whatever_the_articles_hold() -> None:
    long = "x" * 100_000
    index = _blocks(report_page(_catalogue([Item("a", "a", title=long, source=long, lang=long)]), "s"))[
        "index"
    ]
    assert len(index["articles"]["title"][0]) == 300
    assert len(index["sources"][0]) == 120


def test_loads_nothing() -> None:
    page = report_page(_catalogue([Item("a", "a")]), "state")
    own = re.sub(r'<script type="text/plain".*?</script>', "", page, flags=re.DOTALL)
    assert not re.findall(r'(?:src|href)="(?!data:,)', own)
    assert "default-src" in own
    assert "connect-src" not in own


def test_is_the_same_for_the_same_state() -> None:
    assert report_page(_catalogue([Item("a", "a")]), "s") == report_page(_catalogue([Item("a", "a")]), "s")


def test_marks_what_changed() -> None:
    catalogue = _catalogue([Item("a", "a"), Item("b", "a"), Item("c", "c")])
    old = {"a": 1, "b": 2, "c": 3, "gone": 4}
    index = _blocks(report_page(catalogue, "s", compare_partitions(old, catalogue.partition(), "before")))[
        "index"
    ]
    assert index["comparison"]["joined"][0]["of"] == ["c0000000000000001", "c0000000000000002"]


def test_comparison_counts_pairs_clusters_and_articles() -> None:
    old = {"a": 1, "b": 1, "c": 1, "d": 2, "e": 3, "x": 9}
    new = {"a": 5, "b": 5, "c": 6, "d": 7, "e": 7, "y": 9}
    found = compare_partitions(old, new, "old")
    assert (found.compared, found.only_old, found.only_new) == (5, 1, 1)
    assert (found.pairs_both, found.pairs_only_old, found.pairs_only_new) == (1, 2, 1)
    assert [(s.articles, len(s.into)) for s in found.split] == [(3, 2)]
    assert [(j.articles, len(j.of)) for j in found.joined] == [(2, 2)]
    assert found.same_clusters == 0
    assert compare_partitions(old, old, "old").same_clusters == 4
