"""config/default.toml is what the settings say, and nothing else."""

from pathlib import Path

from config.document import default_toml
from config.settings import Settings, load_settings

FILE = Path(__file__).parents[2] / "config" / "default.toml"


def test_the_file_is_generated() -> None:
    assert FILE.read_text() == default_toml(), "run: python -m config.document > config/default.toml"


def test_the_file_sets_nothing_but_defaults() -> None:
    assert load_settings(FILE) == Settings()
