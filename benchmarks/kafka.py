"""Speed of the Kafka roles against a bare kafka-python copy loop: `make bench-kafka`.

Everything runs on one broker on this machine, in one run: the copy loop, `sign` and
`match` over the same real articles, a matcher's restore from its changelog beside a bare
consumer, and the latency from produce to `articles.clustered` at 200 articles a second.
Writes ``benchmarks/results/kafka.json``.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import orjson
from kafka import KafkaProducer, TopicPartition

from benchmarks.copy_loop import consume, copy_bare
from benchmarks.engine import ROOT, lines_of, machine
from config.settings import Settings
from pipeline.engine import Engine
from pipeline.matcher import Matcher
from pipeline.signed import decode_signed, encode_signed
from tests.kafka import topic
from tests.kafka.broker import KafkaBroker
from tests.kafka.deployment import Deployment
from workers.health import Health
from workers.kafka.client import make_admin, make_consumer
from workers.kafka.desk import Desk
from workers.kafka.match import MatchStep
from workers.kafka.records import Outcome, Record
from workers.kafka.replay import Replay
from workers.kafka.sign import SignStep
from workers.kafka.step import Step
from workers.kafka.stop import StopFlag
from workers.kafka.worker import run_worker
from workers.metrics import Metrics

RESULTS = ROOT / "benchmarks/results/kafka.json"
SETS = ("background_us2018", "background_multinews", "reuters_stream")
RATE_PER_SECOND = 200


class Timed:
    """Wraps a step: takes the time from its first batch to the commit of the last, then stops the worker."""

    def __init__(self, step: Step, records: int, stop: StopFlag) -> None:
        self._step = step
        self._left = records
        self._pending = 0
        self._stop = stop
        self._started: float | None = None
        self.seconds = 0.0

    def on_assigned(self, partitions: Collection[TopicPartition]) -> None:
        self._step.on_assigned(partitions)

    def on_revoked(self, partitions: Collection[TopicPartition]) -> None:
        self._step.on_revoked(partitions)

    def ready(self) -> bool:
        return self._step.ready()

    def process(self, records: Sequence[Record]) -> Outcome:
        if self._started is None:
            self._started = time.perf_counter()
        self._pending = len(records)
        return self._step.process(records)

    def reject(self, record: Record, error: BaseException) -> Outcome:
        raise RuntimeError(f"offset {record.offset} failed: {error}") from error

    def idle(self) -> Outcome | None:
        return self._step.idle()

    def committed(self) -> None:
        self._step.committed()
        self._left -= self._pending
        self._pending = 0
        if self._left <= 0 and self._started is not None:
            self.seconds = time.perf_counter() - self._started
            self._stop.request()

    def aborted(self) -> None:
        self._step.aborted()


def run_role(settings: Settings, group: str, source: str, step: Step, records: int) -> float:
    """Return the seconds that a worker takes for ``records`` records that wait in ``source``."""
    stop = StopFlag(30.0)
    timed = Timed(step, records, stop)
    code = run_worker(settings.kafka, group=group, slot="0", topic=source, make_step=lambda: timed, stop=stop)
    if code:
        raise RuntimeError(f"the worker ended with {code!r}")
    return timed.seconds


def restore_rate(settings: Settings, fingerprint: str) -> tuple[float, int]:
    """Return articles a second of folding the changelog, and how many it holds."""
    kafka = settings.kafka
    at = TopicPartition(kafka.topics.changelog, 0)
    desk = Desk(
        at,
        Matcher(fingerprint),
        lambda: Replay(make_consumer(kafka, None, "bench-restore"), make_admin(kafka), at),
    )
    started = time.perf_counter()
    desk.take_over()
    while not desk.restored:
        desk.follow(0.1)
    return len(desk.matcher) / (time.perf_counter() - started), len(desk.matcher)


def latencies(deployment: Deployment, lines: Sequence[bytes], seconds: float) -> list[float]:
    """Return the seconds from produce to a read-committed reader, at :data:`RATE_PER_SECOND`."""
    for worker in ("sign-0", "match-0"):
        deployment.start(worker)
    warm = [
        orjson.dumps({"id": f"warm-{n}", "text": f"warming up number {n} of the workers"}) for n in range(20)
    ]
    deployment.produce(warm)
    deadline = time.monotonic() + 60
    while len(deployment.answers()) < len(warm) and time.monotonic() < deadline:
        pass
    reader = topic.reader(deployment.bootstrap, deployment.kafka.topics.clustered)
    sent: dict[str, float] = {}
    found: list[float] = []
    count = int(seconds * RATE_PER_SECOND)

    def produce() -> None:
        producer = KafkaProducer(bootstrap_servers=deployment.bootstrap)
        begun = time.perf_counter()
        for n, line in enumerate(lines[:count]):
            time.sleep(max(0.0, begun + n / RATE_PER_SECOND - time.perf_counter()))
            identifier = orjson.loads(line)["id"]
            sent[identifier] = time.perf_counter()
            producer.send(deployment.kafka.topics.articles, line, key=identifier.encode())
        producer.close()

    thread = threading.Thread(target=produce)
    thread.start()
    deadline = time.monotonic() + seconds + 60
    while len(found) < count and time.monotonic() < deadline:
        for records in reader.poll(timeout_ms=20).values():
            now = time.perf_counter()
            found += [now - sent[key] for r in records if (key := r.key.decode()) in sent]
    thread.join()
    reader.close()
    return found


def main() -> None:
    """Run the bench and write its results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--latency-seconds", type=float, default=20.0)
    options = parser.parse_args()
    lines = lines_of(SETS)[: options.articles]
    engine = Engine()
    results: dict[str, Any] = {
        "articles": len(lines),
        "mean_input_bytes": round(sum(map(len, lines)) / len(lines)),
    }
    with KafkaBroker() as broker, tempfile.TemporaryDirectory() as folder:
        token = uuid.uuid4().hex[:6]
        with Deployment(Path(folder), broker.bootstrap, lambda role: f"{role}.{token}") as deployment:
            # the defaults, not the small batches that suit the tests
            settings = deployment.settings.model_copy(
                update={"kafka": deployment.kafka.model_copy(update={"batches": Settings().kafka.batches})}
            )
            kafka = settings.kafka
            deployment.produce(lines)
            target = topic.create(broker.bootstrap, f"copies.{token}", 6)
            consume(kafka, kafka.topics.articles, len(lines))
            consumer_rate = consume(kafka, kafka.topics.articles, len(lines))
            copy_rate = copy_bare(kafka, kafka.topics.articles, target, len(lines))
            engine.sketcher.sketch([])
            sign_seconds = run_role(
                settings,
                kafka.groups.sign,
                kafka.topics.articles,
                SignStep(engine, settings, Metrics(), Health()),
                len(lines),
            )
            packed = topic.read_committed(broker.bootstrap, kafka.topics.signed)
            # The copy loop's view of `match`: the same signed articles, one record each.
            single = topic.create(broker.bootstrap, f"single.{token}", 1)
            parts = (decode_signed(record.value) for record in packed)
            topic.fill(
                broker.bootstrap,
                single,
                (
                    (part.ids[n].encode(), encode_signed(part.between(n, n + 1), engine.fingerprint))
                    for part in parts
                    for n in range(len(part))
                ),
            )
            signed_copy_rate = copy_bare(kafka, single, target, len(lines))
            match_seconds = run_role(
                settings,
                kafka.groups.match,
                kafka.topics.signed,
                MatchStep(
                    engine.fingerprint,
                    settings,
                    Metrics(),
                    Health(),
                    lambda at: Replay(make_consumer(kafka, None, "bench-match"), make_admin(kafka), at),
                ),
                len(packed),
            )
            restored_rate, restored = restore_rate(settings, engine.fingerprint)
            results |= {
                "consume_per_second": round(consumer_rate),
                "copy_loop_per_second": round(copy_rate),
                "sign_per_second": round(len(lines) / sign_seconds),
                "sign_vs_copy_loop": round(len(lines) / sign_seconds / copy_rate, 2),
                "signed_copy_loop_per_second": round(signed_copy_rate),
                "match_per_second": round(len(lines) / match_seconds),
                "match_vs_copy_loop": round(len(lines) / match_seconds / signed_copy_rate, 2),
                "restore_articles_per_second": round(restored_rate),
                "restored_articles": restored,
            }
        with Deployment(Path(folder), broker.bootstrap, lambda role: f"latency.{role}.{token}") as deployment:
            found = latencies(deployment, lines, options.latency_seconds)
            results |= {
                "latency_rate_per_second": RATE_PER_SECOND,
                "latency_p50_seconds": round(statistics.median(found), 3),
                "latency_p99_seconds": round(statistics.quantiles(found, n=100)[98], 3),
            }
    results |= machine()
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_bytes(orjson.dumps(results, option=orjson.OPT_INDENT_2) + b"\n")
    print(RESULTS.read_text())


if __name__ == "__main__":
    main()
