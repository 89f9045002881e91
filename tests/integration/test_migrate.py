"""A new engine rolled out beside the one that serves, on a real broker."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import TopicPartition

from config.settings import load_settings
from pipeline.article import parse_line
from pipeline.engine import Engine
from pipeline.errors import StateError
from pipeline.matcher import Matcher
from pipeline.weights import build_table
from tests.conftest import SAMPLE
from tests.kafka import topic
from tests.kafka.broker import KafkaBroker
from tests.kafka.deployment import ROOT, Deployment
from tests.kafka.waiting import wait_for
from tests.runs import cluster
from workers.kafka.client import make_admin
from workers.kafka.errors import TopicsWrongError
from workers.kafka.groups import group_positions
from workers.kafka.restored import fold_partition
from workers.migrate.chase import Chase
from workers.migrate.hand_over import hand_over
from workers.migrate.prepare import prepare
from workers.migrate.rollout import compare_deployments
from workers.state import window_rules

pytestmark = pytest.mark.kafka
LINES = SAMPLE.read_bytes().splitlines()


@pytest.fixture
def old(live_broker: KafkaBroker, tmp_path: Path, fresh: Callable[[str], str]) -> Deployment:
    (tmp_path / "old").mkdir()
    return Deployment(tmp_path / "old", live_broker.bootstrap, fresh)


@pytest.fixture
def new(old: Deployment, tmp_path: Path) -> Deployment:
    """Another engine: the words of half of the sample say nothing to it."""
    folder = tmp_path / "new"
    folder.mkdir()
    articles = old.kafka.topics.articles

    def name(role: str) -> str:
        return articles if role == "articles" else articles.replace("articles", f"v2-{role}")

    made = Deployment(folder, old.bootstrap, name)
    words = {word.strip('.,"').lower() for line in LINES[:60] for word in orjson.loads(line)["text"].split()}
    build_table(dict.fromkeys(words, 0.05)).save(folder / "new.terms")
    made.config.write_text(f'{made.config.read_text()}\n[engine]\nterms = "{folder / "new.terms"}"\n')
    made.settings = load_settings(made.config)
    return made


def migrate(old: Deployment, new: Deployment, *more: str) -> subprocess.CompletedProcess[bytes]:
    command = [
        "migrate",
        "--old-config",
        str(old.config),
        "--config",
        str(new.config),
        "--signers",
        "1",
        *more,
    ]
    return subprocess.run(
        [sys.executable, "-m", "workers.cli", *command],
        cwd=ROOT,
        capture_output=True,
        env=os.environ | {"SAMEWIRE_LOG__FORMAT": "json"},
        timeout=200,
        check=False,
    )


def answered(deployment: Deployment, count: int) -> list[dict[str, Any]]:
    return wait_for(
        f"{count} answers",
        lambda: a if len(a := deployment.answers()) == count else None,
        seconds=90,
        every=0.5,
    )


@pytest.mark.timeout(500)
def test_a_new_engine_is_rolled_out_while_the_old_one_serves(old: Deployment, new: Deployment) -> None:
    with old, new_processes(new):
        for worker in ("sign-0", "match-0"):
            old.start(worker)
        old.produce(LINES[:80])
        answered(old, 80)
        done = migrate(old, new, "--json", "--most-regrouped", "0.001")
        assert done.returncode == 23, done.stderr.decode()
        report = orjson.loads(done.stdout)
        assert (report["articles"], report["compared"], report["only_old"], report["only_new"]) == (
            80,
            80,
            0,
            0,
        )
        assert report["split"]
        before, after = (place(each) for each in (old, new))
        for a, b in report["split_pairs"].values():
            assert before[a] == before[b]
            assert after[a] != after[b]

        # it can be repeated, and the old one has gone on meanwhile
        old.produce(LINES[80:])
        answered(old, 106)
        done = migrate(old, new)
        assert done.returncode == 0, done.stderr.decode()
        said = " ".join(done.stdout.decode().split())
        assert "106 articles stand in both" in said
        assert "To switch: start the workers" in said
        assert len({a["article_id"] for a in new.answers()}) == len(new.answers()) == 106

        # the switch: its workers run elsewhere now
        for worker in ("sign-0", "match-0"):
            new.start(worker)
        wait_for("members", lambda: len(topic.members(new.bootstrap, new.kafka.groups.sign)) == 1)
        refused = migrate(old, new)
        assert refused.returncode == 5
        assert b"add --watch" in refused.stderr
        watched = migrate(old, new, "--watch", "--json")
        assert watched.returncode == 0, watched.stderr.decode()
        assert orjson.loads(watched.stdout)["compared"] == 106
        for worker in ("sign-0", "match-0"):
            old.kill(worker)
        copy = orjson.loads(LINES[0]) | {"id": "copy"}
        old.produce([orjson.dumps(copy)])
        (answer,) = (a for a in answered(new, 107) if a["article_id"] == "copy")
        assert answer["matched_id"] == orjson.loads(LINES[0])["id"]
        assert len(old.answers()) == 106


class new_processes:  # noqa: N801 - a context, named for what it ends
    """Ends the new deployment's processes without making its topics, which is the migration's work."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        self._deployment.__exit__()


