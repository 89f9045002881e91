"""Explanations: the numbers are the engine's own, and the pages show foreign text as text."""

from dataclasses import replace
from itertools import pairwise
from math import exp
from pathlib import Path

import orjson
import pytest
from rich.console import Console

from pipeline.article import Article
from pipeline.engine import Engine
from pipeline.errors import FingerprintError, InputError
from pipeline.rules import RULES
from workers.tools.explain import Explanation, from_articles, require_engine
from workers.tools.explain_page import explain_page
from workers.tools.explain_terminal import print_explanation
from workers.tools.feed import StateFeed
from workers.tools.material import Material, gather, read_article

HOSTILE_TEXT = (
    '</script><script>alert(1)</script><img src=x onerror=alert(2)> "quoted <b>words</b> here today" \u202egnp.exe '
    "\x1b[31mred\x1b[0m \x9b2J Ferry Nordlys 214 passengers"
)


@pytest.fixture(scope="module")
def by_id(sample: list[Article]) -> dict[str, Article]:
    return {article.id: article for article in sample}


@pytest.fixture(scope="module")
def rewrite(engine: Engine, by_id: dict[str, Article]) -> Explanation:
    return from_articles(engine, by_id["n-0002"], by_id["n-0007"])


def test_points_add_up_to_the_score(rewrite: Explanation) -> None:
    assert rewrite.linked
    assert rewrite.relation == "rewrite"
    assert rewrite.rule == "model"
    total = rewrite.bias + rewrite.gap_points + sum(p.value * p.coefficient for p in rewrite.parts)
    assert total == pytest.approx(rewrite.total)
    assert 1 / (1 + exp(-total)) == pytest.approx(rewrite.score, abs=2e-4)
    assert rewrite.candidate
    assert rewrite.bands_shared


def test_agrees_with_the_engine(engine: Engine, sample: list[Article]) -> None:
    for left, right in pairwise(sample[:31]):
        comparison, candidate, _ = engine.score_pair(left, right)
        found = from_articles(engine, left, right)
        assert found.score == comparison.score / 10_000
        assert found.linked == comparison.linked
        assert bool(found.bands_shared) == candidate
        assert found.rule in RULES


def test_is_symmetric(engine: Engine, by_id: dict[str, Article], rewrite: Explanation) -> None:
    turned = from_articles(engine, by_id["n-0007"], by_id["n-0002"])
    assert (turned.score, turned.bands_shared) == (rewrite.score, rewrite.bands_shared)
    assert turned.left.marked.words == rewrite.right.marked.words


def test_the_same_text_is_identical(engine: Engine, by_id: dict[str, Article]) -> None:
    found = from_articles(engine, by_id["n-0002"], replace(by_id["n-0002"], id="again"))
    assert (found.rule, found.score, found.relation) == ("identical", 1.0, "exact")
    assert found.left.marked.covered == 1.0
    assert found.verdict == "The same copy: exact, score 1.00"


def test_texts_without_words_explain_too(engine: Engine) -> None:
    for text in ("…", "a", "漢字"):
        found = from_articles(engine, Article("a", text), Article("b", "x"))
        assert not found.linked
        orjson.dumps(found.record())
        explain_page(found)


def test_what_agrees_and_differs(rewrite: Explanation) -> None:
    found = {a.kind: a for a in rewrite.agreements}
    assert "214" in found["numbers"].both
    assert "Ingvild Aasnes" in found["names"].both
    assert found["quotations"].only_left == ["People were calm. The children were put into the first boat."]


def test_pieces_hold_the_whole_text(rewrite: Explanation, by_id: dict[str, Article]) -> None:
    for side in (rewrite.left, rewrite.right):
        article = by_id[side.id]
        assert "".join(p.text for p in side.marked.title) == article.title
        assert "".join(p.text for p in side.marked.text) == article.text.lstrip("\n")


def test_page_is_self_contained_and_shows_hostile_text_as_text(engine: Engine) -> None:
    article = Article('<img src=x>"', HOSTILE_TEXT, title=HOSTILE_TEXT, source=HOSTILE_TEXT)
    page = explain_page(from_articles(engine, article, replace(article, id="b", text=HOSTILE_TEXT * 2)))
    assert page.count("<script>") == page.count("</script>") == 1
    assert "<img" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "default-src &#39;none&#39;" in page


def test_terminal_is_not_steered(engine: Engine) -> None:
    article = Article("a\x1b", HOSTILE_TEXT, title=HOSTILE_TEXT, source=HOSTILE_TEXT)
    for width in (60, 140):
        console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
        print_explanation(console, from_articles(engine, article, replace(article, id="b")))
        shown = console.export_text()
        assert not set(shown) & set("\x1b\x9b\u202e")
        assert "alert(1)" in shown


def test_a_state_is_explained_with_its_own_tokens(engine: Engine, sample_state: Path) -> None:
    found = {m.article.id: m for m in gather(StateFeed(sample_state).poll(), {"n-0002", "n-0007"}).values()}
    assert found["n-0002"].article.source == "Nordic Wire Desk"
    require_engine(engine.fingerprint, found["n-0002"])
    other = Material(found["n-0002"].article, found["n-0002"].tokens, "sw1-other")
    with pytest.raises(FingerprintError, match="samewire report"):
        require_engine(engine.fingerprint, other)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\xff\xfe", "not UTF-8"),
        (b'{"id": "x"}\n{"id": "y"}', "not one JSON object"),
        (b'{"id": 1}', "wrong_type"),
    ],
)
def test_bad_files_say_what_to_do(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "article"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_article(path)


def test_files_are_json_or_plain_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A ferry ran aground.")
    (tmp_path / "b.json").write_text('{"text": "A ferry ran aground.", "title": "Ferry"}')
    assert read_article(tmp_path / "a.txt").id == "a.txt"
    assert read_article(tmp_path / "b.json").title == "Ferry"
    with pytest.raises(InputError, match="--state and ids"):
        read_article(tmp_path / "missing")
