"""A matcher by the settings, and one from the state that a worker left or is using; nothing is locked or changed."""

from __future__ import annotations

from pathlib import Path

from config.settings import Settings, milliseconds
from pipeline.matcher import Matcher, WindowRules
from workers.journal import read_state

# Who reads applies no rules: the records say who left the window.
READING = WindowRules(max_lateness_ms=None, max_articles=1 << 28)


def window_rules(settings: Settings, *, live: bool) -> WindowRules:
    """Return the rules of a matcher; a finite input may come in any order, a live one moves on."""
    return WindowRules(
        window_ms=milliseconds(settings.window.length),
        max_lateness_ms=milliseconds(settings.window.max_lateness) if live else None,
        max_articles=settings.window.max_articles,
        name_copies=settings.life.name_copies,
    )


def load_matcher(folder: Path, fingerprint: str | None = None) -> Matcher:
    """Fold a state folder into a matcher; raises :class:`pipeline.errors.StateError`.

    Without ``fingerprint`` a state of any engine can be looked at.
    """
    matcher: Matcher | None = None
    for change, _ in read_state(folder, fingerprint, with_about=False):
        if matcher is None:
            matcher = Matcher(change.fingerprint, READING)
        matcher.apply(change)
    assert matcher is not None or not fingerprint
    return matcher if matcher is not None else Matcher("", WindowRules())
