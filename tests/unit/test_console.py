"""What commands say: progress to people alone, never to a file or a pipe."""

from pathlib import Path

import pytest

from pipeline.errors import OutputError
from workers.console import bar, write_page


def _shown(capsys: pytest.CaptureFixture[str], quiet: bool) -> str:
    with bar("reading", quiet) as moved:
        moved(0, None)
        moved(1, 2)
    found = capsys.readouterr()
    assert found.out == ""
    return found.err


def test_a_terminal_sees_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "reading" in _shown(capsys, quiet=False)
    assert _shown(capsys, quiet=True) == ""


def test_a_pipe_sees_nothing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    assert _shown(capsys, quiet=False) == ""


def test_a_page_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="choose a place"):
        write_page(tmp_path / "no" / "such" / "folder.html", "page")
