"""Lines come whole, in order, from where a lost run stopped, whatever holds them."""

import gzip
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest
import zstandard

from pipeline.errors import InputError
from workers.sources import STDIN, Line, Position, Reader

LINES = [b'{"n": %d, "x": "%s"}' % (n, b"y" * (n % 50)) for n in range(2000)]
CONTENT = b"".join(line + b"\n" for line in LINES)


def reader(
    location: Path | str, positions: Mapping[str, Position] | None = None, **options: object
) -> Reader:
    """A reader with a line limit of 1,000 bytes that stops at the end."""
    given = {"follow": False, "max_line_bytes": 1000, "poll_seconds": 0.001, "positions": positions} | options
    return Reader(str(location), **given)  # type: ignore[arg-type]


def read(location: Path | str, positions: Mapping[str, Position] | None = None) -> list[Line]:
    """All lines of a location."""
    return [line for line in reader(location, positions).lines() if line is not None]


def contents(location: Path | str) -> list[bytes]:
    """What the lines of a location hold."""
    return [line.content for line in read(location)]


def written(path: Path, content: bytes) -> Path:
    """Write a file, compressed as its suffix says."""
    if path.suffix == ".gz":
        content = gzip.compress(content)
    elif path.suffix == ".zst":
        content = zstandard.compress(content)
    path.write_bytes(content)
    return path


KINDS = pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.anything"])


@KINDS
def test_a_file_gives_its_lines_with_their_place(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name, CONTENT)
    lines = read(path)
    assert [line.content for line in lines] == LINES
    assert [line.number for line in lines] == list(range(1, 2001))
    assert all(CONTENT[line.offset : line.end] == line.content + b"\n" for line in lines)
    assert {line.source for line in lines} == {str(path.resolve())}


@KINDS
@pytest.mark.parametrize("at", [0, 1, 999, 1999])
def test_a_file_is_read_on_from_a_position(tmp_path: Path, name: str, at: int) -> None:
    path = written(tmp_path / name, CONTENT)
    lines = read(path)
    rest = read(path, {lines[at].source: Position(lines[at].end, lines[at].number)})
    assert rest == lines[at + 1 :]


@KINDS
def test_nothing_is_read_twice(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name, CONTENT)
    last = read(path)[-1]
    assert read(path, {last.source: Position(last.end, last.number)}) == []


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"", []),
        (b"\n\n  \n\t\n", []),
        (b"a", [b"a"]),
        (b"a\nb", [b"a", b"b"]),
        (b"a\n\nb\n", [b"a", b"b"]),
        (b"a\r\nb\r\n", [b"a\r", b"b\r"]),
        (b"\n a \n", [b" a "]),
        ("ä\u2028b\n".encode(), ["ä\u2028b".encode()]),
    ],
)
def test_blank_lines_and_missing_ends(tmp_path: Path, content: bytes, lines: list[bytes]) -> None:
    assert contents(written(tmp_path / "a.jsonl", content)) == lines


def test_blank_lines_count_in_the_line_numbers(tmp_path: Path) -> None:
    assert [line.number for line in read(written(tmp_path / "a", b"\na\n\n\nb\n"))] == [2, 5]


@pytest.mark.parametrize("size", [1001, 3_000_000])
@KINDS
def test_an_overlong_line_is_cut_to_its_beginning_and_the_rest_goes_on(
    tmp_path: Path, name: str, size: int
) -> None:
    long = bytes(97 + n % 26 for n in range(1000)) + b"z" * (size - 1000)
    lines = read(written(tmp_path / name, b"first\n" + long + b"\nlast\n"))
    assert [line.number for line in lines] == [1, 2, 3]
    assert (lines[0].content, lines[2].content) == (b"first", b"last")
    assert (lines[1].offset, lines[1].end) == (6, 6 + size + 1)
    assert lines[1].content == (long[:1000] if lines[1].cut else long)
    assert lines[1].cut == (size > 1 << 20)  # within one read a whole line costs nothing more


def test_an_overlong_line_without_an_end(tmp_path: Path) -> None:
    (line,) = read(written(tmp_path / "a", b"x" * 3_000_000))
    assert (line.cut, line.content, line.end) == (True, b"x" * 1000, 3_000_000)


def test_a_folder_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.jsonl.gz", "c.ndjson.zst", "a.jsonl"):
        written(tmp_path / name, name.encode() + b"\n")
    assert contents(tmp_path) == [b"a.jsonl", b"a.jsonl.gz", b"b.jsonl", b"c.ndjson.zst"]


