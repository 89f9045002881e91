"""Shared passages, and the words of a text as the engine reads them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.article import Article
from pipeline.engine import Engine
from pipeline.hashing import word_hash
from tests.texts import HOSTILE
from workers.tools.passages import covered, shared_passages
from workers.tools.words import known_words, spots, stored_hash

words = st.lists(st.sampled_from("abcde"), max_size=40)


@given(words, words)
def test_passages_are_the_same_words_and_none_is_used_twice(left: list[str], right: list[str]) -> None:
    passages = shared_passages(left, right)
    for side in ("left", "right"):
        used = [getattr(p, side) + i for p in passages for i in range(p.words)]
        assert len(used) == len(set(used))
    for p in passages:
        assert p.words >= 3
        assert left[p.left : p.left + p.words] == right[p.right : p.right + p.words]


@given(words)
def test_a_text_shares_all_of_itself(text: list[str]) -> None:
    assert covered(shared_passages(text, text), len(text)) == (1.0 if len(text) >= 3 else 0.0)


def test_moved_paragraphs_are_found() -> None:
    a, b = ["one", "two", "three", "four"], ["five", "six", "seven", "eight"]
    passages = shared_passages(a + b, b + a)
    assert [(p.left, p.right, p.words) for p in passages] == [(0, 4, 4), (4, 0, 4)]


def test_a_repeated_phrase_takes_no_quadratic_time() -> None:
    for phrase, words in (("the same three words ", 10_000), ("x ", 30_000)):
        text = (phrase * words).split()[:words]
        begun = time.perf_counter()
        assert covered(shared_passages(text, text), words) > 0.9
        assert time.perf_counter() - begun < 20  # quadratic: minutes


@pytest.mark.parametrize("text", HOSTILE)
def test_spots_lie_in_the_text_in_order(text: str) -> None:
    end = 0
    for spot in spots(text):
        assert end <= spot.start < spot.end <= len(text)
        end = spot.end


def test_hashes_are_the_engines() -> None:
    for word in ("skarvik", "1000", "漢字", ""):
        assert stored_hash(word) == word_hash(word) >> 8


def test_every_token_is_found_again_in_the_text(engine: Engine, sample: list[Article]) -> None:
    for article in sample:
        tokens = engine.sketcher.sketch([article]).tokens_of(0)
        content = f"{article.title}\n\n{article.text}"
        hashes = {s.hash for s in spots(content)} | {s.pair for s in spots(content)}
        missing = [word for word in known_words(tokens) if word not in hashes]
        assert len(missing) <= 1, article.id  # an entity ("&#8217;") is resolved before reading
