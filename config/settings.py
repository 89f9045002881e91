"""samewire's settings: typed, frozen, built once at the edge.

Later sources win: the defaults here, a TOML file, the environment
(``SAMEWIRE_WINDOW__LENGTH=30d``), the command line. Unknown keys are errors that
name the nearest known one.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config.kafka import KafkaSettings
from pipeline.errors import SettingsError

ENVIRONMENT_PREFIX = "SAMEWIRE_"
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")


def _duration(value: Any) -> Any:
    if isinstance(value, str):
        found = _DURATION.fullmatch(value.strip())
        if found is None:
            raise ValueError(f"{value!r} is no duration; write for example 500ms, 30s, 10m, 12h or 7d")
        return timedelta(seconds=float(found[1]) * _UNITS[found[2]])
    if isinstance(value, timedelta):
        return value
    raise ValueError("a duration is a string with a unit, for example 500ms, 30s, 10m, 12h or 7d")


def _show_duration(value: timedelta) -> str:
    seconds = value.total_seconds()
    for unit in ("d", "h", "m", "s"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds / _UNITS[unit]:.0f}{unit}"
    return f"{seconds * 1000:.0f}ms"


Duration = Annotated[timedelta, BeforeValidator(_duration), PlainSerializer(_show_duration, return_type=str)]
_DAY = timedelta(days=1)


def milliseconds(value: timedelta) -> int:
    """Return a duration in whole milliseconds."""
    return value // timedelta(milliseconds=1)


class Section(BaseModel):
    """Base of the groups of settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class InputSettings(Section):
    """What is accepted and how it is read."""

    max_text_bytes: int = Field(
        default=1 << 20,
        ge=1024,
        le=1 << 26,
        description="Longest text, in bytes of UTF-8; longer ones are dead letters.",
    )
    batch_articles: int = Field(
        default=1024, ge=1, le=65536, description="Most articles in a batch; a batch is one commit."
    )
    batch_bytes: int = Field(
        default=8 << 20, ge=1 << 16, le=1 << 28, description="Most input bytes in a batch."
    )
    poll_interval: Duration = Field(
        default=timedelta(milliseconds=200), description="How often a followed file or folder is looked at."
    )


class WindowSettings(Section):
    """How long articles can be linked and how many are kept."""

    length: Duration = Field(
        default=7 * _DAY,
        gt=timedelta(0),
        le=366 * _DAY,
        description="Greatest distance in published_at between linked articles.",
    )
    max_lateness: Duration = Field(
        default=2 * _DAY,
        ge=timedelta(0),
        le=366 * _DAY,
        description="How far behind the newest article one may arrive and still be linked, in a live stream. A finite input has no such limit.",
    )
    max_articles: int = Field(
        default=1_000_000,
        ge=1000,
        le=1 << 28,
        description="Most articles kept; about 3.5 KB of memory each. When full, the oldest leave early, which is counted.",
    )
    max_clock_skew: Duration = Field(
        default=timedelta(minutes=10),
        ge=timedelta(0),
        le=_DAY,
        description="published_at further ahead of the clock than this is set back to it, which is counted.",
    )


class StateSettings(Section):
    """The embedded run's state folder."""

    segment_bytes: int = Field(
        default=64 << 20,
        ge=1 << 16,
        le=1 << 32,
        description="Size at which a new journal file is begun; files of articles that left the window are deleted.",
    )
    keep_texts: bool = Field(
        default=True,
        description="Keep the articles' texts in the state (compressed, about 1.5 KB each), so that `explain` and `report` can show them.",
    )
    sync: bool = Field(
        default=True,
        description="Wait for the disk at each commit. Off, a power failure (not a kill) can cost the last seconds.",
    )


class OutputSettings(Section):
    """What is written."""

    repeated: Literal["repeat", "skip"] = Field(
        default="repeat",
        description="An article whose id was seen before gets its earlier answer again (marked repeated), or no line.",
    )


