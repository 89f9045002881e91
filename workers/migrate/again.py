"""A record of a state's journal as the batch of articles that it was, for another engine to match.

Everything that decides the outcome is in the record: texts, times, versions, kills and where among the
articles they came. What was repeated is not, and changed nothing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from pipeline.article import Article
from pipeline.changelog import Change
from pipeline.dates import parse_date
from pipeline.errors import StateError
from pipeline.life import ALL_VERSIONS, FIRST, KILL, Notices, Stamp
from pipeline.matcher import Matched, Matcher
from pipeline.sketch import Sketcher, resketch
from pipeline.tokens import Tokens


@dataclass(frozen=True, slots=True)
class _Step:
    """One article or kill: event time (ms), description and marks as the record has them."""

    id: str
    time_ms: int
    text: str = ""
    title: str = ""
    stamp: Stamp = FIRST
    kill: bool = False
    about: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class _Stamped:
    """An article from before the batch that came under a newer stamp, unchanged."""

    id: str
    time_ms: int
    stamp: Stamp
    tokens: Tokens


def match_again(change: Change, old: Matcher, new: Matcher, sketcher: Sketcher) -> Matched:
    """Match the articles of ``change`` with ``new``.

    ``old``: the matcher that the record belongs to, with the record folded in. Raises
    :class:`StateError` when the texts were not kept.
    """
    stamped = _stamped(change, old, new)
    steps = _steps(change)
    all_steps: list[_Stamped | _Step] = [*stamped, *steps]
    tokens, ends = sketcher.tokens([Article(step.id, step.text, step.title) for step in steps])
    before = np.cumsum([len(each.tokens) for each in stamped], dtype=np.int64)
    sketches = resketch(
        np.concatenate([*(each.tokens for each in stamped), tokens]),
        np.concatenate([before, ends + (before[-1] if len(before) else 0)]),
    )
    notices = Notices.none(len(stamped) + len(steps))
    stamps = [each.stamp for each in all_steps]
    notices.version[:] = [stamp.version for stamp in stamps]
    notices.updated_ms[:] = [stamp.updated_ms for stamp in stamps]
    notices.kill[len(stamped) :] = [KILL if step.kill else 0 for step in steps]
    notices.marks = [""] * len(stamped) + [step.mark for step in steps]
    matched = new.match(
        [each.id for each in all_steps],
        [each.time_ms for each in all_steps],
        sketches,
        [""] * len(stamped) + [step.about for step in steps],
        notices,
    )
    # A newer stamp alone is answered as repeated, and nobody asked.
    del matched.answers[: len(stamped)]
    return matched


def _steps(change: Change) -> list[_Step]:
    """Return the articles of a record with its kills where they came."""
    kills = deque(  # in the order in which they came
        (
            ordinal,
            _kill(article_id, through, orjson.loads(told)),
        )
        for article_id, (through, _, ordinal), told in zip(
            change.kill_ids, change.kills.tolist(), change.kill_about, strict=True
        )
    )
    steps: list[_Step] = []
    for position, article_id in enumerate(change.ids):
        while kills and kills[0][0] <= change.first + position:
            steps.append(kills.popleft()[1])
        about = change.about[position] if position < len(change.about) else "{}"
        fields = orjson.loads(about)
        if "text" not in fields:
            raise StateError(
                f"the state keeps no text of {article_id} (state.keep_texts is off), so no other engine can read it; "
                "build the new state from the input instead: `samewire run --input … --state NEW`"
            )
        steps.append(
            _Step(
                article_id,
                int(change.time[position]),
                fields["text"],
                fields.get("title") or "",
                Stamp(int(change.version[position]), int(change.updated[position])),
                about=about,
                mark=change.marks[position] if len(change.marks) else "",
            )
        )
    return [*steps, *(kill for _, kill in kills)]


def _kill(article_id: str, through: int, told: dict[str, Any]) -> _Step:
    time_ms = parse_date(told.pop("published_at"))
    stamp = Stamp(0 if through == ALL_VERSIONS else through)
    return _Step(
        article_id, time_ms, stamp=stamp, kill=True, mark=orjson.dumps(told).decode() if told else ""
    )


def _stamped(change: Change, old: Matcher, new: Matcher) -> list[_Stamped]:
    found = []
    for ordinal, (version, updated_ms) in zip(change.stamped.tolist(), change.stamps.tolist(), strict=True):
        # The stamp of an article of this very batch is in its own column.
        if not old.window.first <= ordinal < change.first:
            continue
        article_id = old.store.ids[old.window.slot(ordinal)]
        known = new.store.ordinal(article_id)
        if known is not None:
            time_ms = int(new.window.slots.time[new.window.slot(known)])
            tokens = new.window.tokens_of(known).copy()
            found.append(_Stamped(article_id, time_ms, Stamp(version, updated_ms), tokens))
    return found
