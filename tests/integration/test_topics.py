"""Creating and checking samewire's topics on a real broker."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from config.kafka import KafkaSettings
from workers.kafka.client import make_admin
from workers.kafka.topics import Difference, apply_topics, check_topics, topic_plans

pytestmark = pytest.mark.kafka

WINDOW_SECONDS = 3 * 86_400.0


@pytest.fixture
def admin(settings: KafkaSettings) -> Iterator[Any]:
    client = make_admin(settings)
    yield client
    client.close()


@pytest.fixture
def named(settings: KafkaSettings, fresh: Callable[[str], str]) -> KafkaSettings:
    """Settings whose topics nobody else uses."""
    names = {role: fresh(name) for role, name in settings.topics.names.items()}
    return settings.model_copy(update={"topics": settings.topics.model_copy(update=names)})


def test_creates_what_is_missing_and_then_finds_nothing_to_do(admin: Any, named: KafkaSettings) -> None:
    plans = topic_plans(named, WINDOW_SECONDS)
    assert {each.what for each in check_topics(admin, plans)} == {"topic"}
    assert apply_topics(admin, plans) == []
    assert apply_topics(admin, plans) == []


def test_says_what_differs_and_repairs_what_is_safe(admin: Any, named: KafkaSettings) -> None:
    apply_topics(admin, topic_plans(named, WINDOW_SECONDS))
    wider = named.model_copy(
        update={
            "topics": named.topics.model_copy(update={"articles_partitions": 8}),
            "desks": named.desks.model_copy(update={"count": 3}),
        }
    )
    plans = topic_plans(wider, 2 * WINDOW_SECONDS)
    found = check_topics(admin, plans)
    changelog, signed, articles = (
        wider.topics.changelog,
        wider.topics.signed,
        wider.topics.articles,
    )
    retention = round((2 * WINDOW_SECONDS + wider.topics.changelog_slack_seconds) * 1000)
    assert Difference(articles, "partitions", "8", "6", repairable=True) in found
    assert Difference(signed, "partitions", "3", "1", repairable=False) in found
    assert any(each.topic == changelog and each.wanted == str(retention) for each in found)
    left = apply_topics(admin, plans)
    assert {(each.topic, each.what) for each in left} == {(signed, "partitions"), (changelog, "partitions")}
    assert "not changed by samewire" in str(left[0])
