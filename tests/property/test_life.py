"""Whatever happens to stories, in whatever order: the clusters are those of the articles that stand."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.changelog import decode, encode
from pipeline.matcher import Matched, Matcher, WindowRules
from tests.histories import (
    ENGINE,
    HOUR,
    LiveModel,
    Model,
    Step,
    feed,
    histories,
    open_partition,
    play,
)
from tests.runs import partition

ANY_ORDER = WindowRules(window_ms=48 * HOUR, max_lateness_ms=None)

batch_sizes = st.lists(st.integers(1, 25), min_size=1, max_size=4)
thorough = settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
often = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def model_of(steps: Sequence[Step]) -> Model:
    """The model after a history."""
    model = Model(ANY_ORDER.window_ms)
    for step in steps:
        model.take(step)
    return model


@thorough
@given(histories(), batch_sizes)
def test_the_clusters_are_those_of_the_model(steps: list[Step], sizes: list[int]) -> None:
    matcher, _ = play(steps, sizes, ANY_ORDER)
    assert partition(matcher) == model_of(steps).partition()


@thorough
@given(histories(), batch_sizes, st.data())
def test_no_order_changes_the_clusters(steps: list[Step], sizes: list[int], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(steps))
    matcher, _ = play(shuffled, sizes, ANY_ORDER)
    assert partition(matcher) == model_of(steps).partition()


@often
@given(histories(), batch_sizes, st.integers(0, 40))
def test_a_replay_from_the_log_at_any_point_goes_on_alike(
    steps: list[Step], sizes: list[int], stop: int
) -> None:
    matcher, results = play(steps, sizes, ANY_ORDER)
    again = Matcher(ENGINE.fingerprint, ANY_ORDER)
    first = 0
    for number, result in enumerate(results):
        batch = steps[first : first + sizes[number % len(sizes)]]
        first += len(batch)
        if number < stop:
            again.apply(decode(encode(result.change))[0])
        else:
            repeated = feed(again, batch)
            assert repeated.answers == result.answers
            assert repeated.events == result.events
    assert list(again.clusters()) == list(matcher.clusters())


class Reader:
    """What a reader of the output knows: where each article is, by answers and merges alone."""

    def __init__(self) -> None:
        self.cluster: dict[str, int] = {}
        self.alias: dict[int, int] = {}

    def read(self, result: Matched) -> None:
        """Follow one batch: the last answer of an article counts."""
        for answer in (*result.answers, *result.moved):
            self.cluster.pop(answer.article_id, None)
            if answer.relation != "killed":
                self.cluster[answer.article_id] = answer.cluster
        for event in result.events:
            if event.event == "merged":
                assert event.other is not None
                self.alias[event.other] = event.cluster

    def resolve(self, name: int) -> int:
        """Follow the redirects of merged clusters."""
        while name in self.alias:
            name = self.alias[name]
        return name


LIVE = WindowRules(window_ms=30 * HOUR, max_lateness_ms=12 * HOUR)


@thorough
@given(histories(24, drifting=True), st.integers(1, 9))
def test_a_live_stream_keeps_to_its_model_while_articles_expire(steps: list[Step], size: int) -> None:
    matcher = Matcher(ENGINE.fingerprint, LIVE)
    model = LiveModel(LIVE)
    for first in range(0, len(steps), size):
        batch = steps[first : first + size]
        model.batch(batch)
        feed(matcher, batch)
        assert matcher.window.open == model.opened + 1
        assert matcher.window.next == len(model.residents) + 1
        assert open_partition(matcher) == model.partition()


@often
@given(histories(24, drifting=True), st.integers(1, 9), st.integers(0, 40))
def test_a_live_stream_goes_on_alike_from_what_is_left_of_its_log(
    steps: list[Step], size: int, stop: int
) -> None:
    matcher = Matcher(ENGINE.fingerprint, LIVE)
    changes = []
    batches = [steps[first : first + size] for first in range(0, len(steps), size)]
    for batch in batches[:stop]:
        changes.append(feed(matcher, batch).change)
        # what a log may drop from its front: records of articles and kills that have expired
        kept = min(matcher.window.open, (matcher.store.kills.oldest_ordinal or matcher.window.next) - 1)
        while changes and changes[0].first + len(changes[0].ids) <= kept:
            del changes[0]
    again = Matcher(ENGINE.fingerprint, LIVE)
    for change in changes:
        again.apply(decode(encode(change))[0])
    for batch in batches[stop:]:
        left, right = feed(matcher, batch), feed(again, batch)
        assert left.answers == right.answers
        if changes:
            assert sorted(left.events, key=repr) == sorted(right.events, key=repr)
            assert open_partition(matcher) == open_partition(again)


@often
@given(histories(), batch_sizes)
def test_a_reader_knows_every_cluster_by_a_name_of_its_own(steps: list[Step], sizes: list[int]) -> None:
    matcher, results = play(steps, sizes, ANY_ORDER)
    clusters = list(matcher.clusters())
    names = [cluster.name for cluster in clusters]
    assert len(set(names)) == len(names)
    reader = Reader()
    for result in results:
        reader.read(result)
    found = {article_id: reader.resolve(name) for article_id, name in reader.cluster.items()}
    assert found == {i: cluster.name for cluster in clusters for i in cluster.article_ids}
    created = {
        event.other if event.event == "split" else event.cluster
        for result in results
        for event in result.events
        if event.event in ("created", "split")
    }
    assert set(names) <= created
    # a name in use is no alias of another
    assert not set(names) & set(reader.alias)


@often
@given(histories(), batch_sizes)
def test_sizes_are_what_the_clusters_hold(steps: list[Step], sizes: list[int]) -> None:
    matcher, _ = play(steps, sizes, ANY_ORDER)
    rows = matcher.window.rows
    for cluster in matcher.clusters():
        slot = matcher.window.slot(matcher.store.ordinals[cluster.article_ids[0]])
        row = matcher.window.slots.row[slot]
        assert rows.size[row] == rows.members[row] == rows.open[row] == len(cluster.article_ids)
        assert rows.earliest[row] == cluster.first_ms
        assert rows.latest[row] == cluster.last_ms


@often
@given(histories(), batch_sizes)
def test_the_part_with_the_earliest_article_keeps_the_name(steps: list[Step], sizes: list[int]) -> None:
    matcher = Matcher(ENGINE.fingerprint, ANY_ORDER)
    for step in steps:
        before = {i: cluster.name for cluster in matcher.clusters() for i in cluster.article_ids}
        events = feed(matcher, [step]).events
        for split in (event for event in events if event.event == "split"):
            by_name = {cluster.name: cluster for cluster in matcher.clusters()}
            kept, left = by_name.get(split.cluster), by_name.get(split.other or 0)
            assert left is not None
            assert split.cluster in before.values()
            if kept is not None and step.id not in (*kept.article_ids, *left.article_ids):
                assert kept.first_ms <= left.first_ms


@often
@given(histories(), batch_sizes)
def test_every_record_gets_one_answer(steps: list[Step], sizes: list[int]) -> None:
    _, results = play(steps, sizes, ANY_ORDER)
    answers = [answer for result in results for answer in result.answers]
    assert [answer.article_id for answer in answers] == [step.id for step in steps]
    killed: dict[str, int] = {}
    for step, answer in zip(steps, answers, strict=True):
        if step.kill:
            killed[step.id] = max(killed.get(step.id, 0), step.version or 1 << 62)
        assert answer.relation != "killed" or step.id in killed


@pytest.mark.parametrize("wanted", ["split", "merged", "killed", "shrunk", "corrected"])
def test_the_histories_hold_what_the_laws_are_about(wanted: str) -> None:
    met = dict.fromkeys(["split", "merged", "killed", "shrunk", "corrected"], 0)

    @settings(max_examples=100, deadline=None, database=None, derandomize=True)
    @given(histories())
    def look(steps: list[Step]) -> None:
        _, results = play(steps, [5], ANY_ORDER)
        for result in results:
            met["corrected"] += result.counters.corrected
            for event in result.events:
                if event.event in met:
                    met[event.event] += 1

    look()
    assert met[wanted] > 5, met
