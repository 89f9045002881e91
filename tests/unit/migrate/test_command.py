"""`samewire migrate` at the command line."""

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from pipeline.errors import SettingsError
from pipeline.weights import build_table
from tests.conftest import SAMPLE
from tests.unit.tools.conftest import sample_state
from workers.cli import app

__all__ = ["sample_state"]


@pytest.fixture
def new_settings(tmp_path: Path) -> Path:
    """Settings of another engine."""
    words = {word.strip('.,"').lower() for line in SAMPLE.read_bytes().splitlines()[:60]
             for word in orjson.loads(line)["text"].split()}  # fmt: skip
    build_table(dict.fromkeys(words, 0.05)).save(tmp_path / "new.terms")
    config = tmp_path / "new.toml"
    config.write_text(f'[engine]\nterms = "{tmp_path / "new.terms"}"\n')
    return config


def test_the_table_names_clusters_and_the_next_step(
    sample_state: Path, tmp_path: Path, new_settings: Path
) -> None:
    arguments = ["migrate", "--state", str(sample_state), "--to", str(tmp_path / "new")]
    result = CliRunner().invoke(app, [*arguments, "--config", str(new_settings)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert "Split: apart now, together before" in said
    assert "106 articles stand in both" in said
    assert "To switch: stop the worker, run this command once more" in said
    result = CliRunner().invoke(app, [*arguments, "--config", str(new_settings), "--json"])
    found = orjson.loads(result.stdout)
    assert found["records"] == 0
    assert found["split"]
    assert set(found["split_pairs"]) == {split["id"] for split in found["split"]}


def test_too_many_differences_are_an_exit_code(
    sample_state: Path, tmp_path: Path, new_settings: Path
) -> None:
    arguments = ["migrate", "--state", str(sample_state), "--to", str(tmp_path / "new"), "--quiet"]
    arguments += ["--config", str(new_settings), "--most-regrouped"]
    assert CliRunner().invoke(app, [*arguments, "0.01"]).exit_code == 23
    assert CliRunner().invoke(app, [*arguments, "1"]).exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--state", "state"],
        ["--to", "new"],
        ["--old-config", "old.toml"],
        ["--old-config", "old.toml", "--config", "config/default.toml", "--state", "state"],
        ["--old-config", "old.toml", "--config", "config/default.toml", "--output", "answers"],
        ["--state", "state", "--to", "new", "--watch"],
        ["--state", "state", "--to", "new", "--since", "2026-03-10"],
        [],
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments: list[str]) -> None:
    assert isinstance(CliRunner().invoke(app, ["migrate", *arguments]).exception, SettingsError)
