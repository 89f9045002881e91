"""A worker that copies a topic, in a process of its own, for tests that kill and freeze it."""

import faulthandler
import json
import os
import signal
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from kafka import TopicPartition

from config.kafka import KafkaSettings
from workers.kafka.deadletters import dead_letter
from workers.kafka.records import Outcome, Outgoing, Record
from workers.kafka.worker import run_worker


@dataclass
class CopyStep:
    """Copies every record to another topic; a value that starts with `bad record` raises."""

    target: str
    dead: str
    freezes: bool = False
    """Whether a value `freeze` stops the process (SIGSTOP) when its batch is processed but not published."""
    assigned: set[TopicPartition] = field(default_factory=set)
    commits: int = 0
    aborts: int = 0

    def on_assigned(self, partitions: Collection[TopicPartition]) -> None:
        self.assigned |= set(partitions)

    def on_revoked(self, partitions: Collection[TopicPartition]) -> None:
        self.assigned -= set(partitions)

    def ready(self) -> bool:
        return True

    def process(self, records: Sequence[Record]) -> Outcome:
        for record in records:
            if (record.value or b"").startswith(b"bad record"):
                raise ValueError(f"cannot copy offset {record.offset}")
        outcome = Outcome([Outgoing(self.target, record.key, record.value) for record in records])
        if self.freezes and any(record.value == b"freeze" for record in records):
            os.kill(os.getpid(), signal.SIGSTOP)
        return outcome

    def reject(self, record: Record, error: BaseException) -> Outcome:
        return Outcome([dead_letter(record, "copy_failed", error, self.dead, 100_000)], dead_letters=1)

    def idle(self) -> Outcome | None:
        return None

    def committed(self) -> None:
        self.commits += 1

    def aborted(self) -> None:
        self.aborts += 1


def command(
    settings: KafkaSettings, *, group: str, slot: str, source: str, target: str, dead: str, freezes: bool
) -> list[str]:
    """The command line of a worker; settings travel as JSON without secrets, which the tests do not use."""
    job = {
        "settings": settings.model_dump(mode="json"),
        "group": group,
        "slot": slot,
        "source": source,
        "target": target,
        "dead": dead,
        "freezes": freezes,
    }
    return [sys.executable, "-m", "tests.kafka.copy_worker", json.dumps(job)]


ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    faulthandler.register(signal.SIGUSR1)  # a stuck worker shows where it is
    # The default traceback shows every local variable, and so whole records.
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper("iso"),
            structlog.dev.ConsoleRenderer(
                colors=False, exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
            ),
        ]
    )
    job = json.loads(sys.argv[1])
    return run_worker(
        KafkaSettings.model_validate(job["settings"]),
        group=job["group"],
        slot=job["slot"],
        topic=job["source"],
        make_step=lambda: CopyStep(job["target"], job["dead"], job["freezes"]),
    )


if __name__ == "__main__":
    sys.exit(main())
