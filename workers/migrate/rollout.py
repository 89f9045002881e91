"""A new engine for the Kafka deployment: a second one on the same input, brought to where the first is.

The first serves all the time and learns nothing of it. The second has topics and groups of its own; its
workers run here until it has caught up, or elsewhere. Both changelogs then say which clusters differ.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

from kafka import TopicPartition

from config.kafka import KafkaSettings
from config.settings import Settings
from pipeline.errors import FingerprintError, StateError
from pipeline.matcher import Matcher
from workers.kafka.client import make_admin
from workers.kafka.errors import WorkerError
from workers.kafka.exit_codes import ExitCode
from workers.kafka.groups import group_members
from workers.kafka.restored import fold_partition
from workers.kafka.stop import StopFlag
from workers.kafka.supervisor import Child, Supervisor
from workers.migrate.chase import Behind, Chase
from workers.migrate.differences import Compared, compare_standing, standing
from workers.state import window_rules

# How often the positions are asked for.
LOOK_SECONDS = 1.0

Progress = Callable[[Behind], None]


class WorkersEndedError(WorkerError):
    """The new workers could not be kept running; their log says why."""

    def __init__(self, code: ExitCode) -> None:
        super().__init__(
            f"the new workers ended with exit code {int(code)} ({code.name}); their log lines say why"
        )
        self.exit_code = code  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class Rollout:
    """How the two deployments stand. ``articles``: that stand in the new one."""

    old_engine: str
    engine: str
    articles: int
    compared: Compared

    def record(self) -> dict[str, Any]:
        """Return everything as JSON-ready values."""
        facts = {"old_engine": self.old_engine, "engine": self.engine, "articles": self.articles}
        return facts | self.compared.record()


@contextmanager
def new_workers(
    config: Path, kafka: KafkaSettings, signers: int, stop: StopFlag
) -> Iterator[Callable[[], None]]:
    """Run the new deployment's workers while the body runs.

    Yields a function that raises when they have ended by themselves.

    Raises:
        StateError: workers of the new groups run already.
        WorkersEndedError: they could not be kept running.
    """
    with closing(make_admin(kafka)) as admin:
        running = [
            name for group in (kafka.groups.sign, kafka.groups.match) for name in group_members(admin, group)
        ]
    if running:
        raise StateError(
            f"workers of the new settings run already ({', '.join(running)}); add --watch to wait for them"
        )
    # What the workers say at level info would drown the progress; warnings matter.
    environment = {"SAMEWIRE_LOG__LEVEL": "warning"} | os.environ
    children = [
        Child(
            f"{role}-{slot}",
            [sys.executable, "-m", "workers.cli", role, "--slot", str(slot), "--config", str(config)],
            environment,
        )
        for role, count in (("match", 1), ("sign", signers))
        for slot in range(count)
    ]
    children_stop = StopFlag(kafka.watchdog.stop_seconds + 5)
    supervisor = Supervisor(children, children_stop)
    codes: list[ExitCode] = []
    thread = Thread(target=lambda: codes.append(supervisor.run()), name="supervisor")
    thread.start()

    def check() -> None:
        if codes and not stop.requested:
            raise WorkersEndedError(codes[0])

    try:
        yield check
    finally:
        children_stop.request()
        thread.join()


def catch_up(
    old: KafkaSettings, new: KafkaSettings, stop: StopFlag, check: Callable[[], None], on_progress: Progress
) -> Behind:
    """Wait until the new deployment is where the old one is, or a stop is asked for; returns how far it is behind.

    ``check`` raises when waiting has become useless.
    """
    with Chase(old, new) as chase:
        while True:
            check()
            behind = chase.behind()
            on_progress(behind)
            if not any(behind) or stop.wait(LOOK_SECONDS):
                return behind


def compare_deployments(old: Settings, new: Settings, fingerprint: str) -> Rollout:
    """Compare the clusters of both changelogs, over the articles that stand in both.

    ``fingerprint``: the new engine's. Raises :class:`StateError` where one is empty or damaged.
    """
    before, after = _desks(old), _desks(new)
    engines = {matcher.fingerprint for matcher in after}
    if engines != {fingerprint}:
        raise FingerprintError(
            f"{new.kafka.topics.changelog} was written by engine {', '.join(engines)}, and the new settings make "
            f"{fingerprint}; give the new settings topics and groups of their own"
        )
    stand = standing(after)
    compared = compare_standing(standing(before), stand, old.kafka.topics.changelog)
    return Rollout(before[0].fingerprint, fingerprint, len(stand), compared)


def _desks(settings: Settings) -> list[Matcher]:
    kafka = settings.kafka
    partitions = [TopicPartition(kafka.topics.changelog, desk) for desk in range(kafka.desks.count)]
    found = [fold_partition(kafka, at, window_rules(settings, live=True)) for at in partitions]
    folded = [matcher for matcher in found if matcher is not None]
    if not folded:
        raise StateError(
            f"{kafka.topics.changelog} is empty: no article has been matched there; check that the settings are "
            "those of a deployment that works"
        )
    return folded
