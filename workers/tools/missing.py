"""What is said of an article or cluster that is not there: what happened to it, or what is near."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from pipeline.answers import cluster_id
from pipeline.dates import format_date
from pipeline.errors import InputError
from workers.tools.articles import Killed
from workers.tools.shown import one_line

_NEAREST_AMONG = 50_000  # ids that a misspelt one is compared with
_REASON_CHARACTERS = 300


class GoneError(InputError):
    """What was asked for was withdrawn. ``killed``: the kill that did it."""

    def __init__(self, message: str, killed: Killed | None) -> None:
        super().__init__(message)
        self.killed = killed


def killed_article(killed: Killed, goes_on: bool) -> str:
    """Return what happened to an article; ``goes_on``: whether its cluster is still there."""
    through = killed.through_version
    versions = "" if through is None else f" up to version {through}"
    reason = (
        f": {one_line(killed.reason, _REASON_CHARACTERS)}" if killed.reason else ", without a reason given"
    )
    if not killed.cluster:
        then = "; it was in no cluster"
    elif goes_on:
        identifier = cluster_id(killed.cluster)
        then = f"; `samewire story {identifier}` shows the cluster that it was taken from, and what derives from it"
    else:
        then = f"; its cluster {cluster_id(killed.cluster)} is gone with it"
    return f"article {_shown(killed.article_id)!r} was killed{versions} on {format_date(killed.at_ms)}{reason}{then}"


def emptied(identifier: str, last: str) -> str:
    """Return what happened to a cluster of which every article was killed; ``last``: the last of them."""
    return f"cluster {identifier} is gone: its articles were killed, the last one was {_shown(last)!r}"


def unknown_id(kind: str, wanted: str, known: Iterable[str]) -> str:
    """Return the message about an id that is not there, with the nearest ones that are."""
    among = [name for _, name in zip(range(_NEAREST_AMONG), known, strict=False)]
    near = get_close_matches(wanted[:200], among, n=3, cutoff=0.5)
    if near:
        return f"{kind} {_shown(wanted)!r} is not in the state; nearest: {', '.join(near)}"
    example = f", for example {among[0]}" if among else ""
    return f"{kind} {_shown(wanted)!r} is not in the state; `samewire report` shows what is{example}"


def _shown(identifier: str) -> str:
    return identifier if len(identifier) <= 80 else identifier[:77] + "…"
