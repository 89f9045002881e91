"""Dead letters on their way back, on a real broker."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from config.kafka import KafkaSettings
from tests.kafka import topic
from workers.kafka import deadletters
from workers.kafka.client import make_producer
from workers.kafka.deadletters import dead_letter
from workers.kafka.redrive import redrive

pytestmark = pytest.mark.kafka


@pytest.fixture
def named(
    settings: KafkaSettings, fresh: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> KafkaSettings:
    """Settings with a source and a dead-letter topic of their own, and a redrive group of their own."""
    monkeypatch.setattr("workers.kafka.redrive.GROUP", fresh("redrive"))
    bootstrap = settings.bootstrap_servers[0]
    names = {
        "articles": topic.create(bootstrap, fresh("articles"), 2),
        "dead": topic.create(bootstrap, fresh("dead"), 2),
    }
    return settings.model_copy(update={"topics": settings.topics.model_copy(update=names)})


def _record(named: KafkaSettings, key: bytes | None, value: bytes | None, **more: Any) -> Any:
    fields = {"partition": 0, "offset": 5, "timestamp": 1_700_000_000_000, "headers": [("source", b"AP")]}
    return SimpleNamespace(topic=named.topics.articles, key=key, value=value, **(fields | more))


def _bury(named: KafkaSettings, letters: list[Any]) -> None:
    producer = make_producer(named, "undertaker")
    producer.init_transactions()
    producer.begin_transaction()
    for letter in letters:
        producer.send(letter.topic, letter.value, letter.key, list(letter.headers), None, letter.timestamp)
    producer.commit_transaction()
    producer.close()


def _articles(named: KafkaSettings) -> list[Any]:
    return topic.read_committed(named.bootstrap_servers[0], named.topics.articles)


def test_each_letter_goes_back_once_whole_and_only_if_asked_for(named: KafkaSettings) -> None:
    dead = named.topics.dead
    letters = [
        dead_letter(_record(named, b"k%d" % n, b"value %d" % n), "parse", ValueError("x"), dead)
        for n in range(10)
    ]
    letters.append(dead_letter(_record(named, b"other", b"x"), "too_large", None, dead))
    letters.append(dead_letter(_record(named, b"cut", b"y" * 500), "parse", None, dead, 100))
    letters.append(dead_letter(_record(named, b"tombstone", None), "parse", None, dead))
    _bury(named, letters)

    first = redrive(named, reasons=["parse"], limit=4)
    assert first.put_back.total() == 4
    second = redrive(named, reasons=["parse"])
    assert second.put_back.total() == 7
    assert (first.passed_over + second.passed_over) == {"too_large": 1, "cut": 1}
    assert redrive(named, reasons=["parse"]).put_back.total() == 0

    back = {record.key: record for record in _articles(named)}
    assert len(_articles(named)) == 11
    assert back[b"k3"].value == b"value 3"
    assert back[b"k3"].timestamp == 1_700_000_000_000
    assert back[b"tombstone"].value is None
    headers = dict(back[b"k3"].headers)
    assert headers == {"source": b"AP", deadletters.REDRIVEN: b"1"}


def test_a_letter_that_keeps_coming_back_is_left_in_peace(named: KafkaSettings) -> None:
    dead = named.topics.dead
    tired = _record(named, b"k", b"v", headers=[(deadletters.REDRIVEN, b"3")])
    _bury(named, [dead_letter(tired, "parse", None, dead)])
    report = redrive(named)
    assert report.put_back.total() == 0
    assert report.passed_over == {"attempts": 1}
    assert redrive(named, reset=True, max_attempts=4).put_back.total() == 1
