"""Puts the files of a replay into fresh topics, where a deployment's readers and tools can look at them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from kafka import KafkaProducer
from kafka import errors as kafka_errors
from pydantic import ValidationError

from config.kafka import Compression, KafkaSettings
from config.kafka_topics import DeskSettings, TopicSettings
from config.settings import Settings
from pipeline.changelog import encode
from pipeline.errors import OutputError, SettingsError
from workers.journal import read_state
from workers.kafka.client import common_config, connect, make_admin
from workers.kafka.event_keys import key_of_record
from workers.kafka.records import Outgoing
from workers.kafka.topics import TopicPlan, apply_topics, check_topics, topic_plans

_WRITTEN = ("clustered", "clusters", "changelog")
_IN_FLIGHT = 2000  # records sent before the first of them is confirmed


def prefixed(settings: KafkaSettings, prefix: str) -> KafkaSettings:
    """Return the settings with fresh names for the topics that a replay writes, and one desk.

    Raises :class:`SettingsError` for what is no beginning of a topic's name.
    """
    names = {role: f"{prefix}.{settings.topics.names[role]}" for role in _WRITTEN}
    try:
        topics = TopicSettings.model_validate(settings.topics.model_dump() | names)
    except ValidationError as error:
        raise SettingsError(
            f"--topics {prefix[:80]!r} cannot begin a topic's name; use letters, digits, dots, _ and -"
        ) from error
    return settings.model_copy(update={"topics": topics, "desks": DeskSettings()})


def small_batches(settings: Settings) -> Settings:
    """Return settings under which every changelog record of the embedded run fits into a topic."""
    # Its size is near that of its articles' lines: tokens are two thirds of a text, packed texts a third.
    most_bytes = max(1 << 16, settings.kafka.topics.max_record_bytes // 4)
    section = settings.input.model_copy(update={"batch_bytes": min(settings.input.batch_bytes, most_bytes)})
    return settings.model_copy(update={"input": section})


def require_fresh(settings: KafkaSettings) -> None:
    """Raise :class:`OutputError` when one of the topics is there already."""
    plans = _plans(settings, 0)
    with _admin(settings) as admin:
        missing = {each.topic for each in check_topics(admin, plans) if each.what == "topic"}
    taken = [plan.name for plan in plans if plan.name not in missing]
    if taken:
        raise OutputError(
            f"topic {taken[0]} is there already; a replay writes fresh topics: choose another --topics PREFIX, "
            "or delete them"
        )


def publish(settings: KafkaSettings, window_seconds: float, folder: Path) -> int:
    """Make the topics and copy the replay in ``folder`` into them; returns the number of records.

    Raises :class:`OutputError` when the broker does not take all of it.
    """
    with _admin(settings) as admin:
        apply_topics(admin, _plans(settings, window_seconds))
    producer = connect(lambda: KafkaProducer(**_producer_config(settings)), settings)
    with closing(producer), _explained():
        return _send(producer, _outgoing(settings.topics, folder), settings.producer.delivery_timeout_seconds)


@contextmanager
def _admin(settings: KafkaSettings) -> Iterator[Any]:
    with closing(make_admin(settings)) as admin, _explained():
        yield admin


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except kafka_errors.KafkaError as error:
        raise OutputError(
            f"the broker did not take the replay: {error}; its files are whole. Delete the topics that were made, "
            "see that this user may create and write topics, and replay again"
        ) from error


def _plans(settings: KafkaSettings, window_seconds: float) -> list[TopicPlan]:
    return [plan for plan in topic_plans(settings, window_seconds) if plan.role in _WRITTEN]


def _producer_config(settings: KafkaSettings) -> dict[str, Any]:
    compression = settings.producer.compression
    return common_config(settings, "replay") | {
        "acks": "all",
        "compression_type": None if compression is Compression.NONE else compression.value,
        "linger_ms": round(settings.producer.linger_seconds * 1000),
        "batch_size": settings.producer.batch_bytes,
        "max_request_size": settings.topics.max_dead_letter_bytes,
        "allow_auto_create_topics": False,
    }


def _outgoing(topics: TopicSettings, folder: Path) -> Iterator[Outgoing]:
    with (folder / "articles.jsonl").open("rb") as answers:
        for line in answers:
            answer = orjson.loads(line)
            yield Outgoing(topics.clustered, answer["article_id"].encode(), line.rstrip())
    with (folder / "events.jsonl").open("rb") as events:
        for line in events:
            yield Outgoing(topics.clusters, key_of_record(orjson.loads(line)), line.rstrip())
    for change, _ in read_state(folder / "state"):
        yield Outgoing(topics.changelog, None, encode(change), partition=0)


def _send(producer: Any, records: Iterator[Outgoing], seconds: float) -> int:
    count = 0
    while run := list(islice(records, _IN_FLIGHT)):
        sent = [producer.send(r.topic, r.value, key=r.key, partition=r.partition) for r in run]
        for future in sent:
            future.get(timeout=seconds)
        count += len(sent)
    return count
