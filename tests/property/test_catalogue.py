"""What the tools show is what the matcher holds, whatever happened to its stories."""

import pytest
from hypothesis import given

from pipeline.changelog import decode, encode
from pipeline.matcher import Matcher
from tests.histories import Model, Step, histories, play
from tests.property.test_life import ANY_ORDER, batch_sizes, often
from workers.tools.catalogue import Catalogue
from workers.tools.missing import GoneError


def shown(matcher: Matcher) -> dict[str, int]:
    """The clusters of a matcher as a partition."""
    return {i: cluster.name for cluster in matcher.clusters() for i in cluster.article_ids}


@often
@given(histories(), batch_sizes)
def test_the_catalogue_shows_what_the_matcher_holds(steps: list[Step], sizes: list[int]) -> None:
    matcher, results = play(steps, sizes, ANY_ORDER)
    catalogue = Catalogue()
    for result in results:
        if not result.change.empty:
            catalogue.apply(decode(encode(result.change))[0])
    assert catalogue.partition() == shown(matcher)
    assert {s.name: {e.id for e in s.entries} for s in catalogue.stories()} == {
        cluster.name: set(cluster.article_ids) for cluster in matcher.clusters()
    }
    model = Model(ANY_ORDER.window_ms)
    for step in steps:
        model.take(step)
    for step in model.live():
        assert catalogue.expect(step.id).version == step.version
    for killed in catalogue.kills():
        with pytest.raises(GoneError):
            catalogue.expect(killed.article_id)
    splits = [e for result in results for e in result.events if e.event == "split"]
    assert [(s.kept, s.parted, s.article_id) for s in catalogue.splits] == [
        (e.cluster, e.other, e.article_id) for e in splits
    ]
    for event in (e for result in results for e in result.events if e.event == "merged"):
        assert event.other is not None
        assert catalogue.resolve(event.other) == catalogue.resolve(event.cluster)