def place(deployment: Deployment) -> dict[str, frozenset[str]]:
    """The cluster that each article stands in, as the outputs tell."""
    clusters = deployment.partition(deployment.answers())
    return {article_id: cluster for cluster in clusters for article_id in cluster}


@pytest.mark.timeout(300)
def test_an_archive_comes_in_beside_a_deployment_that_serves(
    old: Deployment, new: Deployment, engine: Engine, tmp_path: Path
) -> None:
    """The second deployment begins with the archive, catches up with the stream, and knows both."""
    lines = sorted(LINES, key=lambda line: str(orjson.loads(line)["published_at"]))
    new.config.write_text(new.config.read_text().replace("[engine]", "").split("terms =")[0])
    new.settings = load_settings(new.config)
    archive = cluster(engine, new.settings, lines[:60], tmp_path / "archive")
    whole = Matcher(engine.fingerprint, window_rules(new.settings, live=True))
    articles = [parse_line(line) for line in lines]
    whole.match(
        [a.id for a in articles], [a.published_ms or 0 for a in articles], engine.sketcher.sketch(articles)
    )
    with old, new_processes(new):
        prepare(new.settings, None)
        hand_over(new.settings, engine.fingerprint, archive, 0)
        for each in ("sign-0", "match-0"):
            old.start(each)
        old.produce(lines[50:])
        answered(old, 56)
        done = migrate(old, new, "--json")
        assert done.returncode == 0, done.stderr.decode()
        report = orjson.loads(done.stdout)
        assert (report["compared"], report["only_old"], report["only_new"]) == (56, 0, 50)
        at = TopicPartition(new.kafka.topics.changelog, 0)
        restored = fold_partition(new.kafka, at, window_rules(new.settings, live=True))
        assert restored is not None
        assert partition(restored) == partition(whole)


def partition(matcher: Matcher) -> set[frozenset[str]]:
    return {frozenset(cluster.article_ids) for cluster in matcher.clusters()}


def test_signers_begin_where_the_window_does(old: Deployment, new: Deployment) -> None:
    with pytest.raises(TopicsWrongError, match="there is nothing to migrate"):
        prepare(new.settings, None)
    with old:
        old.produce(LINES[:10])
        middle = wait_for(
            "ten records", lambda: topic.read_committed(old.bootstrap, old.kafka.topics.articles)
        )
        # what comes later than all of the first ten
        since_ms = max(record.timestamp for record in middle) + 1
        wait_for("the next millisecond", lambda: now_ms() > since_ms)
        old.produce(LINES[10:15])
        beginning = prepare(new.settings, since_ms)
        assert beginning.set_now
        assert not beginning.short
        with Chase(old.kafka, new.kafka) as chase:
            assert chase.behind().articles == 5
        assert not prepare(new.settings, 0).set_now
        admin = make_admin(new.kafka)
        positions = group_positions(admin, new.kafka.groups.sign)
        admin.close()
        assert sum(positions.values()) == 10
        assert len(positions) == 6
        with pytest.raises(StateError, match="is empty: no article has been matched"):
            compare_deployments(old.settings, new.settings, "sw1-000000000000")


def test_an_input_that_does_not_reach_back_far_enough_is_said(old: Deployment, new: Deployment) -> None:
    with old:
        assert prepare(new.settings, None).oldest_ms is None
        old.produce(LINES[:3])
        assert prepare(new.settings, None).short


def now_ms() -> int:
    import time

    return time.time_ns() // 1_000_000
