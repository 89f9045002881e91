"""Outputs hold what was committed and nothing else."""

import os
from pathlib import Path

import pytest

from pipeline.errors import OutputError
from workers.outputs import STDOUT, Output


@pytest.fixture(params=[True, False], ids=["synced", "unsynced"])
def path(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Path, bool]:
    """A place for an output, and whether to sync it."""
    return tmp_path / "deep" / "er" / "out.jsonl", request.param


def test_lines_are_appended_and_counted(path: tuple[Path, bool]) -> None:
    place, sync = path
    output = Output(str(place), sync)
    output.resume(None)
    output.write([b"one", b"two"])
    output.write([])
    output.write(["ä".encode()])
    output.close()
    assert place.read_bytes() == "one\ntwo\nä\n".encode()
    assert output.length == len(place.read_bytes())


def test_what_was_not_committed_is_cut_off(path: tuple[Path, bool]) -> None:
    place, sync = path
    place.parent.mkdir(parents=True)
    place.write_bytes(b"one\ntwo\nthr")
    output = Output(str(place), sync)
    output.resume(4)
    output.write([b"2"])
    output.close()
    assert place.read_bytes() == b"one\n2\n"


def test_a_file_that_belongs_to_nobody_is_not_touched(tmp_path: Path) -> None:
    place = tmp_path / "out"
    place.write_bytes(b"somebody's\n")
    with pytest.raises(OutputError, match="does not belong to this state; remove it"):
        Output(str(place), True).resume(None)
    assert place.read_bytes() == b"somebody's\n"


def test_a_file_shorter_than_committed_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "out"
    place.write_bytes(b"one\n")
    with pytest.raises(OutputError, match="has 4 bytes where the state says 9"):
        Output(str(place), True).resume(9)


@pytest.mark.parametrize("below", ["", "/out.jsonl"])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    place = f"{tmp_path}/file{below}" if below else str(tmp_path)
    with pytest.raises(OutputError, match=f"output {place}.*can be written"):
        Output(place, True)


def test_a_full_disk_says_what_to_do() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    output = Output("/dev/full", True)
    output.resume(None)
    with pytest.raises(OutputError, match="make room and run the same command again"):
        output.write([b"x"])


def test_a_device_can_be_written_though_it_cannot_be_cut_back() -> None:
    output = Output(os.devnull, True)
    output.resume(None)
    output.write([b"x"])
    output.resume(2)
    output.write([b"y"])
    output.close()


def test_no_output_takes_everything_and_keeps_nothing() -> None:
    output = Output(None, True)
    output.resume(None)
    output.write([b"x"])
    assert (output.key, output.length) == ("", 0)


def test_standard_output_is_not_closed(capfd: pytest.CaptureFixture[str]) -> None:
    output = Output(STDOUT, True)
    output.resume(None)
    output.write([b"x"])
    output.close()
    assert output.key == STDOUT
    assert capfd.readouterr().out == "x\n"


def test_one_file_has_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Output("./a/../out", True).key == Output(str(tmp_path / "out"), True).key
