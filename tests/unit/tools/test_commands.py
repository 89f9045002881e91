"""The commands as they are typed: outcomes, exit codes and messages."""

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from pipeline.errors import SamewireError
from tests.conftest import SAMPLE
from tests.unit.tools.states import Item, Writer, write_state
from workers.cli import app

COMMANDS = ("explain", "report", "serve", "story", "replay")


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def _refused(*arguments: str | Path) -> str:
    found = _run(*arguments)
    assert isinstance(found.exception, SamewireError), found.output
    return str(found.exception)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples(command: str) -> None:
    found = _run(command, "--help")
    assert found.exit_code == 0
    assert f"samewire {command}" in found.output.split("Example")[1]
    assert "--quiet" in found.output


@pytest.mark.parametrize("command", ["report", "story", "explain"])
def test_an_unusable_state_says_what_to_do(tmp_path: Path, command: str) -> None:
    rest = {"report": ("--html", tmp_path / "x.html"), "story": ("a",), "explain": ("a", "b")}[command]
    assert "holds no samewire state" in _refused(command, *rest, "--state", tmp_path)
    writer = Writer(tmp_path / "empty")
    writer.write([])
    writer.close()
    assert "samewire" in _refused(command, *rest, "--state", tmp_path / "empty")
    assert not (tmp_path / "x.html").exists()


def test_a_state_in_use_can_be_shown(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "state")
    writer.write([Item("a", "a", text="words"), Item("b", "a", 3, "copy", "a", 0.9)])
    found = _run("report", "--state", writer.folder, "--html", tmp_path / "r.html", "--json")
    assert orjson.loads(found.stdout)["articles"] == 2
    assert _run("story", "b", "--state", writer.folder, "--json").exit_code == 0
    writer.write([Item("c", "c")])
    writer.close()


def test_a_state_of_another_engine_is_shown_but_not_explained(tmp_path: Path) -> None:
    state = write_state(tmp_path / "state", [Item("a", "a"), Item("b", "a")])
    assert _run("report", "--state", state, "--html", tmp_path / "r.html", "--quiet").exit_code == 0
    assert "samewire report" in _refused("explain", "a", "b", "--state", state)


def test_explain_from_a_state(sample_state: Path, tmp_path: Path) -> None:
    page = tmp_path / "why.html"
    found = _run("explain", "n-0003", "n-0007", "--state", sample_state, "--json", "--html", page)
    record = orjson.loads(found.stdout)
    assert record["left"]["cluster_id"] == record["right"]["cluster_id"] == "ca8ec46b07bf211ef"
    assert record["chain"][0] == "n-0003"
    assert page.stat().st_size > 5000
    assert _run("explain", "n-0002", "n-0007", "--state", sample_state, "--quiet").stdout.startswith(
        "The same copy"
    )
    assert "nearest" in _refused("explain", "n-0002", "n-00007", "--state", sample_state)


def test_explain_needs_files_or_a_state(tmp_path: Path) -> None:
    assert "add --state DIR" in _refused("explain", tmp_path / "a", "b")


def test_replay_with_a_shorter_window_splits(tmp_path: Path, sample_state: Path) -> None:
    config = tmp_path / "short.toml"
    config.write_text('[window]\nlength = "1h"\n')
    found = _run(
        "replay", "--input", SAMPLE, "--config", config, "--against", sample_state,
        "--output", tmp_path / "try", "--html", tmp_path / "try.html", "--json",
    )  # fmt: skip
    record = orjson.loads(found.stdout.splitlines()[-1])
    assert record["stretch"]["kept"] == record["differences"]["compared"] == 106
    assert record["differences"]["split"]
    assert not record["differences"]["joined"]
    assert (tmp_path / "try" / "articles.jsonl").exists()
    assert "is not empty" in _refused("replay", "--input", SAMPLE, "--output", tmp_path / "try")


def test_replay_of_a_stretch_under_the_same_settings_changes_nothing(tmp_path: Path) -> None:
    found = _run(
        "replay", "--input", SAMPLE, "--from", "2026-03-10", "--to", "2026-03-11T12:00:00Z",
        "--output", tmp_path / "try", "--json",
    )  # fmt: skip
    record = orjson.loads(found.stdout.splitlines()[-1])
    assert 0 < record["stretch"]["kept"] < 106
    assert record["stretch"]["kept"] + record["stretch"]["outside"] == 106
    assert record["differences"]["split"] == record["differences"]["joined"] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--from", "yesterday"), "is no date"),
        (("--from", "1999-01-01", "--to", "1999-02-01"), "widen --from and --to"),
    ],
)
def test_replay_says_what_is_wrong(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    assert message in _refused("replay", "--input", SAMPLE, "--output", tmp_path / "try", *options)
