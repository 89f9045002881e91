"""A deployment of real worker processes on topics of its own, for tests that kill them."""

import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import orjson
from kafka import KafkaProducer

from config.kafka import KafkaSettings
from config.settings import load_settings
from tests.kafka.topic import read_committed, reader
from workers.cli_kafka import window_seconds
from workers.kafka.client import make_admin
from workers.kafka.topics import apply_topics, topic_plans

ROOT = Path(__file__).resolve().parents[2]


class Deployment:
    """Signers and matchers as processes; every worker logs to a file in ``folder``."""

    def __init__(self, folder: Path, bootstrap: str, name: Callable[[str], str], more: str = "") -> None:
        """``more``: further settings in TOML."""
        self.folder = folder
        self.bootstrap = bootstrap
        self.config = folder / "samewire.toml"
        roles = ("articles", "signed", "dead", "clustered", "clusters", "changelog")
        topics = "\n".join(f'{role} = "{name(role)}"' for role in roles)
        self.config.write_text(
            f"""
[window]
max_lateness = "366d"
[kafka]
bootstrap_servers = ["{bootstrap}"]
[kafka.topics]
replication_factor = 1
{topics}
[kafka.groups]
sign = "{name("sign")}"
match = "{name("match")}"
session_timeout_seconds = 3.0
heartbeat_seconds = 0.5
[kafka.transactions]
timeout_seconds = 5.0
deadline_seconds = 20.0
[kafka.batches]
records = 200
{more}
"""
        )
        self.settings = load_settings(self.config)
        self.kafka: KafkaSettings = self.settings.kafka
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._reader: Any = None
        self._answers: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        admin = make_admin(self.kafka)
        try:
            assert apply_topics(admin, topic_plans(self.kafka, window_seconds(self.settings))) == []
        finally:
            admin.close()
        return self

    def __exit__(self, *_: object) -> None:
        for worker in list(self.processes):
            self.signal(worker, signal.SIGCONT)
            self.kill(worker)
        if self._reader is not None:
            self._reader.close()

    def start(self, worker: str) -> None:
        """Start ``sign-0``, ``match-1`` and the like."""
        role, slot = worker.split("-")
        with (self.folder / f"{worker}.log").open("ab") as log:
            self.processes[worker] = subprocess.Popen(
                [sys.executable, "-m", "workers.cli", role, "--slot", slot, "--config", str(self.config)],
                cwd=ROOT,
                stderr=log,
                env=os.environ | {"SAMEWIRE_LOG__FORMAT": "json"},
            )

    def signal(self, worker: str, number: signal.Signals) -> None:
        """Send a signal to a worker that runs."""
        if self.processes[worker].poll() is None:
            self.processes[worker].send_signal(number)

    def kill(self, worker: str) -> None:
        """End a worker the hard way."""
        self.signal(worker, signal.SIGKILL)
        self.processes[worker].wait(10)

    def produce(self, lines: Sequence[bytes]) -> None:
        """Put articles into the input and wait until the broker has them."""
        producer = KafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=10, batch_size=262_144)
        futures = [
            producer.send(self.kafka.topics.articles, line, key=orjson.loads(line)["id"].encode())
            for line in lines
        ]
        for future in futures:
            future.get(timeout=60)
        producer.close()

    def answers(self) -> list[dict[str, Any]]:
        """Everything in articles.clustered that a read-committed reader has seen by now."""
        if self._reader is None:
            self._reader = reader(self.bootstrap, self.kafka.topics.clustered)
        while polled := self._reader.poll(timeout_ms=300):
            for records in polled.values():
                self._answers += [orjson.loads(record.value) for record in records]
        return list(self._answers)

    def partition(self, answers: Sequence[dict[str, Any]]) -> set[frozenset[str]]:
        """The clusters as sets of article ids, with merged ids resolved through their redirects."""
        redirects: dict[str, str] = {}
        for record in read_committed(self.bootstrap, self.kafka.topics.clusters):
            event = orjson.loads(record.value)
            if event["event"] == "merged":
                assert record.key.decode() == event["merged_id"]
                redirects[event["merged_id"]] = event["cluster_id"]
        found = defaultdict(set)
        for answer in answers:
            name = answer["cluster_id"]
            while name in redirects:
                name = redirects[name]
            found[name].add(answer["article_id"])
        return {frozenset(ids) for ids in found.values()}

    def log_of(self, worker: str) -> list[dict[str, Any]]:
        """A worker's log events."""
        lines = (self.folder / f"{worker}.log").read_bytes().splitlines()
        return [orjson.loads(line) for line in lines if line.startswith(b"{")]
