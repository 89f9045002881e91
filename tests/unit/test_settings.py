"""Settings: what wins, and what a mistake is told."""

from datetime import timedelta
from pathlib import Path

import pytest

from config.settings import Section, Settings, known_keys, load_settings, milliseconds
from pipeline.errors import SettingsError
from tests.conftest import ROOT

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of the machine must not reach the tests."""
    import os

    for variable in list(os.environ):
        if variable.upper().startswith("SAMEWIRE_"):
            monkeypatch.delenv(variable)


def written(tmp_path: Path, content: str) -> Path:
    """A settings file."""
    path = tmp_path / "s.toml"
    path.write_text(content)
    return path


def test_defaults() -> None:
    settings = load_settings()
    assert settings == Settings()
    assert settings.window.length == 7 * DAY
    assert settings.input.max_text_bytes == 1 << 20
    assert settings.metrics.port is None


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, '[window]\nlength = "12h"\n[state]\nsync = false\n'))
    assert settings.window.length == DAY / 2
    assert settings.window.max_lateness == Settings().window.max_lateness
    assert settings.state.sync is False
    assert settings.input == Settings().input


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, "[metrics]\nport = 1\nhost = '0.0.0.0'\n[input]\nbatch_articles = 5\n")
    assert load_settings(path).metrics.port == 1
    monkeypatch.setenv("SAMEWIRE_METRICS__PORT", "2")
    assert load_settings(path).metrics.port == 2
    settings = load_settings(path, {"metrics": {"port": 3}})
    assert (settings.metrics.port, settings.metrics.host) == (3, "0.0.0.0")
    assert settings.input.batch_articles == 5


def test_the_environment_reaches_each_kind_of_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAMEWIRE_WINDOW__LENGTH", "30d")
    monkeypatch.setenv("SAMEWIRE_STATE__SYNC", "false")
    monkeypatch.setenv("SAMEWIRE_ENGINE__TERMS", "my.terms")
    monkeypatch.setenv("samewire_log__level", "debug")
    settings = load_settings()
    assert settings.window.length == 30 * DAY
    assert settings.state.sync is False
    assert settings.engine.terms == Path("my.terms")
    assert settings.log.level == "debug"


@pytest.mark.parametrize(
    ("written_as", "expected"),
    [
        ("500ms", 500),
        ("30s", 30_000),
        ("1.5s", 1500),
        ("10m", 600_000),
        ("12 h", 43_200_000),
        (" 7d ", 604_800_000),
    ],
)
def test_durations(tmp_path: Path, written_as: str, expected: int) -> None:
    settings = load_settings(written(tmp_path, f'[window]\nlength = "{written_as}"'))
    assert milliseconds(settings.window.length) == expected


@pytest.mark.parametrize("value", ['"7 days"', '"soon"', '""', "7", '"-1d"', '"P7D"', '"1h30m"', "true"])
def test_what_is_no_duration_is_told_how_to_write_one(tmp_path: Path, value: str) -> None:
    with pytest.raises(
        SettingsError, match=r"setting window\.length: .*for example 500ms.*config/default\.toml"
    ):
        load_settings(written(tmp_path, f"[window]\nlength = {value}"))


@pytest.mark.parametrize(
    ("content", "key"),
    [
        ("[window]\nlength = '0s'", "window.length"),
        ("[window]\nlength = '400d'", "window.length"),
        ("[window]\nmax_articles = 0", "window.max_articles"),
        ("[input]\nbatch_articles = 'many'", "input.batch_articles"),
        ("[metrics]\nport = 70000", "metrics.port"),
        ("[log]\nlevel = 'loud'", "log.level"),
        ("input = 3", "input"),
    ],
)
def test_a_bad_value_names_its_setting(tmp_path: Path, content: str, key: str) -> None:
    with pytest.raises(SettingsError, match=f"^setting {key}: "):
        load_settings(written(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "[window]\nlenght = '1d'",
            r"unknown setting window\.lenght \(.*s\.toml\); did you mean window\.length\?",
        ),
        ("[windows]\nlength = '1d'", r"unknown setting windows .*did you mean window"),
        ("[input]\nmax_text = 5", r"did you mean input\.max_text_bytes\?"),
        ("zzz = 1", r"unknown setting zzz .*known sections are engine, input, "),
    ],
)
def test_an_unknown_key_of_a_file_names_the_nearest(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load_settings(written(tmp_path, content))


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        (
            "SAMEWIRE_WINDOW__LENGHT",
            r"unknown setting window\.lenght .*SAMEWIRE_WINDOW__LENGHT.*window\.length\?",
        ),
        ("SAMEWIRE_WINDOW_LENGTH", r"did you mean window\.length\?"),
        ("SAMEWIRE_LENGTH", r"unknown setting length"),
    ],
)
def test_an_unknown_variable_names_the_nearest(
    monkeypatch: pytest.MonkeyPatch, variable: str, message: str
) -> None:
    monkeypatch.setenv(variable, "1d")
    with pytest.raises(SettingsError, match=message):
        load_settings()


def test_a_bad_value_of_the_command_line_names_its_setting() -> None:
    with pytest.raises(SettingsError, match=r"^setting metrics\.port: "):
        load_settings(None, {"metrics": {"port": -1}})


@pytest.mark.parametrize("content", ["[window", "length = ", "\udcff"])
def test_a_file_that_is_no_toml(tmp_path: Path, content: str) -> None:
    path = tmp_path / "s.toml"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(SettingsError, match=r"s\.toml is not TOML: .*default\.toml"):
        load_settings(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"gone\.toml: No such file.*--config"):
        load_settings(tmp_path / "gone.toml")


def test_settings_do_not_change_after_they_were_built() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().window.length = DAY


def test_what_is_shown_can_be_read_back() -> None:
    shown = Settings(window={"length": "36h", "max_lateness": "90m"}).model_dump(mode="json")  # type: ignore[arg-type]
    assert shown["window"]["length"] == "36h"
    assert Settings(**shown).model_dump(mode="json") == shown


def test_every_setting_says_what_it_means() -> None:
    for section in Section.__subclasses__():
        for name, field in section.model_fields.items():
            assert field.description, name


def test_the_commented_defaults_are_the_defaults() -> None:
    path = ROOT / "config" / "default.toml"
    assert load_settings(path) == Settings()
    content = path.read_text()
    for key in (key for key in known_keys() if not key.startswith("kafka.")):
        assert key.split(".")[-1] in content, key
