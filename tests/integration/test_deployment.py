"""Real workers on a real broker: killed at random, paused, taken over. Nothing lost, doubled or renamed."""

import gzip
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaProducer

from config.settings import load_settings
from pipeline.dates import format_date
from pipeline.engine import Engine
from tests.conftest import NEWS, SAMPLE
from tests.kafka.broker import KafkaBroker
from tests.kafka.deployment import Deployment
from tests.kafka.topic import read_committed
from tests.kafka.waiting import wait_for
from tests.runs import cluster, partition
from workers.kafka import deadletters
from workers.state import load_matcher

pytestmark = pytest.mark.kafka

ARTICLES = 20_000
KILLS = 40
FIRST_MS = 1_790_000_000_000


def stream(count: int) -> list[bytes]:
    """Articles a second apart: real news where it is, else the sample over and over with other words.

    Real articles appear once each; every tenth is followed by a trimmed copy of itself, so that many
    clusters have members that arrive far apart.
    """
    texts: list[tuple[str, str]] = []
    path = NEWS / "background_multinews.jsonl.gz"
    if path.exists():
        with gzip.open(path) as lines:
            texts = [(a["title"], a["text"]) for a in map(orjson.loads, lines)]
    else:
        originals = [orjson.loads(line) for line in SAMPLE.read_bytes().splitlines()]
        for turn in range(count // len(originals) + 1):
            for article in originals:
                words = [f"{w}{turn}" if len(w) > 6 and turn else w for w in article["text"].split(" ")]
                texts.append((article["title"], " ".join(words)))
    shuffled = random.Random(7)
    articles: list[dict[str, Any]] = []
    for title, text in texts:
        articles.append({"title": title, "text": text})
        if shuffled.random() < 0.1:
            articles.append({"title": title, "text": text[: max(400, len(text) * 4 // 5)]})
        if len(articles) >= count:
            break
    articles = articles[:count]
    shuffled.shuffle(articles)
    return [
        orjson.dumps({"id": f"a{n:05d}", **article, "published_at": format_date(FIRST_MS + 1000 * n)})
        for n, article in enumerate(articles)
    ]


def embedded(lines: list[bytes], folder: Path) -> set[frozenset[str]]:
    """The partition that one uninterrupted embedded run gives."""
    return partition(load_matcher(cluster(Engine(), load_settings(), lines, folder / "embedded")))


@pytest.fixture
def deployment(tmp_path: Path, live_broker: KafkaBroker, fresh: Callable[[str], str]) -> Deployment:
    """A deployment on fresh topics."""
    return Deployment(tmp_path, live_broker.bootstrap, fresh)


@pytest.mark.timeout(900)
def test_no_kill_loses_doubles_or_renames_anything(
    deployment: Deployment, live_broker: KafkaBroker, tmp_path: Path
) -> None:
    lines = stream(ARTICLES)
    expected = embedded(lines, tmp_path)
    assert max(map(len, expected)) > 1
    chance = random.Random(3)
    workers = ["sign-0", "sign-1", "sign-2", "match-0", "match-1"]
    share = len(lines) // KILLS
    with deployment:
        for worker in workers:
            deployment.start(worker)
        for turn in range(KILLS):
            # The input goes on while workers die: each kill meets work in flight.
            deployment.produce(lines[turn * share : (turn + 1) * share if turn + 1 < KILLS else len(lines)])
            time.sleep(chance.uniform(0.2, 1.5))  # not a wait for anything: the moment of the kill is random
            victim = chance.choice(workers)
            deployment.kill(victim)
            deployment.start(victim)
            if turn == KILLS // 2:
                live_broker.restart(kill=True)
        seen: list[dict[str, Any]] = []

        def complete() -> bool:
            for (
                worker
            ) in workers:  # what gives up while the broker is away is restarted, as a supervisor does
                if deployment.processes[worker].poll() is not None:
                    deployment.start(worker)
            seen[:] = deployment.answers()
            return len({answer["article_id"] for answer in seen}) >= len(lines)

        wait_for("every article in articles.clustered", complete, seconds=300, every=2.0)
        counts = Counter(answer["article_id"] for answer in seen)
        assert set(counts) == {f"a{n:05d}" for n in range(len(lines))}
        assert set(counts.values()) == {1}
        assert deployment.partition(seen) == expected


@pytest.mark.timeout(300)
def test_a_standby_publishes_within_15_seconds_of_its_owners_death(deployment: Deployment) -> None:
    lines = stream(600)
    with deployment:
        for worker in ("sign-0", "match-0"):
            deployment.start(worker)
        deployment.produce(lines[:300])
        wait_for("the first half", lambda: len(deployment.answers()) == 300, seconds=90, every=0.5)
        deployment.start("match-1")
        wait_for(
            "a standby in the group",
            lambda: any(e["event"] == "worker_started" for e in deployment.log_of("match-1")),
            seconds=60,
        )
        deployment.kill("match-0")
        died = time.monotonic()
        deployment.produce(lines[300:])
        wait_for("an answer of the standby", lambda: len(deployment.answers()) > 300, seconds=60, every=0.2)
        assert time.monotonic() - died < 15
        wait_for("the second half", lambda: len(deployment.answers()) == 600, seconds=60, every=0.5)
        restored = [e for e in deployment.log_of("match-1") if e["event"] == "desk_restored"]
        assert restored
        assert restored[-1]["articles"] == 300


@pytest.mark.timeout(300)
def test_a_paused_owner_that_wakes_up_writes_nothing(deployment: Deployment) -> None:
    lines = stream(900)
    with deployment:
        for worker in ("sign-0", "match-0"):
            deployment.start(worker)
        deployment.produce(lines[:300])
        wait_for("the first third", lambda: len(deployment.answers()) == 300, seconds=90, every=0.5)
        deployment.start("match-1")
        wait_for(
            "a standby in the group",
            lambda: any(e["event"] == "worker_started" for e in deployment.log_of("match-1")),
            seconds=60,
        )
        deployment.signal("match-0", signal.SIGSTOP)
        deployment.produce(lines[300:600])
        wait_for("the second third", lambda: len(deployment.answers()) == 600, seconds=60, every=0.5)
        deployment.signal("match-0", signal.SIGCONT)
        deployment.produce(lines[600:])
        wait_for("the last third", lambda: len(deployment.answers()) == 900, seconds=60, every=0.5)
        counts = Counter(answer["article_id"] for answer in deployment.answers())
        assert set(counts.values()) == {1}


@pytest.mark.timeout(300)
def test_bad_records_become_dead_letters_and_nothing_else_stops(deployment: Deployment) -> None:
    good = stream(20)
    topics = deployment.kafka.topics
    with deployment:
        deployment.start("sign-0")
        deployment.start("match-0")
        producer = KafkaProducer(bootstrap_servers=deployment.bootstrap)
        bad = {
            b"not json": b"malformed",
            b'{"id": "x"}': b"missing_text",
            b'{"id": "y", "text": "z", "schema": "samewire.input/9"}': b"unknown_schema",
        }
        for value in bad:
            producer.send(topics.articles, value)
        producer.send(topics.articles, None, key=b"gone")
        for line in good:
            producer.send(topics.articles, line)  # a null key is no defect
        producer.send(topics.signed, b"not a signed record", partition=0)
        producer.flush()
        producer.close()
        wait_for("the good ones", lambda: len(deployment.answers()) == len(good), seconds=90, every=0.5)
        letters = wait_for(
            "the dead letters",
            lambda: found if len(found := read_committed(deployment.bootstrap, topics.dead)) == 5 else None,
            seconds=60,
            every=0.5,
        )
        reasons = Counter(deadletters.header(letter.headers, deadletters.REASON) for letter in letters)
        assert reasons == Counter([*bad.values(), b"tombstone", b"damaged"])
        by_value = {letter.value: letter for letter in letters}
        assert set(bad) <= set(by_value)
        assert (
            deadletters.header(by_value[b"not json"].headers, deadletters.TOPIC) == topics.articles.encode()
        )
