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


def test_both_folders_are_needed(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["migrate", "--state", str(tmp_path)])
    assert isinstance(result.exception, SettingsError)
