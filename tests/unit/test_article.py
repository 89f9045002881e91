"""A line of input is an article, or it is rejected for one of the published reasons."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.article import (
    LINE_ALLOWANCE,
    REASONS,
    Article,
    Rejected,
    parse_line,
)
from pipeline.dates import format_date, parse_date

LIMIT = 2048


def line(**fields: Any) -> bytes:
    """A line with valid id and text, unless told otherwise; ``...`` leaves a field out."""
    record = {"id": "a1", "text": "Some text."} | fields
    return orjson.dumps({key: value for key, value in record.items() if value is not ...})


def reason(content: bytes, limit: int = LIMIT) -> str:
    """Why a line is rejected."""
    with pytest.raises(Rejected) as rejected:
        parse_line(content, limit)
    assert rejected.value.reason in REASONS
    assert rejected.value.detail
    return rejected.value.reason


def test_all_fields_arrive() -> None:
    article = parse_line(
        line(
            title="T",
            published_at="2026-03-10T06:20:25+01:00",
            source="S",
            lang="de",
            url="https://example.org",
        )
    )
    assert article == Article(
        "a1", "Some text.", "T", 1_773_120_025_000, source="S", lang="de", url="https://example.org"
    )


def test_only_id_and_text_are_required() -> None:
    assert parse_line(line()) == Article("a1", "Some text.")


def test_unknown_fields_are_ignored_whatever_they_hold() -> None:
    assert parse_line(line(extra={"deep": [1, None, {"a": "\0"}]}, ID=7)) == Article("a1", "Some text.")


@pytest.mark.parametrize("field", ["title", "published_at", "source", "lang", "url"])
def test_null_stands_for_a_missing_optional_field(field: str) -> None:
    assert parse_line(line(**{field: None})) == Article("a1", "Some text.")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"id": "a", "text": "b"',
        b'{"id": "a", "text": "b"} trailing',
        b"{'id': 'a'}",
        b"[]",
        b'[{"id": "a", "text": "b"}]',
        b"7",
        b"null",
        b"true",
        b'"text"',
        b"NaN",
        b'{"id": "a", "text": "raw \0 character"}',
        b'{"id": "a", "text": "raw \n line end"}',
        b'{"id": "a", "text": "lone \\ud800 surrogate"}',
        b'{"id": "a\\udfff", "text": "b"}',
        b"\xef\xbb\xbf[]",
        b"[" * 100_000,
        b'{"id": "a", "text": "b", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"x":' * 100_000 + b"1" + b"}" * 100_000,
    ],
)
def test_what_is_no_json_object_is_malformed(content: bytes) -> None:
    assert reason(content, 1 << 20) == "malformed"


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe",
        b'{"id": "a", "text": "caf\xe9"}',
        b'{"id": "a", "text": "\xed\xa0\x80"}',
        b'{"id":"\xc0\x80"}',
    ],
    ids=["utf-16 mark", "latin-1", "encoded surrogate", "overlong nul"],
)
def test_what_is_not_utf8_says_so(content: bytes) -> None:
    assert reason(content) == "invalid_utf8"


@pytest.mark.parametrize("value", [..., None, "", " ", "\t", "\u3000"])
def test_a_missing_empty_or_blank_id(value: Any) -> None:
    assert reason(line(id=value)) == "missing_id"


@pytest.mark.parametrize("value", [..., None, "", " \n\t", "\u2028\u3000"])
def test_a_missing_empty_or_blank_text(value: Any) -> None:
    assert reason(line(text=value)) == "missing_text"


@pytest.mark.parametrize("field", ["id", "text", "title", "published_at", "source", "lang", "url"])
@pytest.mark.parametrize("value", [0, 7, 1.5, False, True, [], ["a"], {}, {"a": "b"}])
def test_a_field_of_another_type_than_string(field: str, value: Any) -> None:
    assert reason(line(**{field: value})) == "wrong_type"


@pytest.mark.parametrize("value", ["a\nb", "a\tb", "a\x7f", "a\x85b", "a\u2028b", "x" * 513])
def test_an_id_that_could_not_be_printed_in_a_line(value: str) -> None:
    assert reason(line(id=value)) == "invalid_id"


@pytest.mark.parametrize("value", ["x" * 512, "urn:newsml:2026/3#ä", "7", "two words"])
def test_an_id_may_be_any_printable_name_of_512_characters(value: str) -> None:
    assert parse_line(line(id=value)).id == value


@pytest.mark.parametrize("field", ["id", "title", "text"])
def test_an_escaped_nul_character(field: str) -> None:
    assert reason(line(**{field: "a\0b"})) == "nul"


def test_the_limit_counts_bytes_of_the_text_and_not_characters() -> None:
    assert parse_line(line(text="é" * (LIMIT // 2)), LIMIT).text == "é" * (LIMIT // 2)
    assert reason(line(text="é" * (LIMIT // 2) + "a")) == "too_large"
    assert reason(line(text="漢" * LIMIT)) == "too_large"


def test_escapes_in_the_line_do_not_count() -> None:
    escaped = b'{"id": "a", "text": "' + b"\\u0041" * LIMIT + b'"}'
    with pytest.raises(Rejected, match="line has"):
        parse_line(escaped, LIMIT)
    assert parse_line(escaped, LIMIT + 100).text == "A" * LIMIT


def test_a_line_far_beyond_the_limit_is_not_even_parsed() -> None:
    assert reason(b"{" * (LINE_ALLOWANCE * LIMIT + 1)) == "too_large"


def test_overlong_other_fields_are_cut_because_the_article_is_still_good() -> None:
    article = parse_line(line(source="s" * 5000, url="u" * 5000, title="t" * 9000), 8192)
    assert len(article.source) == len(article.url) == 4096
    assert len(article.title) == 8192


MIDDAY = 1_773_144_000_000  # 2026-03-10T12:00:00Z


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-03-10T12:00:00Z", MIDDAY),
        ("2026-03-10t12:00:00z", MIDDAY),
        ("2026-03-10 12:00:00Z", MIDDAY),
        ("2026-03-10 12:00:00 Z", MIDDAY),
        (" 2026-03-10T12:00:00Z\n", MIDDAY),
        ("2026-03-10T12:00:00.000Z", MIDDAY),
        ("2026-03-10T12:00:00.5Z", MIDDAY + 500),
        ("2026-03-10T12:00:00,25Z", MIDDAY + 250),
        ("2026-03-10T12:00:00.123456789Z", MIDDAY + 123),
        ("2026-03-10T13:30:00+01:30", MIDDAY),
        ("2026-03-10T13:30:00+0130", MIDDAY),
        ("2026-03-10T00:00:00-12:00", MIDDAY),
        ("2026-03-11T11:59:00+23:59", MIDDAY),
        ("2026-03-10T12:00:00-00:00", MIDDAY),
        ("2026-03-10", MIDDAY - 43_200_000),
        ("2026-03-10T11:59:60Z", MIDDAY),
        ("2024-02-29", 1_709_164_800_000),
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.999Z", -1),
        ("0001-01-01", -62_135_596_800_000),
    ],
)
def test_dates_of_rfc_3339_and_their_common_variants(written: str, expected: int) -> None:
    assert parse_date(written) == expected
    assert parse_line(line(published_at=written)).published_ms == expected


@pytest.mark.parametrize(
    "written",
    [
        " ",
        "yesterday",
        "2026",
        "2026-03",
        "20260310",
        "2026-3-10",
        "2026-13-01",
        "2026-00-10",
        "2026-02-29",
        "2026-04-31",
        "0000-01-01",
        "10000-01-01",
        "2026-03-10T12:00:00",
        "2026-03-10T12:00Z",
        "2026-03-10T24:00:00Z",
        "2026-03-10T12:60:00Z",
        "2026-03-10T12:00:61Z",
        "2026-03-10T12:00:00+24:00",
        "2026-03-10T12:00:00+01:60",
        "2026-03-10T12:00:00+1",
        "2026-03-10T12:00:00.Z",
        "2026-03-10T12:00:00.1234567890Z",
        "2026-03-10T12:00:00ZZ",
        "２０２６-03-10",
        "٢٠٢٦-03-10",
        "Tue, 10 Mar 2026 12:00:00 GMT",
        "1773144000",
        "-2026-03-10",
        "0001-01-01T00:00:00+00:01",  # before the year 1 in UTC
        "9999-12-31T23:59:59-00:01",  # after the year 9999 in UTC
        "9999-12-31T23:59:60Z",
        "2" * 10_000,
    ],
)
def test_other_dates_are_rejected(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_date(written)
    assert reason(line(published_at=written), 1 << 20) == "invalid_date"


def test_an_empty_date_is_none() -> None:
    assert parse_line(line(published_at="")).published_ms is None


@given(st.integers(parse_date("0001-01-01"), parse_date("9999-12-31T23:59:59.999Z")))
def test_what_is_formatted_is_read_back(moment: int) -> None:
    assert parse_date(format_date(moment)) == moment


@given(
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)),
    st.integers(-1439, 1439),
)
def test_a_date_means_what_the_standard_library_says(local: datetime, offset_minutes: int) -> None:
    moment = local.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert parse_date(moment.isoformat()) == expected


@given(st.binary(max_size=200))
def test_any_bytes_are_an_article_or_rejected(content: bytes) -> None:
    try:
        outcome = parse_line(content).id
    except Rejected as rejected:
        outcome = REASONS[rejected.reason]
    assert outcome


def test_a_byte_order_mark_at_the_beginning_is_no_damage() -> None:
    assert parse_line(b'\xef\xbb\xbf{"id": "a", "text": "b"}').id == "a"
    with pytest.raises(Rejected, match="malformed"):
        parse_line(b"\xef\xbb\xbf{")


def test_a_kill_needs_nothing_but_its_id() -> None:
    article = parse_line(b'{"id": "a", "kind": "kill", "version": "3", "reason": "wrong", "lang": "de"}')
    assert (article.kill, article.version, article.reason, article.lang) == (True, 3, "wrong", "de")
    assert parse_line(b'{"id": "a", "kind": "kill"}').version == 0
