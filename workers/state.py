"""Reading a state that a worker left or is using; nothing is locked or changed."""

from __future__ import annotations

from pathlib import Path

from pipeline.matcher import Matcher, WindowRules
from workers.journal import read_state


def load_matcher(folder: Path, fingerprint: str | None = None) -> Matcher:
    """Fold a state folder into a matcher; raises :class:`pipeline.errors.StateError`.

    Without ``fingerprint`` a state of any engine can be looked at.
    """
    matcher: Matcher | None = None
    for change, _ in read_state(folder, fingerprint, with_about=False):
        if matcher is None:
            matcher = Matcher(change.fingerprint, WindowRules(max_lateness_ms=None, max_articles=1 << 28))
        matcher.apply(change)
    assert matcher is not None or not fingerprint
    return matcher if matcher is not None else Matcher("", WindowRules())
