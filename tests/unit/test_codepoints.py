"""The table of code points folds what looks alike and keeps what is another letter."""

import sys
import unicodedata

import pytest

from pipeline.codepoints import (
    CODE_POINT_MASK,
    EXPANSION_BIT,
    MAX_PARTS,
    ROLE_SHIFT,
    UPPER_BIT,
    Role,
    code_points,
    fold,
    role,
)


def row_of(character: str) -> list[tuple[str, Role]]:
    """What the table says: the folded characters, with their roles."""
    points = code_points()
    row = int(points.rows[ord(character)])
    rows = [row & ~UPPER_BIT]
    if row & EXPANSION_BIT:
        at = row & CODE_POINT_MASK
        rows = points.expansions[at + 1 : at + 1 + int(points.expansions[at])].tolist()
    return [(chr(r & CODE_POINT_MASK), Role(r >> ROLE_SHIFT & 0xF)) for r in rows]


@pytest.mark.parametrize(
    ("character", "folded"),
    [
        ("A", "a"),
        ("É", "e"),
        ("ß", "ss"),
        ("ﬁ", "fi"),
        ("ﬃ", "ffi"),
        ("Ａ", "a"),
        ("７", "7"),
        ("①", "1"),
        ("İ", "i"),
        ("ς", "σ"),
        ("\u0301", ""),
        ("漢", "漢"),
        ("が", "が"),
        ("한", "한"),
        ("ｶ", "カ"),
    ],
)
def test_folding(character: str, folded: str) -> None:
    assert fold(character) == folded
    if folded:
        assert "".join(c for c, _ in row_of(character)) == folded
    else:
        assert row_of(character)[0][1] == Role.NOTHING


@pytest.mark.parametrize(
    ("character", "expected"),
    [
        ("a", Role.LETTER),
        ("я", Role.LETTER),
        ("한", Role.LETTER),
        ("7", Role.DIGIT),
        ("٣", Role.DIGIT),
        ("漢", Role.IDEOGRAPH),
        ("々", Role.IDEOGRAPH),
        ("ー", Role.IDEOGRAPH),
        ("ก", Role.IDEOGRAPH),
        ("𠀀", Role.IDEOGRAPH),
        (".", Role.POINT),
        (",", Role.COMMA),
        ("„", Role.QUOTE),
        ("「", Role.QUOTE),
        ("\n", Role.NEWLINE),
        ("\u2029", Role.NEWLINE),
        ("。", Role.STOP),
        ("\u00ad", Role.NOTHING),
        ("\u200d", Role.NOTHING),
        ("-", Role.SEPARATOR),
        ("€", Role.SEPARATOR),
        (" ", Role.SEPARATOR),
    ],
)
def test_roles(character: str, expected: Role) -> None:
    assert role(character) == expected
    assert row_of(character) == [(character, expected)] or expected == Role.NOTHING


def test_capitals_are_remembered_and_nothing_else() -> None:
    rows = code_points().rows
    upper = {chr(code) for code in range(0x250) if rows[code] & UPPER_BIT}
    assert upper == {chr(code) for code in range(0x250) if unicodedata.category(chr(code)) in ("Lu", "Lt")}


def test_every_assigned_character_is_in_the_table_as_fold_says() -> None:
    for code in range(0, sys.maxunicode + 1, 7):
        character = chr(code)
        if unicodedata.category(character) in ("Cn", "Co", "Cs"):
            continue
        assert "".join(c for c, r in row_of(character) if r != Role.NOTHING or fold(character)) == fold(
            character
        )


def test_no_character_becomes_longer_than_the_kernel_has_room_for() -> None:
    points = code_points()
    at = (points.rows[(points.rows & EXPANSION_BIT) != 0] & CODE_POINT_MASK).tolist()
    assert max(int(points.expansions[a]) for a in at) == MAX_PARTS


def test_the_table_is_the_same_each_time() -> None:
    again = code_points.__wrapped__()
    assert again.digest == code_points().digest
