"""The main loop in real processes on a real broker: kills, restarts, zombies, bad records."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from kafka import OffsetAndMetadata, TopicPartition
from kafka.admin import MemberToRemove

from config.kafka import KafkaSettings
from tests.kafka import topic
from tests.kafka.broker import KafkaBroker
from tests.kafka.copy_worker import ROOT, CopyStep, command
from tests.kafka.waiting import wait_for
from workers.kafka import deadletters
from workers.kafka.client import make_admin, make_consumer, make_producer, slot_id
from workers.kafka.exit_codes import ExitCode
from workers.kafka.loop import WorkerLoop
from workers.kafka.producer_state import force_close
from workers.kafka.stop import StopFlag
from workers.kafka.transaction import TransactionalProducer

pytestmark = pytest.mark.kafka


@dataclass
class Copying:
    """A copy job and its worker processes."""

    settings: KafkaSettings
    bootstrap: str
    group: str
    source: str
    target: str
    dead: str
    processes: list[subprocess.Popen[bytes]]

    def start(self, slot: str, *, freezes: bool = False) -> subprocess.Popen[bytes]:
        arguments = command(
            self.settings,
            group=self.group,
            slot=slot,
            source=self.source,
            target=self.target,
            dead=self.dead,
            freezes=freezes,
        )
        process = subprocess.Popen(arguments, cwd=ROOT, stdout=sys.stderr)
        self.processes.append(process)
        return process

    def done(self, expected: int) -> bool:
        offsets = topic.committed(self.bootstrap, self.group)
        return sum(offsets.values()) >= expected

    def copied(self) -> list[bytes]:
        return topic.keys(topic.read_committed(self.bootstrap, self.target))


@pytest.fixture
def copying(
    live_broker: KafkaBroker, settings: KafkaSettings, fresh: Callable[[str], str]
) -> Iterator[Copying]:
    bootstrap = live_broker.bootstrap
    job = Copying(
        settings.model_copy(update={"batches": settings.batches.model_copy(update={"records": 200})}),
        bootstrap,
        fresh("group"),
        topic.create(bootstrap, fresh("source"), 4),
        topic.create(bootstrap, fresh("target"), 4, config={"max.message.bytes": "300000"}),
        topic.create(bootstrap, fresh("dead")),
        [],
    )
    yield job
    for process in job.processes:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()


def _articles(count: int, size_bytes: int = 1000) -> list[tuple[bytes, bytes]]:
    return [(b"a%06d" % n, os.urandom(size_bytes // 2).hex().encode()) for n in range(count)]


def test_kills_and_a_broker_restart_lose_and_double_nothing(
    copying: Copying, live_broker: KafkaBroker
) -> None:
    rounds, each = 14, 2000
    articles = _articles(rounds * each)
    rng = random.Random(7)
    workers = {slot: copying.start(slot) for slot in ("0", "1")}
    for number in range(rounds):
        topic.fill(copying.bootstrap, copying.source, articles[number * each : (number + 1) * each])
        # Work is under way when the kill comes, and its moment is random: it must hit every step of a commit.
        wait_for("progress", partial(copying.done, number * each + 1), 60, every=0.05)
        time.sleep(rng.uniform(0.0, 0.4))
        slot = rng.choice(["0", "1"])
        workers[slot].kill()
        workers[slot].wait()
        workers[slot] = copying.start(slot)
        if number == rounds // 2:
            live_broker.restart()
    wait_for("all input consumed", lambda: copying.done(len(articles)), 90, every=0.2)
    for worker in workers.values():
        worker.terminate()
    # A worker that was still importing its modules has no handler yet, and ends by the signal itself.
    assert {worker.wait(30) for worker in workers.values()} <= {ExitCode.OK, -signal.SIGTERM}
    counted = Counter(copying.copied())
    assert sorted(counted) == [key for key, _ in articles]
    assert [key for key, count in counted.items() if count > 1] == []


def test_a_zombie_that_wakes_up_writes_nothing(copying: Copying) -> None:
    topic.fill(copying.bootstrap, copying.source, _articles(2000))
    zombie = copying.start("0", freezes=True)
    wait_for("the first owner's output", lambda: copying.done(2000), 60, every=0.2)
    # It freezes with a processed batch in its hands, which it will try to publish when it wakes up.
    topic.fill(copying.bootstrap, copying.source, [(b"frozen%d" % n, b"freeze") for n in range(50)])
    wait_for("the zombie to freeze", lambda: _frozen(zombie.pid))
    copying.start("1")
    wait_for("the second owner's output", lambda: copying.done(2050), 60, every=0.2)
    os.kill(zombie.pid, signal.SIGCONT)
    # Awake again it finds itself expelled, undoes its batch and joins as a new member.
    sent = 2050

    def rejoined() -> bool:
        nonlocal sent
        topic.fill(copying.bootstrap, copying.source, [(b"late%d" % (sent + n), b"x") for n in range(20)])
        sent += 20
        return len(topic.members(copying.bootstrap, copying.group)) == 2

    wait_for("the zombie to rejoin", rejoined, 60, every=0.2)
    wait_for("all output", lambda: copying.done(sent), 60, every=0.2)
    counted = Counter(copying.copied())
    assert [key for key, count in counted.items() if count > 1] == []
    assert len(counted) == sent


def _frozen(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_a_dead_owners_open_transaction_is_ended_by_the_successor(copying: Copying) -> None:
    """The successor waits neither for the broker's time limit (60 s here) nor loses what was open."""
    settings = copying.settings = copying.settings.model_copy(
        update={"transactions": copying.settings.transactions.model_copy(update={"timeout_seconds": 60.0})}
    )
    topic.fill(copying.bootstrap, copying.source, _articles(400))
    dead = make_producer(settings, slot_id(copying.group, "9"))
    dead.init_transactions()
    dead.begin_transaction()
    dead.send(copying.target, b"x", b"undone", partition=0).get(timeout=10)
    pending = {TopicPartition(copying.source, n): OffsetAndMetadata(5, "", -1) for n in range(4)}
    dead.send_offsets_to_transaction(pending, copying.group)
    copying.start("1")
    wait_for("all input", lambda: copying.done(400), 30, every=0.2)
    counted = Counter(copying.copied())
    assert len(counted) == 400
    assert [key for key, count in counted.items() if count > 1] == []
    force_close(dead)


