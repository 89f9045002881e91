"""The rule for missing tools: skip loudly, fail in CI."""

import os
import shutil
from collections.abc import Callable

import pytest


def require(*programs: str) -> None:
    """Skip with one line where a program is missing; fail there when CI is true."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        reason = f"NOT CHECKED: {', '.join(missing)} not installed"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


@pytest.fixture
def needs() -> Callable[..., None]:
    """The same, for a test."""
    return require
