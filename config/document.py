"""Writes ``config/default.toml``: every setting with its default, its meaning and its reason.

``python -m config.document`` prints it; a test holds the file and the settings together.
"""

from __future__ import annotations

import sys
import textwrap
from typing import Any

from pydantic import BaseModel

from config.settings import Settings

_HEADER = """\
# samewire's settings, each with its default. Copy the lines that you change into a file
# of your own and give it with --config. The environment wins over the file:
# SAMEWIRE_WINDOW__LENGTH=30d sets length in [window]. Unknown keys are errors.
# `samewire check-config --config FILE` shows what takes effect.
"""
_WIDTH = 96


def default_toml() -> str:
    """Return the contents of ``config/default.toml``."""
    return _HEADER + "".join(_section(Settings(), ""))


def _section(model: BaseModel, path: str) -> list[str]:
    lines: list[str] = []
    nested: list[tuple[str, BaseModel, str]] = []
    shown = model.model_dump(mode="json")
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            nested.append((name, value, field.description or ""))
            continue
        lines += [f"# {line}\n" for line in textwrap.wrap(_sentence(field.description or name), _WIDTH)]
        lines.append(f"{'# ' if value is None else ''}{name} = {_literal(shown[name])}\n\n")
    if path and lines:
        about = (type(model).__doc__ or "").strip().splitlines()[0]
        lines = [f"\n# {'-' * _WIDTH}\n# {about}\n[{path}]\n\n", *lines]
    for name, value, _ in nested:
        lines += _section(value, f"{path}.{name}" if path else name)
    return lines


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].removesuffix(".") + "."


def _literal(value: Any) -> str:
    if value is None:
        return '""'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(_literal(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_literal(v)}" for k, v in value.items()) + " }" if value else "{}"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


if __name__ == "__main__":
    sys.stdout.write(default_toml())