def test_an_expelled_member_that_is_back_before_it_noticed_doubles_nothing(copying: Copying) -> None:
    """kafka-python keeps partitions and positions then, with a new and valid membership."""
    settings, source = copying.settings, topic.create(copying.bootstrap, copying.source + ".one")
    topic.fill(copying.bootstrap, source, _articles(10))
    identity = slot_id(copying.group, "0")
    producer = TransactionalProducer(lambda: make_producer(settings, identity), settings.transactions)
    consumer, step = make_consumer(settings, copying.group, "0"), CopyStep(copying.target, copying.dead)
    loop = WorkerLoop(
        consumer=consumer, producer=producer, step=step, topic=source, settings=settings, stop=StopFlag(20)
    )
    consumer.subscribe([source], listener=loop._notes)

    def committed() -> int:
        loop._turn()
        return topic.committed(copying.bootstrap, copying.group).get(TopicPartition(source, 0), 0)

    wait_for("the first records", lambda: committed() == 10)
    admin = make_admin(settings)
    admin.remove_group_members(copying.group, [MemberToRemove(group_instance_id=identity)])
    # Another owner takes the next ten meanwhile.
    topic.fill(copying.bootstrap, source, [(b"theirs%d" % n, b"x") for n in range(10)])
    other = TransactionalProducer(lambda: make_producer(settings, "other"), settings.transactions)
    other.publish([], {TopicPartition(source, 0): 20}, copying.group, lambda partitions: {})
    consumer._coordinator.request_rejoin()
    topic.fill(copying.bootstrap, source, [(b"ours%d" % n, b"x") for n in range(10)])
    wait_for("the last records", lambda: committed() == 30)
    copied = copying.copied()
    assert len(copied) == 20
    assert not [key for key in copied if key.startswith(b"theirs")]
    for client in (producer, other, admin):
        client.close()
    consumer.close(autocommit=False, timeout_ms=5000)


def test_a_second_process_in_the_same_slot_takes_it(copying: Copying) -> None:
    topic.fill(copying.bootstrap, copying.source, _articles(100))
    first = copying.start("0")
    wait_for("the first process's output", lambda: copying.done(100), 60, every=0.2)
    copying.start("0")
    # Whichever of the two wins, the other one ends with the code that says why, and nothing is doubled.
    sent = 100

    def one_ended() -> bool:
        nonlocal sent
        topic.fill(copying.bootstrap, copying.source, [(b"b%06d" % sent, b"x")])
        sent += 1
        return any(process.poll() is not None for process in copying.processes)

    wait_for("one of two to give way", one_ended, 60)
    wait_for("all input", lambda: copying.done(sent), 60, every=0.2)
    assert first.poll() == ExitCode.SLOT_TAKEN
    counted = Counter(copying.copied())
    assert [key for key, count in counted.items() if count > 1] == []
    assert len(counted) == sent


def test_bad_records_become_dead_letters_and_nothing_stops(copying: Copying) -> None:
    # Random bytes in hex: compression must not make the record fit after all.
    too_large = os.urandom(200_000).hex().encode()
    values = _articles(300)
    values[100] = (values[100][0], b"bad record")
    values[200] = (values[200][0], too_large)
    tombstone = (b"tombstone", None)
    topic.fill(copying.bootstrap, copying.source, [*values, tombstone])
    worker = copying.start("0")
    wait_for("all input", lambda: copying.done(301), 60, every=0.2)
    worker.terminate()
    assert worker.wait(30) == ExitCode.OK
    records = topic.read_committed(copying.bootstrap, copying.target)
    letters = topic.read_committed(copying.bootstrap, copying.dead)
    assert len(records) == 299
    assert len(set(topic.keys(records))) == 299
    assert next(record.value for record in records if record.key == b"tombstone") is None
    by_key = {letter.key: letter for letter in letters}
    assert set(by_key) == {values[100][0], values[200][0]}
    bad = by_key[values[100][0]]
    assert bad.value == b"bad record"
    assert deadletters.header(bad.headers, deadletters.REASON) == b"copy_failed"
    assert b"cannot copy" in (deadletters.header(bad.headers, deadletters.EXCEPTION) or b"")
    assert deadletters.header(bad.headers, deadletters.TOPIC) == copying.source.encode()
    large = by_key[values[200][0]]
    assert b"MessageSizeTooLarge" in (deadletters.header(large.headers, deadletters.EXCEPTION) or b"")


def test_a_bad_deploy_stops_at_the_limit_and_leaves_the_input(copying: Copying) -> None:
    copying.settings = copying.settings.model_copy(
        update={
            "dead_letters": copying.settings.dead_letters.model_copy(
                update={"min_records": 10, "window_records": 100}
            )
        }
    )
    topic.fill(copying.bootstrap, copying.source, [(b"k%d" % n, b"bad record") for n in range(500)])
    worker = copying.start("0")
    assert worker.wait(60) == ExitCode.DEAD_LETTER_LIMIT
    letters = topic.read_committed(copying.bootstrap, copying.dead)
    assert len(letters) < 20
