"""The topics of a replay: named apart from the deployment's, with records that fit."""

import pytest

from config.kafka import KafkaSettings
from config.settings import Settings
from pipeline.answers import ClusterEvent
from pipeline.errors import SettingsError
from workers.kafka.event_keys import event_key, key_of_record
from workers.kafka.fresh_topics import prefixed, small_batches


def test_fresh_topics_have_a_prefix_and_one_desk() -> None:
    deployment = KafkaSettings.model_validate({"desks": {"count": 2, "by_language": {"de": 1}}})
    fresh = prefixed(deployment, "try1")
    assert fresh.topics.changelog == "try1.match.changelog"
    assert fresh.topics.articles == "articles"
    assert fresh.desks.count == 1
    with pytest.raises(SettingsError, match="--topics 'a b'"):
        prefixed(deployment, "a b")


def test_a_batch_of_a_replay_into_topics_fits_into_a_record() -> None:
    settings = Settings()
    assert small_batches(settings).input.batch_bytes * 4 == settings.kafka.topics.max_record_bytes


@pytest.mark.parametrize(
    ("event", "key"),
    [
        (ClusterEvent("created", 1, 1, 0, 0, article_id="a"), b"c0000000000000001"),
        (ClusterEvent("merged", 1, 2, 0, 0, 2, "a"), b"c0000000000000002"),
        (ClusterEvent("split", 1, 2, 0, 0, 3, "a"), b"c0000000000000003"),
        (ClusterEvent("shrunk", 1, 2, 0, 0, article_id="a"), b"c0000000000000001"),
        (ClusterEvent("killed", 1, 2, 0, 0, article_id="a", copies=()), b"c0000000000000001/a"),
    ],
)
def test_a_replays_events_have_the_matchers_keys(event: ClusterEvent, key: bytes) -> None:
    assert event_key(event) == key_of_record(event.record("e")) == key
