"""What a state's records hold is enough to match its articles again: same engine, same clusters."""

import numpy as np
import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.article import Article
from pipeline.changelog import decode, encode
from pipeline.life import Notices
from pipeline.matcher import Matcher, WindowRules
from tests.histories import ENGINE, HOUR, Step, histories
from workers.migrate.again import match_again
from workers.migrate.differences import standing

often = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
batch_sizes = st.lists(st.integers(1, 25), min_size=1, max_size=4)


def migrated(steps: list[Step], sizes: list[int], rules: WindowRules) -> tuple[Matcher, Matcher, Matcher]:
    """Play a history; returns its matcher, the one its records fold to, and the one built from them."""
    old, folded, new = (Matcher(ENGINE.fingerprint, rules) for _ in range(3))
    first = turn = 0
    while first < len(steps):
        batch = steps[first : first + sizes[turn % len(sizes)]]
        first, turn = first + len(batch), turn + 1
        notices = Notices.none(len(batch))
        notices.kill[:] = [step.kill for step in batch]
        notices.version[:] = [step.version for step in batch]
        result = old.match(
            [step.id for step in batch],
            np.array([step.hour * HOUR for step in batch], np.int64),
            ENGINE.sketcher.sketch([Article(step.id, step.text) for step in batch]),
            [orjson.dumps({"text": step.text}).decode() for step in batch],
            notices,
        )
        change, _ = decode(encode(result.change))
        folded.apply(change)
        match_again(change, folded, new, ENGINE.sketcher)
    return old, folded, new


def groups(matcher: Matcher) -> set[frozenset[tuple[str, int]]]:
    """The clusters of what stands, as sets of ids and times.

    Not their names: of two kills of one id in one batch the record holds the last, and an article that came
    between them is named without the first.
    """
    found: dict[int, set[tuple[str, int]]] = {}
    for article_id, article in standing([matcher]).items():
        found.setdefault(article.cluster, set()).add((article_id, article.time_ms))
    return {frozenset(members) for members in found.values()}


def stamps(matcher: Matcher) -> dict[str, tuple[int, int]]:
    """The version and update time of every article that stands."""
    known = {article_id: matcher.store.ordinal(article_id) for article_id in standing([matcher])}
    return {i: matcher.store.stamp(matcher.window.slot(o)) for i, o in known.items() if o is not None}


@often
@given(histories(), batch_sizes)
def test_matching_the_records_again_gives_the_same_state(steps: list[Step], sizes: list[int]) -> None:
    rules = WindowRules(window_ms=48 * HOUR, max_lateness_ms=None)
    old, folded, new = migrated(steps, sizes, rules)
    assert standing([folded]) == standing([old])
    assert groups(new) == groups(old)
    assert stamps(new) == stamps(old)
    assert {i: kill.through for i, kill in new.store.kills.by_id.items()} == {
        i: kill.through for i, kill in old.store.kills.by_id.items()
    }


@often
@given(histories(), batch_sizes)
def test_the_same_holds_where_articles_are_late_and_expire(steps: list[Step], sizes: list[int]) -> None:
    rules = WindowRules(window_ms=8 * HOUR, max_lateness_ms=4 * HOUR)
    old, _, new = migrated(steps, sizes, rules)
    assert groups(new) == groups(old)
    assert stamps(new) == stamps(old)
