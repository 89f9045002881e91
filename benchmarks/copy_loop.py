"""How fast kafka-python copies and reads at all: the yardstick for `sign` and `match`.

    python -m benchmarks.copy_loop [--records 50000] [--bootstrap host:port]

Starts a broker of its own unless one is given, and prints one JSON line: records a second of the bare
consumer, of the bare transactional copy loop, and of the same loop through samewire's guarded producer.
"""

import argparse
import json
import random
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition

from config.kafka import KafkaSettings
from tests.kafka import topic
from tests.kafka.broker import KafkaBroker
from workers.kafka.client import consumer_config, make_consumer, make_producer, slot_id
from workers.kafka.joining import JoinNudge
from workers.kafka.records import Outgoing
from workers.kafka.transaction import Committed, TransactionalProducer

RECORD_BYTES = 3000


def articles(count: int) -> Iterator[tuple[bytes, bytes]]:
    """JSON records of some 3 KB whose words repeat as in a language, so that compression has work to do."""
    rng = random.Random(1)
    words = ["".join(rng.choices("etaoinshrdlu", k=rng.randint(2, 10))) for _ in range(20_000)]
    weights = [1 / (rank + 1) for rank in range(len(words))]
    pool = rng.choices(words, weights, k=400_000)
    for number in range(count):
        start = rng.randrange(len(pool) - 600)
        text = " ".join(pool[start : start + 600])[: RECORD_BYTES - 100]
        yield (
            b"a%07d" % number,
            json.dumps({"id": f"a{number:07d}", "title": text[:60], "text": text}).encode(),
        )


@contextmanager
def _member(settings: KafkaSettings, source: str) -> Iterator[tuple[KafkaConsumer, str]]:
    group = f"bench.{uuid.uuid4().hex[:8]}"
    consumer = make_consumer(settings, group)
    consumer.subscribe([source])
    nudge = JoinNudge()
    while not (nudge.stable(consumer) and consumer.assignment()):
        consumer.poll(timeout_ms=50, max_records=1)
    consumer.seek_to_beginning()
    yield consumer, group
    consumer.close(autocommit=False, timeout_ms=5000)


def _timed(consumer: Any, count: int, use: Callable[[Any], None]) -> float:
    """Records a second from the first poll to the last commit."""
    seen = 0
    started = time.perf_counter()
    while seen < count:
        polled = consumer.poll(timeout_ms=200)
        if polled:
            use(polled)
            seen += sum(map(len, polled.values()))
    return count / (time.perf_counter() - started)


def consume(settings: KafkaSettings, source: str, count: int) -> float:
    """The bare consumer: read and decode."""
    consumer = KafkaConsumer(**consumer_config(settings, None, "bench"))
    consumer.assign(
        [TopicPartition(source, number) for number in sorted(consumer.partitions_for_topic(source))]
    )
    rate = _timed(consumer, count, lambda _: None)
    consumer.close()
    return rate


def copy_bare(settings: KafkaSettings, source: str, target: str, count: int) -> float:
    """The loop as a tutorial writes it: poll, send, offsets, commit; no future is checked."""
    with _member(settings, source) as (consumer, group):
        producer = make_producer(settings, slot_id(group, "0"))
        producer.init_transactions()

        def copy(polled: Any) -> None:
            metadata = consumer.group_metadata()
            producer.begin_transaction()
            for records in polled.values():
                for record in records:
                    producer.send(target, record.value, record.key)
            positions = {
                at: OffsetAndMetadata(records[-1].offset + 1, "", -1) for at, records in polled.items()
            }
            producer.send_offsets_to_transaction(positions, metadata)
            producer.commit_transaction()

        rate = _timed(consumer, count, copy)
        producer.close()
        return rate


def copy_guarded(settings: KafkaSettings, source: str, target: str, count: int) -> float:
    """The same loop through `TransactionalProducer`, with every check."""
    with _member(settings, source) as (consumer, group):
        producer = TransactionalProducer(
            lambda: make_producer(settings, slot_id(group, "0")), settings.transactions
        )
        producer.open()

        def copy(polled: Any) -> None:
            metadata = consumer.group_metadata()
            outgoing = [
                Outgoing(target, record.key, record.value)
                for records in polled.values()
                for record in records
            ]
            offsets = {at: records[-1].offset + 1 for at, records in polled.items()}
            verdict = producer.publish(outgoing, offsets, metadata, lambda _: {})
            assert isinstance(verdict, Committed)

        rate = _timed(consumer, count, copy)
        producer.close()
        return rate


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=50_000)
    parser.add_argument("--bootstrap", help="an existing broker; by default one is started")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        bootstrap = arguments.bootstrap or stack.enter_context(KafkaBroker()).bootstrap
        settings = KafkaSettings.model_validate(
            {"bootstrap_servers": [bootstrap], "topics": {"replication_factor": 1}}
        )
        token = uuid.uuid4().hex[:6]
        source = topic.create(bootstrap, f"bench.source.{token}", 4)
        target = topic.create(bootstrap, f"bench.target.{token}", 4)
        topic.fill(bootstrap, source, articles(arguments.records))
        # Once for warmth: the broker's code is compiled and the log is in memory.
        consume(settings, source, arguments.records)
        result = {
            "records": arguments.records,
            "record_bytes": RECORD_BYTES,
            "consume_per_second": round(consume(settings, source, arguments.records)),
            "copy_bare_per_second": round(copy_bare(settings, source, target, arguments.records)),
            "copy_guarded_per_second": round(copy_guarded(settings, source, target, arguments.records)),
        }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
