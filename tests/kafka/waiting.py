"""Waiting for a condition with a deadline, which is what the tests do instead of sleeping."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
POLL_SECONDS = 0.02


def wait_for(
    what: str, condition: Callable[[], T | None], seconds: float = 30.0, every: float = POLL_SECONDS
) -> T:
    """The first true value of `condition`.

    Raises:
        AssertionError: it stayed false for `seconds`.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain for: {what}"
        time.sleep(every)
