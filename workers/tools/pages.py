"""Templates, styles and scripts put together into pages that load nothing from elsewhere."""

from __future__ import annotations

import base64
from functools import cache
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

ASSETS = files("workers.tools").joinpath("assets")
PAGE_SCRIPTS = (
    "base.js",
    "store.js",
    "passages.js",
    "charts.js",
    "list.js",
    "detail.js",
    "versions.js",
    "compare.js",
)
REPORT_SCRIPTS = (*PAGE_SCRIPTS, "embedded.js", "page.js")
LIVE_SCRIPTS = (*PAGE_SCRIPTS, "live.js", "page.js")


@cache
def asset(name: str) -> str:
    """Return one of the project's own styles, scripts or templates."""
    return ASSETS.joinpath(name).read_text("utf-8")


@cache
def templates() -> Environment:
    """Return the templates; everything that is put into them is escaped."""
    return Environment(loader=FunctionLoader(asset), autoescape=True, undefined=StrictUndefined)


def inline(*names: str) -> Markup:
    """Return own assets for a ``<style>`` or ``<script>`` element, as they stand."""
    return Markup("\n".join(asset(name) for name in names))  # noqa: S704 (the project's own files)


def policy(script: str, style: str) -> str:
    """Return a content security policy under which only these two run, and nothing is loaded."""
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(content: str) -> str:
    return f"sha256-{base64.b64encode(sha256(content.encode()).digest()).decode()}"
