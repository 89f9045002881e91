"""An archive becomes the state of a live deployment, on a real broker."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaProducer

from pipeline.engine import Engine
from pipeline.errors import FingerprintError, StateError
from tests.conftest import SAMPLE
from tests.kafka import topic
from tests.kafka.broker import KafkaBroker
from tests.kafka.deployment import ROOT, Deployment
from tests.kafka.waiting import wait_for
from tests.runs import cluster
from workers.journal import Journal
from workers.kafka.errors import TopicsWrongError
from workers.migrate.hand_over import hand_over
from workers.state import load_matcher

pytestmark = pytest.mark.kafka

ARCHIVED = 70


@pytest.fixture
def deployment(live_broker: KafkaBroker, tmp_path: Path, fresh: Callable[[str], str]) -> Deployment:
    return Deployment(tmp_path, live_broker.bootstrap, fresh)


@pytest.fixture
def stream() -> list[bytes]:
    """The sample in order of time."""
    return sorted(SAMPLE.read_bytes().splitlines(), key=lambda line: str(orjson.loads(line)["published_at"]))


@pytest.fixture
def archive(deployment: Deployment, engine: Engine, stream: list[bytes], tmp_path: Path) -> Path:
    """The state of the first part of the stream; its records are larger than the topic takes."""
    return cluster(engine, deployment.settings, stream[:ARCHIVED], tmp_path / "archive")


def ids(line: bytes) -> str:
    return str(orjson.loads(line)["id"])


@pytest.mark.timeout(300)
def test_live_matchers_go_on_from_an_archive(
    deployment: Deployment, archive: Path, stream: list[bytes], tmp_path: Path
) -> None:
    with deployment:
        command = [sys.executable, "-m", "workers.cli", "hand-over", "--state", str(archive), "--json"]
        done = subprocess.run(
            [*command, "--config", str(deployment.config)], cwd=ROOT, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        report = orjson.loads(done.stdout)
        assert report["articles"] == ARCHIVED

        for worker in ("sign-0", "match-0", "match-1"):
            deployment.start(worker)
        repeated = stream[: ARCHIVED // 2]
        deployment.produce([*repeated, *stream[ARCHIVED:]])
        count = len(repeated) + len(stream) - ARCHIVED
        answers = wait_for(
            "all answers",
            lambda: a if len(a := deployment.answers()) == count else None,
            seconds=90,
            every=0.5,
        )
        by_id = {answer["article_id"]: answer for answer in answers}
        assert all(by_id[ids(line)].get("repeated") for line in repeated)
        before = {
            a["article_id"]: a
            for a in map(orjson.loads, (archive.parent / "articles.jsonl").read_bytes().splitlines())
        }
        for line in repeated:
            assert by_id[ids(line)] == before[ids(line)] | {"repeated": True}
        joined = [a for a in answers if not a.get("repeated") and a["matched_id"] in before]
        assert joined
        clusters = {c.name: set(c.article_ids) for c in load_matcher(archive).clusters()}
        for answer in joined:
            assert int(answer["cluster_id"][1:], 16) in clusters

        # the standby takes over what the archive and the live stream have left
        deployment.kill("match-0")
        wait_for(
            "the standby",
            lambda: any(e["event"] == "desk_restored" for e in deployment.log_of("match-1")),
            seconds=60,
        )
        deployment.produce([stream[-1], stream[0]])
        more = wait_for(
            "two more",
            lambda: a if len(a := deployment.answers()) == count + 2 else None,
            seconds=60,
            every=0.5,
        )
        assert all(answer["repeated"] for answer in more[count:])

        with pytest.raises(StateError, match="matchers are running"):
            hand_over(deployment.settings, report["engine"], archive, 0)


@pytest.mark.timeout(300)
def test_what_is_refused_leaves_the_changelog_as_it_was(
    deployment: Deployment, archive: Path, engine: Engine, tmp_path: Path, stream: list[bytes]
) -> None:
    settings = deployment.settings

    def give(state: Path = archive, desk: int = 0, fingerprint: str = engine.fingerprint, **more: Any) -> Any:
        return hand_over(settings.model_copy(update=more), fingerprint, state, desk)

    with pytest.raises(TopicsWrongError, match="samewire topics --apply"):
        give()
    with deployment:
        with pytest.raises(TopicsWrongError, match="partition 1"):
            give(desk=1)
        with pytest.raises(FingerprintError):
            give(fingerprint="sw1-000000000000")
        with pytest.raises(StateError, match="holds no samewire state"):
            give(tmp_path / "nothing")
        with Journal(archive, 1 << 20, sync=False), pytest.raises(StateError, match="in use"):
            give()
        small = settings.window.model_copy(update={"max_articles": 20})
        with pytest.raises(StateError, match=r"window\.max_articles"):
            give(window=small)
        desks = settings.kafka.desks.model_copy(update={"count": 2, "by_language": {"de": 1}})
        with pytest.raises(StateError, match="languages of other desks"):
            give(kafka=settings.kafka.model_copy(update={"desks": desks}))
        assert topic.read_committed(deployment.bootstrap, settings.kafka.topics.changelog) == []

        # records larger than the topic takes go in parts
        lean = settings.kafka.topics.model_copy(update={"max_record_bytes": 10_000})
        done = give(kafka=settings.kafka.model_copy(update={"topics": lean}))
        written = topic.read_committed(deployment.bootstrap, settings.kafka.topics.changelog)
        assert len(written) == done.records > 10
        assert max(len(record.value) for record in written) <= 10_000
        with pytest.raises(StateError, match="has a state already"):
            give()
        assert (
            len(topic.read_committed(deployment.bootstrap, settings.kafka.topics.changelog)) == done.records
        )


def test_a_hand_over_that_dies_leaves_nothing_and_can_be_repeated(
    deployment: Deployment, archive: Path, engine: Engine
) -> None:
    def die(_bytes: int, _records: int) -> None:
        raise StateError("the disk went away")

    with deployment:
        with pytest.raises(StateError, match="went away"):
            hand_over(deployment.settings, engine.fingerprint, archive, 0, die)
        assert topic.read_committed(deployment.bootstrap, deployment.kafka.topics.changelog) == []
        done = hand_over(deployment.settings, engine.fingerprint, archive, 0)
        assert done.articles == ARCHIVED


def test_a_matcher_that_was_faster_is_noticed(
    deployment: Deployment, archive: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the empty changelog and the commit somebody else writes."""
    from workers.migrate import hand_over as module

    def intrude(*arguments: Any) -> None:
        producer = KafkaProducer(bootstrap_servers=deployment.bootstrap)
        producer.send(deployment.kafka.topics.changelog, first.read_bytes(), partition=0).get(timeout=10)
        producer.close()

    (first, *_) = sorted(archive.glob("journal-*"))
    with deployment:
        monkeypatch.setattr(module, "_require_free_desk", intrude)
        with pytest.raises(StateError, match="written by somebody else"):
            hand_over(deployment.settings, engine.fingerprint, archive, 0)