@pytest.mark.parametrize(
    "name", [".a.jsonl", "a.jsonl.tmp", "a.jsonl.part", "a.jsonl.partial", "a.jsonl.swp", "README.md"]
)
def test_unfinished_and_other_files_of_a_folder_are_left_alone(tmp_path: Path, name: str) -> None:
    written(tmp_path / name, b"no\n")
    (tmp_path / "folder.jsonl").mkdir()
    assert contents(tmp_path) == []


def test_a_folder_is_read_on_from_the_positions_of_its_files(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl", "c.jsonl.gz"):
        written(tmp_path / name, b"1\n2\n3\n")
    positions = {
        str((tmp_path / "a.jsonl").resolve()): Position(6, 3),
        str((tmp_path / "c.jsonl.gz").resolve()): Position(4, 2),
    }
    assert [(Path(line.source).name, line.number) for line in read(tmp_path, positions)] == [
        ("b.jsonl", 1),
        ("b.jsonl", 2),
        ("b.jsonl", 3),
        ("c.jsonl.gz", 3),
    ]


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst"])
@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_a_compressed_file_that_is_cut_short_says_so_after_its_good_lines(
    tmp_path: Path, name: str, share: float
) -> None:
    path = written(tmp_path / name, CONTENT)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    found: list[bytes] = []
    with pytest.raises(InputError, match=r"cannot be read to its end.*repair"):
        found.extend(line.content for line in reader(path).lines() if line is not None)
    assert found == LINES[: len(found)]


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst"])
def test_a_file_that_is_not_compressed_as_its_name_says(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(CONTENT)
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / name)


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst"])
def test_compressed_files_may_have_several_parts(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name, b"1\n2\n")
    path.write_bytes(path.read_bytes() * 3)
    assert contents(path) == [b"1", b"2"] * 3


def test_an_empty_compressed_file_has_no_lines(tmp_path: Path) -> None:
    assert contents(written(tmp_path / "a.gz", b"")) == contents(written(tmp_path / "a.zst", b"")) == []


def test_a_missing_input_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.jsonl does not exist"):
        reader(tmp_path / "gone.jsonl")


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"1\n2\n3")))
    assert [(line.source, line.content) for line in read(STDIN)] == [
        (STDIN, b"1"),
        (STDIN, b"2"),
        (STDIN, b"3"),
    ]


def test_the_size_is_known_for_files_only(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", CONTENT)
    whole = reader(tmp_path)
    assert whole.total_bytes == path.stat().st_size
    assert len(list(whole.lines())) == 2000
    assert whole.bytes_read == path.stat().st_size
    assert reader(path, follow=True).total_bytes is None


def follow(path: Path, steps: list[Callable[[], object]]) -> list[bytes]:
    """Follow a location; take one step whenever nothing more is there; stop after the last."""
    done: list[bytes] = []
    idle = 0
    waiting = iter(steps)
    stopping: list[bool] = []
    for line in reader(path, follow=True, stopped=lambda: bool(stopping)).lines():
        if line is not None:
            done.append(line.content)
            idle = 0
            continue
        idle += 1
        if idle < 3:  # a pause to commit comes before the end of what is there
            continue
        idle = 0
        step = next(waiting, None)
        if step is None:
            stopping.append(True)
        else:
            step()
    return done


def append(path: Path, content: bytes) -> Callable[[], object]:
    """A step that appends to a file."""

    def step() -> None:
        with path.open("ab") as file:
            file.write(content)

    return step


def test_a_followed_file_gives_lines_as_they_are_finished(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", b"1\n2")
    assert follow(path, [append(path, b"2"), append(path, b"2\n3\n"), append(path, b"4\n")]) == [
        b"1",
        b"222",
        b"3",
        b"4",
    ]


def test_a_followed_folder_takes_new_files_and_new_lines(tmp_path: Path) -> None:
    def move() -> None:
        written(tmp_path / "c.jsonl.tmp", b"5\n6\n").rename(tmp_path / "c.jsonl")

    first = written(tmp_path / "b.jsonl", b"1\n")
    steps = [
        append(first, b"2\n"),
        lambda: written(tmp_path / "a.jsonl.gz", b"3\n4\n"),
        move,
        append(first, b"7\n"),
    ]
    assert follow(tmp_path, steps) == [b"1", b"2", b"3", b"4", b"5", b"6", b"7"]