class LifeSettings(Section):
    """Corrections and kills."""

    name_copies: bool = Field(
        default=True,
        description="When a story is killed, name the articles that derive from it in a `killed` event about its cluster, so that readers can pull copies.",
    )
    obey_advisories: bool = Field(
        default=False,
        description="Treat a withdrawal in prose (title or first lines: KILL, WITHDRAWN, ...) as a kill of the id that it comes under. Off, it is only flagged.",
    )


class EngineSettings(Section):
    """Replacements for the built-in tables; each changes the engine fingerprint."""

    terms: Path | None = Field(
        default=None, description="A term table made by `samewire weights`; none: the built-in one."
    )


class MetricsSettings(Section):
    """The HTTP endpoint for Prometheus and health checks."""

    host: str = Field(
        default="127.0.0.1", description="Address to listen on; loopback unless told otherwise."
    )
    port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Port of /metrics, /healthz and /readyz; none: no endpoint; 0: any free port.",
    )


class LogSettings(Section):
    """Structured logs on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe events that are logged."
    )
    format: Literal["auto", "json", "console"] = Field(
        default="auto", description="auto: console on a terminal, JSON otherwise."
    )


class Settings(BaseSettings):
    """All settings."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter="__",
        nested_model_default_partial_update=True,
    )

    input: InputSettings = InputSettings()
    window: WindowSettings = WindowSettings()
    state: StateSettings = StateSettings()
    output: OutputSettings = OutputSettings()
    life: LifeSettings = LifeSettings()
    engine: EngineSettings = EngineSettings()
    metrics: MetricsSettings = MetricsSettings()
    log: LogSettings = LogSettings()
    kafka: KafkaSettings = KafkaSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, which arrives as initial values."""
        return env_settings, init_settings


def known_keys(model: type[BaseModel] = Settings, prefix: str = "") -> list[str]:
    """Return all keys in dotted form."""
    keys = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        sections = [k for k in (kind, *get_args(kind)) if isinstance(k, type) and issubclass(k, BaseModel)]
        for section in sections:  # an optional section (kafka.sasl) can be given whole as well
            keys += known_keys(section, f"{prefix}{name}.")
        if kind not in sections:
            keys.append(f"{prefix}{name}")
    return keys


def _unknown_key(key: str, origin: str) -> SettingsError:
    known = known_keys()
    sections = sorted({k.split(".")[0] for k in known})
    near = get_close_matches(key, known + sections, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"known sections are {', '.join(sections)}"
    return SettingsError(f"unknown setting {key} ({origin}); {hint}")


def _check_environment(environment: Mapping[str, str]) -> None:
    known = set(known_keys())
    for variable in environment:
        if variable.upper().startswith(ENVIRONMENT_PREFIX):
            key = variable[len(ENVIRONMENT_PREFIX) :].lower().replace("__", ".")
            if key not in known:
                raise _unknown_key(key, f"environment variable {variable}")


def load_settings(file: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Settings:
    """Build the settings from ``file`` (TOML), the environment and ``overrides`` (nested).

    Raises :class:`SettingsError` naming the key, the reason and the next step.
    """
    values: dict[str, Any] = {}
    origin, where = "defaults", ""
    if file is not None:
        origin = str(file)
        try:
            values = tomllib.loads(file.read_text("utf-8"))
        except OSError as error:
            raise SettingsError(
                f"settings file {file}: {error.strerror}; check the path given to --config"
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"settings file {file} is not TOML: {error}; compare it with config/default.toml"
            ) from error
    _check_environment(os.environ)
    try:
        settings = Settings(**values)
        if overrides:
            # Section by section: a whole Settings would read the environment again, and let it win.
            for section, fields in overrides.items():
                where = f"{section}."
                part: Section = getattr(settings, section)
                checked = type(part).model_validate(part.model_dump(mode="python") | dict(fields))
                settings = settings.model_copy(update={section: checked})
    except ValidationError as error:
        first = error.errors()[0]
        key = where + ".".join(str(part) for part in first["loc"])
        if first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
            raise _unknown_key(key, origin) from error
        message = str(first["msg"]).removeprefix("Value error, ")
        shown = "" if "secret" in key or "password" in key else f" (found {first['input']!r:.60})"
        raise SettingsError(f"setting {key}: {message}{shown}; see config/default.toml") from error
    return settings
