"""A change in parts folds to what it folds to whole."""

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.changelog import decode, encode
from pipeline.matcher import Matcher, WindowRules
from pipeline.parts import encode_parts, halves
from tests.histories import ENGINE, HOUR, Step, histories, play
from workers.migrate.differences import standing

often = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
batch_sizes = st.lists(st.integers(2, 25), min_size=1, max_size=3)
all_rules = st.sampled_from(
    [WindowRules(window_ms=48 * HOUR, max_lateness_ms=None), WindowRules(8 * HOUR, max_lateness_ms=4 * HOUR)]
)


def facts(matcher: Matcher) -> object:
    """Everything that later batches depend on."""
    rows = matcher.window.rows
    clusters = {}
    for name, row in ((int(rows.name[row]), row) for row in range(len(rows.name)) if rows.members[row]):
        clusters[name] = [
            int(column[row]) for column in (rows.founded, rows.earliest, rows.latest, rows.size, rows.open)
        ]
    window, slots = matcher.window, matcher.window.slots
    places = [window.slot(ordinal) for ordinal in range(window.open, window.next)]
    kept = [
        (
            matcher.store.ids[p],
            matcher.store.matched[p],
            *(int(c[p]) for c in (slots.name, slots.score, slots.version, slots.bond)),
        )
        for p in places
    ]
    return standing([matcher]), clusters, kept, matcher.store.kills.by_id, matcher.watermark_ms


@often
@given(histories(), batch_sizes, all_rules, st.randoms())
def test_two_halves_do_what_the_whole_does(
    steps: list[Step], sizes: list[int], rules: WindowRules, random: Random
) -> None:
    _, results = play(steps, sizes, rules)
    whole, parted = (Matcher(ENGINE.fingerprint, rules) for _ in range(2))
    for result in results:
        change = result.change
        whole.apply(change)
        count = len(change.ids)
        parts = halves(change, random.randint(1, count - 1)) if count > 1 else (change,)
        for part in parts:
            parted.apply(decode(encode(part))[0])
    assert facts(parted) == facts(whole)


@often
@given(histories(), batch_sizes, st.integers(400, 4000))
def test_no_record_is_larger_than_asked_for(steps: list[Step], sizes: list[int], most: int) -> None:
    _, results = play(steps, sizes, WindowRules(max_lateness_ms=None))
    for result in results:
        parts = list(encode_parts(result.change, most))
        changes = [decode(part)[0] for part in parts]
        assert [i for change in changes for i in change.ids] == list(result.change.ids)
        assert all(
            len(part) <= most or len(change.ids) < 2 for part, change in zip(parts, changes, strict=True)
        )
