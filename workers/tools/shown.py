"""Foreign text made safe and plain for people: on a terminal, and as times and spans."""

from __future__ import annotations

import unicodedata

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_KEPT = frozenset("\n\t")


def printable(text: str, limit: int | None = None) -> str:
    """Return text without what could steer a terminal: controls, escapes, direction overrides.

    Each is shown as U+FFFD. ``limit``: longest result in characters, with an ellipsis.
    """
    if limit is not None and len(text) > limit:
        text = text[: limit - 1] + "…"
    return "".join(
        "\ufffd" if (c in _BIDI or (c not in _KEPT and unicodedata.category(c) in ("Cc", "Cs", "Co"))) else c
        for c in text
    )


def one_line(text: str, limit: int) -> str:
    """Return text as one printable line."""
    return " ".join(printable(text[: 4 * limit], None).split())[:limit] + ("…" if len(text) > limit else "")


def span(milliseconds: int) -> str:
    """Return a length of time in at most two units: ``45 s``, ``12 min``, ``3 h 20 min``, ``2 d 4 h``."""
    seconds = abs(milliseconds) // 1000
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
