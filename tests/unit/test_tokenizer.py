"""Texts become weighted words with the flags that the verifier reads."""

from itertools import pairwise
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings

from pipeline import tokenizer, weights
from pipeline.article import Article
from pipeline.codepoints import code_points
from pipeline.engine import Engine
from pipeline.furniture import default_furniture, phrase_set
from pipeline.hashing import fnv_step, word_hash
from pipeline.kernels import COMPILED
from pipeline.sketch import Sketcher
from pipeline.tokenizer import MAX_FURNITURE_WORDS, MAX_QUOTED_WORDS, PADDING_BYTES, tokenize
from pipeline.tokens import (
    HASH_SHIFT,
    IN_TITLE,
    LEVEL_MASK,
    LEVEL_SHIFT,
    MAX_TOKENS,
    NAME,
    NUMBER,
    QUOTED,
    STARTS_SENTENCE,
    Tokens,
)
from pipeline.weights import build_table, default_table, recent_words
from tests.conftest import News
from tests.texts import HOSTILE, any_text, article_from_news

# An empty table: every word is rare, so that all of them can be seen.
SKETCHER = Sketcher(build_table({}))


class Word(NamedTuple):
    """A token, as far as it can be read back."""

    hash: int
    level: int
    flags: int


def read(text: str, title: str = "", sketcher: Sketcher = SKETCHER) -> list[Word]:
    """Tokenise one article."""
    tokens, _ = sketcher.tokens([Article("a", text, title)])
    return [Word(t >> HASH_SHIFT, (t >> LEVEL_SHIFT) & LEVEL_MASK, t & 0x1F) for t in tokens.tolist()]


def hashes(text: str, title: str = "") -> list[int]:
    """The words of a text without weights and flags."""
    return [word.hash for word in read(text, title)]


def of(*words: str) -> list[int]:
    """What :func:`hashes` must return for these folded words."""
    return [word_hash(word) >> 8 for word in words]


def flagged(text: str, flag: int, title: str = "") -> list[bool]:
    """Which words of a text have a flag."""
    return [bool(word.flags & flag) for word in read(text, title)]


# --- words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("One two", ["one", "two"]),
        ("one-two/three_four", ["one", "two", "three", "four"]),
        ("don’t o'clock", ["don", "t", "o", "clock"]),
        ("U.S. and e.g.", ["u", "s", "and", "e", "g"]),
        ("G7 A380neo 3rd", ["g7", "a380neo", "3rd"]),
        ("AT&T €5", ["at", "t", "5"]),
        ("ﬁnancial", ["financial"]),
        ("Ｗｉｄｅ", ["wide"]),
        ("Straße STRASSE", ["strasse", "strasse"]),
        ("Москва", ["москва"]),
        ("soft\u00adhyphen zero\u200dwidth", ["softhyphen", "zerowidth"]),
        ("\ufeffbom", ["bom"]),
        ("한국어 뉴스", ["한국어", "뉴스"]),
        ("الله، محمد", ["الله", "محمد"]),
    ],
)
def test_words_of_scripts_with_spaces(text: str, words: list[str]) -> None:
    assert hashes(text) == of(*words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,000", ["1000"]),
        ("1.000", ["1000"]),
        ("3.5", ["35"]),
        ("1,234,567.89", ["123456789"]),
        ("in 2026.", ["in", "2026"]),
        ("5, 6", ["5", "6"]),
        ("5,6", ["56"]),
        ("5,a", ["5", "a"]),
        ("a,5", ["a", "5"]),
        ("１，０００", ["1", "000"]),  # the wide comma joins nothing: what follows it is no ASCII digit
        ("G7.5", ["g75"]),
    ],
)
def test_numbers_join_their_groups(text: str, words: list[str]) -> None:
    assert hashes(text) == of(*words)


def test_numbers_are_flagged_and_weigh_by_what_they_tell() -> None:
    levels = {text: (word.level, bool(word.flags & NUMBER)) for text in NUMBERS for word in read(text)}
    assert levels == NUMBERS


NUMBERS = {
    "7": (1, True),
    "17": (4, True),
    "117": (5, True),
    "2026": (2, True),
    "1987": (2, True),
    "2126": (5, True),
    "1,987": (2, True),
    "34.5": (5, True),
    "3rd": (2, True),
    "747s": (4, True),
    "b747": (4, False),
}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("caf\u00e9", "cafe\u0301"),
        ("Šimić", "S\u030cimic\u0301"),
        ("ỗ", "o\u0302\u0303"),
        ("naïve résumé", "naive resume"),
        ("MÜLLER", "Müller"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("İstanbul", "istanbul"),
        ("ｶﾀｶﾅ", "カタカナ"),
        ("①②", "12"),
    ],
)
def test_ways_to_write_the_same_word_are_equal(one: str, other: str) -> None:
    assert hashes(one) == hashes(other) != []


