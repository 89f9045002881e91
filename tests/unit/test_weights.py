"""A term table gives words their levels, and a damaged one is refused."""

from itertools import islice
from math import log10
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import SettingsError
from pipeline.weights import (
    DEFAULT_EDGES,
    NUMBER_LEVEL,
    TOP_WORD_LEVEL,
    TermTable,
    build_table,
    default_table,
    level_of_number,
)
from pipeline.wordlists import folded_runs, merged_frequencies

FREQUENCIES = {
    "the": 0.05,
    "said": 10**-3.3,
    "house": 10**-3.5,
    "budget": 10**-4.0,
    "levy": 10**-4.5,
    "quay": 1e-6,
}


def test_rarer_words_have_higher_levels() -> None:
    table = build_table(FREQUENCIES)
    assert {word: table.level(word) for word in FREQUENCIES} == {
        "the": 0,
        "said": 0,
        "house": 1,
        "budget": 2,
        "levy": 3,
        "quay": 4,
    }
    assert table.level("unheardof") == TOP_WORD_LEVEL
    assert table.terms == 5  # the top level needs no place


def test_a_word_without_frequency_is_rare() -> None:
    assert build_table({"never": 0.0}).level("never") == TOP_WORD_LEVEL


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=6), st.floats(1e-9, 1), max_size=60
    )
)
def test_every_word_of_a_table_is_found(frequencies: dict[str, float]) -> None:
    table = build_table(frequencies)
    for word, frequency in frequencies.items():
        assert table.level(word) == sum(-log10(frequency) >= edge for edge in DEFAULT_EDGES)


def test_a_crowded_table_stays_half_empty() -> None:
    words = {f"word{n}": 0.01 for n in range(5000)}
    table = build_table(words)
    assert len(table.slots) >= 2 * table.terms
    assert {table.level(word) for word in words} == {0}


def test_a_table_survives_its_file(tmp_path: Path) -> None:
    table = build_table(FREQUENCIES)
    table.save(tmp_path / "t.terms")
    again = TermTable.load(tmp_path / "t.terms")
    assert (again.digest, again.terms) == (table.digest, table.terms)
    assert again.level("budget") == 2


def test_other_weights_have_another_digest() -> None:
    assert build_table(FREQUENCIES).digest != build_table(FREQUENCIES | {"quay": 0.1}).digest


@pytest.mark.parametrize("length", [0, 1, 23, 24, 40, -1])
def test_a_file_that_is_cut_short_is_refused(tmp_path: Path, length: int) -> None:
    path = tmp_path / "t.terms"
    build_table(FREQUENCIES).save(path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(SettingsError, match="samewire weights"):
        TermTable.load(path)


def test_a_flipped_byte_is_refused_or_changes_no_level(tmp_path: Path) -> None:
    path = tmp_path / "t.terms"
    table = build_table(FREQUENCIES)
    table.save(path)
    content = path.read_bytes()
    refused = 0
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x41]) + content[at + 1 :])
        try:
            assert TermTable.load(path).digest == table.digest
        except SettingsError:
            refused += 1
    assert refused > 0.9 * len(content)


@pytest.mark.parametrize("content", [b"not a table" * 10, b"SWTERMS1" + b"\xff" * 16, b"\0" * 100])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.terms"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"t\.terms"):
        TermTable.load(path)


def test_a_missing_file_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"gone\.terms"):
        TermTable.load(tmp_path / "gone.terms")


@pytest.mark.parametrize(
    ("digits", "letters", "leading", "level"),
    [
        (1, False, 7, 1),
        (2, False, 17, 4),
        (3, False, 41, NUMBER_LEVEL),
        (4, False, 19, 2),
        (4, False, 20, 2),
        (4, False, 21, NUMBER_LEVEL),
        (6, False, 20, NUMBER_LEVEL),
        (1, True, 3, 2),
        (3, True, 74, 4),
    ],
)
def test_figures_count_by_how_much_they_tell(digits: int, letters: bool, leading: int, level: int) -> None:
    assert level_of_number(digits, letters, leading) == level


def test_the_default_table_is_what_its_source_makes() -> None:
    pytest.importorskip("wordfreq", reason="wordfreq (extra: weights) is not installed")
    assert build_table(merged_frequencies()).digest == default_table().digest


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "hr", "ru", "ar", "ko"])
def test_the_default_table_knows_the_common_words_of_a_language(language: str) -> None:
    wordfreq = pytest.importorskip("wordfreq", reason="wordfreq (extra: weights) is not installed")
    table = default_table()
    frequencies = wordfreq.get_frequency_dict(language, "best")
    checked = 0
    for word, frequency in islice(frequencies.items(), 3000):
        runs = [run for run, spaceless in folded_runs(word) if not spaceless]
        if runs != [word.casefold()] or runs[0][0].isdigit():
            continue
        # it may be more common in another language, never rarer than in its own
        assert table.level(runs[0]) <= sum(-log10(frequency) >= edge for edge in DEFAULT_EDGES), word
        checked += 1
    assert checked > 500


@pytest.mark.parametrize("pair", ["中国", "日本", "した", "いる", "一个"])
def test_the_default_table_knows_common_pairs(pair: str) -> None:
    assert default_table().level(pair) < TOP_WORD_LEVEL


def test_the_default_table_leaves_rare_names_at_the_top() -> None:
    assert {default_table().level(word) for word in ("skarvik", "velmora", "halvarsson")} == {TOP_WORD_LEVEL}
