"""Real workers on a real broker under load, watched by a real Prometheus with the project's own rules.

Every recording rule, every series that an alert looks at and every query of every panel has data; healthy
workers fire nothing, and a dead one does.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from deploy.grafana.boards import BOARDS
from deploy.grafana.render import render
from tests.conftest import ROOT, SAMPLE
from tests.kafka.broker import KafkaBroker, free_ports
from tests.kafka.deployment import Deployment
from tests.kafka.waiting import wait_for
from tests.ops.conftest import require
from tests.ops.prometheus import RULES, Prometheus

pytestmark = pytest.mark.kafka

WORKERS = ("sign-0", "match-0", "match-1")


def fresh_sample(turn: int) -> list[bytes]:
    """The sample stream as of now, with ids and words of its own: its stories are new ones."""
    now = datetime.now(UTC)
    articles = [orjson.loads(line) for line in SAMPLE.read_bytes().splitlines()]
    for number, article in enumerate(articles):
        article["id"] = f"{turn}-{article['id']}"
        if turn:
            article["text"] = " ".join(f"{w}{turn}" if len(w) > 6 else w for w in article["text"].split(" "))
        moment = now - timedelta(seconds=len(articles) - number)
        article["published_at"] = moment.isoformat(timespec="milliseconds")
    return [orjson.dumps(article) for article in articles]


class Watched:
    """A deployment with its Prometheus."""

    def __init__(self, deployment: Deployment, prometheus: Prometheus, ports: dict[str, int]) -> None:
        self.deployment = deployment
        self.prometheus = prometheus
        self.ports = ports
        self.turns = 0

    def load(self) -> None:
        """Send the sample stream once more, one part of it broken."""
        lines = fresh_sample(self.turns)
        self.turns += 1
        self.deployment.produce([*lines, b'{"id": "broken"}'])

    def firing(self) -> set[str]:
        """Return the alerts that fire."""
        found = self.prometheus.query('ALERTS{alertstate="firing"}')
        return {str(each["metric"]["alertname"]) for each in found}


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, broker: KafkaBroker) -> Iterator[Watched]:
    """One signer, a matcher with its standby and an embedded follower, under load for half a minute."""
    require("prometheus")
    broker.start()
    folder = tmp_path_factory.mktemp("watched")
    stamp = os.urandom(4).hex()
    deployment = Deployment(folder, broker.bootstrap, lambda stem: f"{stem}.{stamp}")
    ports = dict(zip((*WORKERS, "run"), free_ports(len(WORKERS) + 1), strict=True))
    targets: dict[str, list[str]] = {}
    for worker, port in ports.items():
        targets.setdefault(worker.split("-")[0], []).append(f"127.0.0.1:{port}")
    with deployment:
        for worker in WORKERS:
            os.environ["SAMEWIRE_METRICS__PORT"] = str(ports[worker])
            os.environ["SAMEWIRE_KAFKA__WATCHDOG__LAG_CHECK_SECONDS"] = "1"
            try:
                deployment.start(worker)
            finally:
                del (
                    os.environ["SAMEWIRE_METRICS__PORT"],
                    os.environ["SAMEWIRE_KAFKA__WATCHDOG__LAG_CHECK_SECONDS"],
                )
            if worker == "match-0":  # the first of the two becomes the owner
                wait_for("match-0", lambda: _events(deployment, "match-0", "worker_started"), seconds=90)
        embedded = _follow(folder, ports["run"])
        try:
            with Prometheus(folder, targets) as prometheus:
                seen = Watched(deployment, prometheus, ports)
                for turn in range(1, 7):
                    seen.load()
                    (folder / "news.jsonl").open("ab").write(b"\n".join(fresh_sample(turn)) + b"\n")
                    wanted = 106 * turn
                    wait_for("answers", partial(_answered, deployment, wanted), seconds=90, every=0.5)
                yield seen
        finally:
            embedded.send_signal(signal.SIGTERM)
            embedded.wait(30)


def _events(deployment: Deployment, worker: str, name: str) -> list[dict[str, Any]]:
    return [event for event in deployment.log_of(worker) if event["event"] == name]


def _answered(deployment: Deployment, number: int) -> bool:
    return len(deployment.answers()) >= number


def _follow(folder: Path, port: int) -> subprocess.Popen[bytes]:
    (folder / "news.jsonl").write_bytes(b"\n".join(fresh_sample(0)) + b"\n")
    command = [sys.executable, "-m", "workers.cli", "run", "--follow", "--input", str(folder / "news.jsonl")]
    command += ["--output", str(folder / "out.jsonl"), "--state", str(folder / "state")]
    with (folder / "run.log").open("wb") as log:
        return subprocess.Popen([*command, "--metrics-port", str(port)], cwd=ROOT, stderr=log)


def rules(kind: str) -> dict[str, str]:
    """Return the rules of a kind (`record` or `alert`) with their expressions."""
    found: dict[str, str] = {}
    for name in ("rules.recording.yaml", "rules.alerts.yaml"):
        for group in yaml.safe_load((RULES / name).read_text())["groups"]:
            found |= {rule[kind]: rule["expr"] for rule in group["rules"] if kind in rule}
    return found


def series_in(expression: str) -> set[str]:
    """Return the metrics that an expression looks at."""
    return set(re.findall(r"\b(?:samewire[_:][a-z0-9_:]+|process_[a-z_]+|up(?=\{))", expression))


@pytest.mark.timeout(600)
def test_every_rule_and_panel_has_data(watched: Watched) -> None:
    prometheus = watched.prometheus
    instances = [f"127.0.0.1:{port}" for port in watched.ports.values()]

    def without_data() -> list[str]:
        empty = [name for name in rules("record") if prometheus.value(name) is None]
        for name, expression in rules("alert").items():
            prometheus.query(expression)
            empty += [f"{name}: {s}" for s in series_in(expression) if not prometheus.query(s)]
        for board in BOARDS:
            for row in board.rows.values():
                for panel in row:
                    for query in panel.queries:
                        choices = instances if "$instance" in query.expr else [""]
                        expressions = [query.expr.replace("$instance", choice) for choice in choices]
                        if all(prometheus.value(e) is None for e in expressions) and not query.quiet:
                            empty.append(f"{board.title} / {panel.title}: {query.expr}")
        return empty

    def all_have_data() -> bool:
        watched.load()  # rates need samples of work
        without[:] = without_data()
        return not without

    without: list[str] = []
    try:
        wait_for("data everywhere", all_have_data, seconds=90, every=3.0)
    except AssertionError:
        pytest.fail("no data:\n" + "\n".join(without), pytrace=False)


@pytest.mark.timeout(600)
def test_the_numbers_are_those_of_the_deployment(watched: Watched) -> None:
    prometheus = watched.prometheus
    published = 'sum(samewire_articles_published_total{job="samewire",role="match"})'

    def settled() -> bool:
        return (
            prometheus.value('sum(samewire_articles_read_total{role="sign"})') == 107 * watched.turns
            and prometheus.value(published) == 106 * watched.turns
        )

    wait_for("all counted", settled, seconds=60, every=1.0)
    assert (
        prometheus.value('samewire_articles_dead_total{reason="missing_text",role="sign"}') == watched.turns
    )
    assert prometheus.value('sum(samewire_arrival_delay_seconds_count{role="match"})') == 106 * watched.turns
    assert prometheus.value('max(samewire_window_articles{role="match"})') == 106 * watched.turns
    assert prometheus.value('sum(samewire_desks_owned{job="samewire"})') == 1
    assert prometheus.value('sum(samewire_ready{job="samewire"})') == 4
    linked = prometheus.value('sum(samewire_articles_published_total{role="match",relation!="new"})')
    answers = watched.deployment.answers()
    assert linked == sum(answer["relation"] != "new" for answer in answers)
    delay = prometheus.value("samewire:arrival_delay_seconds:p95_5m")
    assert delay is not None
    assert 0 < delay < 60


@pytest.mark.timeout(600)
def test_the_main_panels_can_be_drawn(watched: Watched, tmp_path: Path) -> None:
    picture = Path(os.environ.get("OVERVIEW_PICTURE", tmp_path / "overview.png"))
    render(f"http://127.0.0.1:{watched.prometheus.port}", 2.0, 1.0, picture)
    assert picture.stat().st_size > 50_000


@pytest.mark.timeout(600)
def test_healthy_workers_fire_nothing_and_a_dead_standby_does(watched: Watched) -> None:
    # at a test's pace (`for: 1s`) these two say what a test is: a quarter of the sample is copies, all of a sudden
    prometheus = watched.prometheus
    wait_for("evaluations", lambda: bool(prometheus.get("rules")["groups"]), seconds=30)
    assert watched.firing() <= {"SamewireLinkRateUnusual"}
    watched.deployment.kill("match-1")
    expected = {"SamewireWorkerDown", "SamewireNoStandby"}
    wait_for("the alerts", lambda: expected <= watched.firing(), seconds=60, every=0.5)
