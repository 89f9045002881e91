"""Corrections, kills, repetitions and late kills on real Kafka, while workers die: as in the model and the embedded run."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from config.settings import Settings
from pipeline.changelog import decode
from pipeline.dates import format_date
from pipeline.matcher import Matcher, WindowRules
from tests.conftest import ROOT
from tests.histories import ENGINE, HOUR, Model, Step
from tests.kafka.broker import KafkaBroker
from tests.kafka.deployment import Deployment
from tests.kafka.topic import read_committed
from tests.kafka.waiting import wait_for
from tests.runs import cluster, partition
from workers.state import load_matcher

STORIES = 60
START_MS = 1_773_100_800_000


def sentence(story: int, number: int) -> str:
    """A sentence whose words occur in no other story."""
    words = [
        f"{syllable}{chr(97 + number)}{story}q" for syllable in ("bal", "den", "fim", "gur", "hok", "jal")
    ]
    return f"{' '.join(words).capitalize()} {1000 + 17 * story + number}."


def text(story: int, first: int, last: int) -> str:
    """A stretch of a story."""
    return " ".join(sentence(story, number) for number in range(first, last + 1))


def history(chance: random.Random) -> list[Step]:
    """Stories with copies, bridges, corrections and kills, in a random order of all their records."""
    steps = []
    for story in range(STORIES):
        whole, start, end = text(story, 0, 7), text(story, 0, 3), text(story, 2, 7)
        ids = [f"s{story}-{n}" for n in range(5)]
        hour = story % 20
        steps += [
            Step(ids[0], start, hour),
            Step(ids[1], end, hour + 1),
            Step(ids[2], whole, hour, 1),
            Step(ids[3], whole, hour + 2, 1),
            Step(ids[4], end, hour + 3),
        ]
        # the bridges between beginning and end go, in one way or another
        steps.append(chance.choice([Step(ids[2], kill=True), Step(ids[2], start, hour, 2)]))
        steps.append(
            chance.choice([Step(ids[3], kill=True, version=1), Step(ids[3], text(story, 4, 7), hour + 2, 3)])
        )
        if story % 3 == 0:
            steps.append(Step(f"s{story}-never", kill=True))
            steps.append(Step(ids[0], start, hour))
        if story % 4 == 0:
            steps.append(Step(ids[2], whole, hour, 4))
    chance.shuffle(steps)
    return steps


def line(step: Step) -> bytes:
    """A record of the input."""
    record: dict[str, Any] = {"id": step.id, "published_at": format_date(START_MS + step.hour * HOUR)}
    if step.version:
        record["version"] = step.version
    record |= {"kind": "kill", "reason": "wrong"} if step.kill else {"text": step.text}
    return orjson.dumps(record)


def embedded(lines: list[bytes], folder: Path) -> set[frozenset[str]]:
    """The clusters of an embedded run."""
    return partition(load_matcher(cluster(ENGINE, Settings(), lines, folder / "embedded")))


def followed(deployment: Deployment) -> set[frozenset[str]]:
    """The clusters as a reader knows them: the last answer of each article, and the merges."""
    heirs: dict[str, str] = {}
    for record in read_committed(deployment.bootstrap, deployment.kafka.topics.clusters):
        event = orjson.loads(record.value)
        if event["event"] == "merged":
            heirs[event["merged_id"]] = event["cluster_id"]
    last: dict[str, dict[str, Any]] = {}
    for record in read_committed(deployment.bootstrap, deployment.kafka.topics.clustered):
        answer = orjson.loads(record.value)
        last[answer["article_id"]] = answer
    found: dict[str, set[str]] = {}
    for article_id, answer in last.items():
        name = answer["cluster_id"]
        while name in heirs:
            name = heirs[name]
        if answer["relation"] != "killed":
            found.setdefault(name, set()).add(article_id)
    return {frozenset(ids) for ids in found.values()}


@pytest.mark.timeout(600)
def test_stories_live_on_kafka_as_in_the_model_while_workers_die(
    live_broker: KafkaBroker, fresh: Callable[[str], str], tmp_path: Path
) -> None:
    chance = random.Random(11)
    steps = history(chance)
    model = Model(7 * 24 * HOUR)
    for step in steps:
        model.take(step)
    expected = model.partition()
    lines = [line(step) for step in steps]
    assert embedded(lines, tmp_path) == expected
    share = len(lines) // 8
    with Deployment(tmp_path, live_broker.bootstrap, fresh) as deployment:
        workers = ["sign-0", "sign-1", "match-0", "match-1"]
        for worker in workers:
            deployment.start(worker)
        for turn in range(8):
            deployment.produce(lines[turn * share : (turn + 1) * share if turn < 7 else len(lines)])
            victim = chance.choice(workers)
            deployment.kill(victim)
            deployment.start(victim)
        answered = wait_for(
            "an answer to every record",
            lambda: (
                found
                if len(found := [a for a in deployment.answers() if not a.get("moved")]) >= len(lines)
                else None
            ),
            240,
            every=0.3,
        )
        assert len(answered) == len(lines)
        events = [
            orjson.loads(r.value)
            for r in read_committed(live_broker.bootstrap, deployment.kafka.topics.clusters)
        ]
        assert followed(deployment) == expected
        changes = read_committed(live_broker.bootstrap, deployment.kafka.topics.changelog)
        matcher = Matcher(ENGINE.fingerprint, WindowRules(max_lateness_ms=None))
        for record in changes:
            matcher.apply(decode(record.value)[0])
        assert partition(matcher) == expected
        answers = deployment.answers()
    kinds = {event["event"] for event in events}
    assert kinds >= {"created", "merged", "split", "shrunk", "killed"}
    assert sum(a["relation"] == "killed" and a["cluster_id"] is None for a in answered) >= STORIES // 3
    assert any(a.get("replaces") for a in answered)
    for name, records in (("clustered", answers), ("cluster-event", events)):
        schema = orjson.loads((ROOT / "config" / "schemas" / f"{name}.schema.json").read_bytes())
        validator = Draft202012Validator(schema)
        for record in records:
            validator.validate(record)
