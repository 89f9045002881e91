"""A stretch of a stream as lines: what is in it, and at what time."""

from pathlib import Path

import orjson
import pytest

from pipeline.dates import parse_date
from pipeline.errors import InputError
from workers.tools.stretch import as_line, cut

ARRIVED_MS = parse_date("2026-03-10T12:00:00Z")
SKEW_MS = 600_000


def line(published: str | None) -> bytes:
    return orjson.dumps({"id": "a", "text": "words", "published_at": published})


@pytest.mark.parametrize(
    ("published", "placed"),
    [
        ("2026-03-10T11:00:00Z", "2026-03-10T11:00:00Z"),
        ("2026-03-10T12:09:00Z", "2026-03-10T12:09:00Z"),
        ("2026-03-10T12:11:00Z", "2026-03-10T12:00:00Z"),
        (None, "2026-03-10T12:00:00Z"),
        ("", "2026-03-10T12:00:00Z"),
        ("yesterday", "yesterday"),
    ],
)
def test_a_record_is_placed_where_the_deployment_placed_it(published: str | None, placed: str) -> None:
    assert orjson.loads(as_line(line(published), ARRIVED_MS, SKEW_MS))["published_at"] == placed


def test_a_record_is_one_line_whatever_it_holds() -> None:
    usual = line("2026-03-10")
    assert as_line(usual, ARRIVED_MS, SKEW_MS) is usual
    pretty = orjson.dumps(orjson.loads(usual), option=orjson.OPT_INDENT_2)
    assert as_line(pretty, ARRIVED_MS, SKEW_MS) == usual
    assert as_line(b"no\njson", ARRIVED_MS, SKEW_MS) == b"no json"
    assert as_line(b"[1,\n2]", ARRIVED_MS, SKEW_MS) == b"[1,2]"
    assert as_line(b"", ARRIVED_MS, SKEW_MS) == b""


def test_what_leaves_nothing_leaves_no_file(tmp_path: Path) -> None:
    target = tmp_path / "stretch.jsonl"
    with pytest.raises(InputError, match="widen --from and --to"):
        cut([line("2026-03-10")], target, ARRIVED_MS, None, 1000)
    with pytest.raises(InputError, match="holds no articles"):
        cut([], target, None, None, 1000)
    assert not target.exists()
    assert cut([line("2026-03-11"), b"{", line(None)], target, ARRIVED_MS, None, 1000).unusable == 1