@pytest.mark.parametrize(("one", "other"), [("は", "ば"), ("가", "각"), ("и", "i"), ("漢", "汉")])
def test_other_letters_stay_other(one: str, other: str) -> None:
    assert hashes(one) != hashes(other)


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("漢", ["漢"]),
        ("漢字", ["漢字"]),
        ("東京都", ["東京", "京都"]),
        ("東 京", ["東", "京"]),
        ("東京、大阪。", ["東京", "大阪"]),
        ("カタカナ", ["カタ", "タカ", "カナ"]),
        ("ไทย", ["ไท", "ทย"]),
        ("𠀀𠀁𠀂", ["𠀀𠀁", "𠀁𠀂"]),
        ("COVID-19対策", ["covid", "19", "対策"]),
        ("NATO軍3人", ["nato", "軍", "3", "人"]),
        ("対策COVID", ["対策", "covid"]),
        ("\u3316", ["キロ", "ロメ", "メー", "ート", "トル"]),
    ],
)
def test_scripts_without_spaces_are_read_in_pairs(text: str, pairs: list[str]) -> None:
    assert hashes(text) == of(*pairs)


# --- flags


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ('he "did it" there', [False, True, True, False]),
        ("he “did it” there", [False, True, True, False]),
        ("er „tat es“ dort", [False, True, True, False]),
        ("il «a fait» cela", [False, True, True, False]),
        ("a “b\n\nc", [False, True, False]),  # an empty line ends a quotation
        ("a “b.\nc", [False, True, False]),  # and so does a paragraph
        ("a “b\nc” d", [False, True, True, False]),  # but not a wrapped line
        ("it's o'clock", [False] * 4),
    ],
)
def test_quotations(text: str, quoted: list[bool]) -> None:
    assert flagged(text, QUOTED) == quoted


def test_a_quotation_that_is_never_closed_ends_by_itself() -> None:
    quoted = flagged('"' + "word " * 500, QUOTED)
    assert quoted == [True] * (MAX_QUOTED_WORDS + 1) + [False] * (499 - MAX_QUOTED_WORDS)


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("One two. Three four", [1, 0, 1, 0]),
        ("One two! Three? Four", [1, 0, 1, 1]),
        ("Met Mr. Smith of the U.S. Navy", [1, 0, 0, 0, 0, 0, 0, 0]),
        ("One two\nthree", [1, 0, 0]),
        ("One two\n\nthree", [1, 0, 1]),
        ("One two.\nthree", [1, 0, 1]),
        ("It rose 3.5 points", [1, 0, 0, 0]),
        ("東京。大阪", [1, 1]),
    ],
)
def test_sentence_starts(text: str, starts: list[int]) -> None:
    assert flagged(text, STARTS_SENTENCE) == [bool(start) for start in starts]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("The mayor Jane Doe left", [0, 0, 1, 1, 0]),
        ("Doe left. Doe came", [0, 0, 0, 0]),  # a sentence begins with a capital anyway
        ("said Élodie and Šimić", [0, 1, 0, 1]),
        ("on May 5", [0, 1, 0]),
    ],
)
def test_names_are_capitals_inside_a_sentence(text: str, names: list[int]) -> None:
    assert flagged(text, NAME) == [bool(name) for name in names]


def test_words_of_the_title_are_flagged_and_the_first_of_the_text_begins_a_sentence() -> None:
    assert flagged("body text", IN_TITLE, title="Two words") == [True, True, False, False]
    assert flagged("body text", STARTS_SENTENCE, title="Two words") == [True, False, True, False]


def test_an_open_quotation_in_the_title_stays_there() -> None:
    assert flagged("body", QUOTED, title="“open") == [True, False]


def test_flags_do_not_change_which_word_it_is() -> None:
    plain, quoted = read("nine lives")[1], read("Some “lives")[1]
    assert plain.flags != quoted.flags
    assert (plain.hash, plain.level) == (quoted.hash, quoted.level)


# --- weights


def test_common_words_are_left_out_and_rare_ones_count_more() -> None:
    def levels(text: str) -> list[int]:
        return [word.level for word in read(text, sketcher=Sketcher(default_table()))]

    assert levels("the of and is with der die und le les") == []
    assert levels("government hydrofluorosilicate") == sorted(levels("government hydrofluorosilicate"))
    assert levels("hydrofluorosilicate") == [4]


def test_a_sentence_start_moves_to_the_first_word_that_is_kept() -> None:
    words = read("The Hydrofluorosilicate leaked.", sketcher=Sketcher(default_table()))
    assert words[0].flags & STARTS_SENTENCE


# --- furniture


@pytest.mark.parametrize(
    "furniture",
    [
        "Read more: how the council voted",
        "READ MORE how the council voted",
        "Sign up for our daily newsletter",
        "(Reporting by Jane Doe; Editing by John Public)",
        "© Copyright 2026",
        "Lesen Sie auch den Bericht",
        "À lire aussi : le conseil",
        "PUBLICITÉ",
    ],
)
@pytest.mark.parametrize(
    "form", ["First line.\n\n{}\n\nlast line", "{}\n\nFirst line.\nlast line", "First line.\nlast line.\n{}"]
)
def test_furniture_lines_are_left_out(furniture: str, form: str) -> None:
    assert hashes(form.format(furniture)) == of("first", "line", "last", "line")


