"""Kills: the orders to withdraw a story."""

from __future__ import annotations

import orjson

from pipeline.answers import MAX_COPIES, Answer, ClusterEvent
from pipeline.dates import format_date
from pipeline.entering import Run, answer_again
from pipeline.life import ALL_VERSIONS, QUIET_KILL, Kill
from pipeline.removal import derived_from, remove
from pipeline.store import NEVER

KILLED = "killed"


def kill(run: Run, position: int, known: Kill | None) -> Answer | None:
    """Obey the kill at this position; ``known``: the kill of its article before it, if there was one."""
    store, notices = run.store, run.notices
    version = int(notices.version[position])
    through = version or ALL_VERSIONS
    article_id = run.ids[position]
    ordinal = store.ordinal(article_id)
    slot = store.window.slot(ordinal) if ordinal is not None else 0
    if ordinal is not None and store.window.slots.version[slot] > through:
        # a later version stands; the kill is only remembered
        _remember(run, position, through, known)
        run.counters.repeated += 1
        return answer_again(store, ordinal)
    run.counters.kills += 1
    if ordinal is None:
        repeated = known is not None and through <= known.through
        if not repeated:
            _remember(run, position, through, known)
        run.counters.repeated += repeated
        run.counters.kills_early += not repeated
        if notices.kill[position] == QUIET_KILL:
            return None
        cluster = known.cluster if known is not None else 0
    else:
        repeated = False
        cluster = _withdraw(run, position, ordinal, through, known)
    return Answer(
        article_id,
        cluster,
        KILLED,
        0,
        None,
        int(run.time[position]),
        repeated=repeated,
        version=version,
        mark=notices.marks[position],
    )


def withdrawn(run: Run, position: int, kill: Kill) -> Answer:
    """Return the answer to an article that was killed before it came; ``kill``: what withdrew it."""
    return Answer(
        run.ids[position],
        kill.cluster,
        KILLED,
        0,
        None,
        int(run.time[position]),
        version=int(run.notices.version[position]),
        mark=run.notices.marks[position],
    )


def _withdraw(run: Run, position: int, ordinal: int, through: int, known: Kill | None) -> int:
    """Take a killed article out; returns its cluster's name."""
    store, article_id = run.store, run.ids[position]
    slots, rows = store.window.slots, store.window.rows
    slot = store.window.slot(ordinal)
    row = int(slots.row[slot])
    name = int(rows.name[row]) if row >= 0 else int(slots.name[slot])
    if store.rules.name_copies and row >= 0:
        copies = derived_from(store, ordinal)
        facts = (int(rows.size[row]) - 1, int(rows.earliest[row]), int(rows.latest[row]))
        run.events.append(
            ClusterEvent(
                "killed",
                name,
                *facts,
                article_id=article_id,
                copies=tuple(copies[:MAX_COPIES]),
                copies_found=len(copies),
            )
        )
    events, _ = remove(store, ordinal, run.draft)
    run.events += events
    _remember(run, position, through, known, name)
    return name


def _remember(run: Run, position: int, through: int, known: Kill | None, cluster: int = 0) -> None:
    store, article_id = run.store, run.ids[position]
    if known is not None:
        through = max(through, known.through)
        cluster = cluster or known.cluster
    since = store.watermark_ms if store.watermark_ms != NEVER else int(run.time[position])
    kill = Kill(through, cluster, since, store.window.next)
    store.kills.put(article_id, kill)
    run.draft.kills.pop(article_id, None)
    run.draft.kills[article_id] = kill
    mark = run.notices.marks[position]
    told = {"published_at": format_date(int(run.time[position]))} | (orjson.loads(mark) if mark else {})
    run.draft.kill_about[article_id] = orjson.dumps(told).decode()
