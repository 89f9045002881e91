"""Starts a worker process: connects, runs the loop, and ends with a documented exit code."""

from collections.abc import Callable
from typing import Any

import structlog
from kafka.admin import MemberToRemove

from config.kafka import KafkaSettings
from workers.kafka.client import make_admin, make_consumer, make_producer, slot_id
from workers.kafka.errors import CredentialsRefusedError, WorkerError
from workers.kafka.exit_codes import ExitCode
from workers.kafka.loop import WorkerLoop
from workers.kafka.observer import NullObserver, Observer
from workers.kafka.orphans import fence_orphans
from workers.kafka.step import Step
from workers.kafka.stop import StopFlag
from workers.kafka.transaction import TransactionalProducer
from workers.kafka.watchdog import Watchdog

log = structlog.get_logger(__name__)


def run_worker(
    settings: KafkaSettings,
    *,
    group: str,
    slot: str,
    topic: str,
    make_step: Callable[[], Step],
    observer: Observer | None = None,
    stop: StopFlag | None = None,
) -> ExitCode:
    """Run a role until SIGTERM or SIGINT. `slot` names this process among its group, stably over restarts."""
    observer = observer or NullObserver()
    if stop is None:
        stop = StopFlag(settings.watchdog.stop_seconds)
        stop.install()
    identity = slot_id(group, slot)
    watchdog = Watchdog(settings.watchdog.stall_seconds)
    producer = TransactionalProducer(
        lambda: make_producer(settings, identity), settings.transactions, observer
    )
    consumer: Any = None
    try:
        consumer = make_consumer(
            settings, group, slot, lambda error: observer.broker_failed("unreachable", error)
        )
        loop = WorkerLoop(
            consumer=consumer,
            producer=producer,
            step=make_step(),
            topic=topic,
            settings=settings,
            stop=stop,
            watchdog=watchdog,
            observer=observer,
            before_taking_over=lambda: fence_orphans(settings, group),
        )
        watchdog.start()
        loop.run()
        code = ExitCode.OK
    except WorkerError as error:
        if isinstance(error, CredentialsRefusedError):
            observer.broker_failed("refused", str(error))
        log.error("worker_ended", slot=identity, exit_code=int(error.exit_code), error=str(error))
        code = error.exit_code
    except Exception:
        log.exception("worker_crashed", slot=identity)
        code = ExitCode.CRASHED
    watchdog.close()
    stop.start_budget()
    _close(settings, group, identity, consumer, producer, leave=code is ExitCode.OK)
    stop.cancel_budget()
    log.info("worker_stopped", slot=identity, exit_code=int(code))
    return code


def _close(
    settings: KafkaSettings,
    group: str,
    identity: str,
    consumer: Any,
    producer: TransactionalProducer,
    *,
    leave: bool,
) -> None:
    """Let go of the clients. Closing does not make a static member leave, so it is removed by name."""
    producer.close()
    if consumer is None:
        return
    try:
        consumer.close(autocommit=False, timeout_ms=round(settings.watchdog.stop_seconds * 250))
        if leave and settings.groups.leave_on_stop:
            admin = make_admin(settings)
            admin.remove_group_members(group, [MemberToRemove(group_instance_id=identity, reason="stopped")])
            admin.close()
    except Exception as error:  # noqa: BLE001 - the work is done; the group drops the member by its time limit
        log.warning("leave_failed", group=group, slot=identity, error=str(error))
