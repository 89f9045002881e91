"""The log events of the code are those of docs/operations.md, with their levels and fields."""

import ast
import re

from tests.conftest import ROOT

LEVELS = {"debug": "debug", "info": "info", "warning": "warning", "error": "error", "exception": "error"}
Event = tuple[str, tuple[str, ...]]


def logged() -> dict[str, Event]:
    """Return the events that the code logs: level and fields by name."""
    found: dict[str, Event] = {}
    for file in (ROOT / "workers").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr not in LEVELS or not re.match(
                r"(_?log|structlog)\b", ast.unparse(node.func.value)
            ):
                continue
            fields = tuple(keyword.arg or "" for keyword in node.keywords)
            first = node.args[0]
            names = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
            for name in names:
                assert isinstance(name, ast.Constant), f"{file}: an event's name is fixed"
                found[str(name.value)] = (LEVELS[node.func.attr], fields)
    return found


def documented() -> dict[str, Event]:
    """Return the events that the page tells of."""
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    rows = re.findall(
        r"^\| `([a-z_]+)` \| (debug|info|warning|error) \| .+? \| ([a-z_, –]+) \|$", page, re.MULTILINE
    )
    return {name: (level, tuple(re.findall(r"[a-z_]+", fields))) for name, level, fields in rows}


def test_the_page_and_the_code_know_the_same_events() -> None:
    assert documented() == logged()


def test_names_are_words_joined_by_underscores() -> None:
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in logged())
