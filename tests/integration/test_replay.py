"""Restoring from a partition: everything that was committed, also what becomes visible late."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from kafka import TopicPartition

from config.kafka import KafkaSettings
from tests.kafka import topic
from tests.kafka.waiting import wait_for
from workers.kafka.client import make_admin, make_consumer, make_producer
from workers.kafka.replay import Replay

pytestmark = pytest.mark.kafka


def test_waits_for_a_transaction_that_is_still_completing(
    settings: KafkaSettings, fresh: Callable[[str], str]
) -> None:
    name = topic.create(settings.bootstrap_servers[0], fresh("changelog"))
    producer = make_producer(settings, fresh("owner"))
    producer.init_transactions()
    for number in range(3):
        producer.begin_transaction()
        producer.send(name, b"%d" % number).get(timeout=10)
        if number < 2:
            producer.commit_transaction()
    # The third is in the log but not committed: a reader that stops at the stable offset would miss it.
    consumer, admin = make_consumer(settings, None), make_admin(settings)
    replay = Replay(consumer, admin, TopicPartition(name, 0))
    records: list[Any] = []
    committing = threading.Timer(0.5, producer.commit_transaction)
    committing.start()

    def restored() -> bool:
        records.extend(replay.slice())
        return replay.done

    wait_for("the replay", restored)
    assert [record.value for record in records] == [b"0", b"1", b"2"]
    committing.join()
    for client in (producer, consumer, admin):
        client.close()


def test_an_empty_changelog_is_restored_at_once(settings: KafkaSettings, fresh: Callable[[str], str]) -> None:
    name = topic.create(settings.bootstrap_servers[0], fresh("changelog"))
    consumer, admin = make_consumer(settings, None), make_admin(settings)
    replay = Replay(consumer, admin, TopicPartition(name, 0))
    assert replay.done
    consumer.close()
    admin.close()