@pytest.mark.parametrize(
    "line",
    [
        "Read more: " + "word " * MAX_FURNITURE_WORDS,  # too long for furniture
        "They read more than before",
        "Copyrighted works",
        "Reading more",
    ],
)
def test_prose_that_resembles_furniture_stays(line: str) -> None:
    assert len(hashes(f"First line.\n\n{line}\n\nlast line")) == 4 + len(line.replace(":", "").split())


def test_a_wrapped_line_is_no_furniture() -> None:
    assert len(hashes("The council decided to\nread more about it")) == 8


def test_phrases_of_the_set_are_found_with_accents_case_and_punctuation() -> None:
    sketcher = Sketcher(build_table({}), phrase_set(["lire aussi"]))
    assert read("“LIRE, aussí” : le conseil", sketcher=sketcher) == []


# --- bounds


def test_a_text_is_read_up_to_its_cap() -> None:
    tokens, ends = SKETCHER.tokens(
        [Article("a", " ".join(f"word{n}" for n in range(5000))), Article("b", "next one")]
    )
    assert ends.tolist() == [MAX_TOKENS, MAX_TOKENS + 2]
    assert (tokens >> 8).tolist()[-2:] == of("next", "one")
    assert (tokens >> 8).tolist()[:2] == of("word0", "word1")


def test_a_batch_gives_each_article_the_tokens_it_has_alone(engine: Engine) -> None:
    texts = [Article(str(n), text, text[:20].strip("\0")) for n, text in enumerate(HOSTILE)]
    tokens, ends = engine.sketcher.tokens(texts)
    for article, (first, last) in zip(texts, pairwise([0, *ends.tolist()]), strict=True):
        alone, _ = engine.sketcher.tokens([article])
        assert tokens[first:last].tolist() == alone.tolist(), article.text[:40]


def test_an_empty_batch_has_no_tokens(engine: Engine) -> None:
    tokens, ends = engine.sketcher.tokens([])
    assert len(tokens) == len(ends) == 0


# --- the compiled kernel against the same function interpreted

needs_numba = pytest.mark.skipif(not COMPILED, reason="without numba there is nothing to compare")


def run_kernel(
    function: Any, texts: list[str], table: npt.NDArray[np.uint32]
) -> tuple[Tokens, npt.NDArray[np.int64]]:
    """Call the kernel with raw texts, each of which serves as title and body."""
    pieces, starts, titles, length = [], [0], [], 0
    for text in texts:
        content = text.encode("utf-8", "replace")
        pieces.append(content)
        titles.append(length + len(content) // 2)
        length += len(content)
        starts.append(length)
    buffer = np.frombuffer(b"".join(pieces) + bytes(PADDING_BYTES), np.uint8)
    tokens = np.zeros(min(2 * length + len(texts), MAX_TOKENS * len(texts)) + 1, np.uint32)
    ends = np.zeros(len(texts), np.int64)
    points = code_points()
    function(
        buffer,
        np.array(starts, np.int64),
        np.array(titles, np.int64),
        points.rows,
        points.expansions,
        table,
        recent_words(),
        default_furniture(),
        tokens,
        ends,
    )
    return tokens[: int(ends[-1])], ends


def assert_same_interpreted(monkeypatch: pytest.MonkeyPatch, texts: list[str]) -> None:
    """Run the kernel both ways and compare every bit."""
    compiled, compiled_ends = run_kernel(tokenize, texts, default_table().slots)
    with monkeypatch.context() as patched:
        for module, name in (
            (tokenizer, "fmix32"),
            (tokenizer, "fnv_step"),
            (tokenizer, "level_of_number"),
            (tokenizer, "weigh"),
            (weights, "level_of_word"),
        ):
            patched.setattr(module, name, cast("Any", getattr(module, name)).py_func)
        interpreted, ends = run_kernel(cast("Any", tokenize).py_func, texts, default_table().slots)
    assert compiled_ends.tolist() == ends.tolist()
    assert compiled.tolist() == interpreted.tolist()


@needs_numba
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_compiled_equals_interpreted_on_hostile_texts(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert_same_interpreted(monkeypatch, [text[:30_000]])


@needs_numba
@pytest.mark.news
def test_compiled_equals_interpreted_on_news_in_many_languages(
    monkeypatch: pytest.MonkeyPatch, news: News
) -> None:
    records = news("rewordings_wmt")[::13] + news("background_multinews", 60) + news("reuters_stream", 100)
    assert len(records) > 300
    texts = [article_from_news(record).text[:3000] for record in records]
    for first in range(0, len(texts), 50):
        assert_same_interpreted(monkeypatch, texts[first : first + 50])


@needs_numba
@settings(max_examples=300, deadline=None)
@given(any_text)
def test_compiled_equals_interpreted_on_any_text(text: str) -> None:
    with pytest.MonkeyPatch.context() as patched:
        assert_same_interpreted(patched, [text, text[::-1]])


def test_the_hash_of_a_word_is_that_of_its_characters() -> None:
    assert word_hash("ab") != word_hash("ba")
    assert 0 <= fnv_step(0xFFFFFFFF, 0x10FFFF) <= 0xFFFFFFFF
