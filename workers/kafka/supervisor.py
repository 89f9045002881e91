"""Runs a worker's processes on one machine: starts them, restarts what dies, and stops them in order.

No shell is involved: a command is a list of arguments, and every child is a direct child of this process in
a process group of its own, so that a Ctrl-C at the terminal reaches the supervisor alone, which passes it on.
"""

import contextlib
import os
import random
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from workers.kafka.exit_codes import ExitCode
from workers.kafka.observer import NullObserver, Observer
from workers.kafka.stop import StopFlag

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep running. Children stop in the reverse of the order they are given in."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] | None = None
    """Instead of the supervisor's own environment."""


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """When and how fast a dead child is started again."""

    first_backoff_seconds: float = 0.5
    max_backoff_seconds: float = 30.0
    calm_seconds: float = 60.0
    """A child that lived this long starts again with the first back-off."""
    crash_limit: int = 8
    crash_window_seconds: float = 120.0
    """So many deaths of one child within the window are a crash loop: the supervisor gives up on all."""
    stop_seconds: float = 25.0
    """Budget for stopping all children; what remains then is killed. Below Kubernetes' 30 s."""
    poll_seconds: float = 0.1


@dataclass
class _Running:
    child: Child
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    backoff_seconds: float = 0.0
    deaths: deque[float] = field(default_factory=deque)


class Supervisor:
    """Keeps children running until its stop flag is set."""

    def __init__(
        self,
        children: Sequence[Child],
        stop: StopFlag,
        policy: RestartPolicy | None = None,
        observer: Observer | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        names = [child.name for child in children]
        if len(set(names)) != len(names):
            raise ValueError(f"children need distinct names: {names}")
        self._running = [_Running(child) for child in children]
        self._stop = stop
        self._policy = policy or RestartPolicy()
        self._observer = observer or NullObserver()
        self._clock = clock

    @property
    def pids(self) -> Mapping[str, int]:
        """Process ids of the living children, by name."""
        return {
            each.child.name: each.process.pid
            for each in self._running
            if each.process is not None and each.process.poll() is None
        }

    def run(self) -> ExitCode:
        """Supervise until a stop is asked for (0) or a child cannot be kept up (its code, or CRASH_LOOP)."""
        code = ExitCode.OK
        try:
            while not self._stop.requested and code is ExitCode.OK:
                code = self._turn()
                self._stop.wait(self._policy.poll_seconds if code is ExitCode.OK else 0)
        finally:
            self._stop_all()
        return code

    def _turn(self) -> ExitCode:
        now = self._clock()
        for each in self._running:
            if each.process is None:
                if now >= each.start_at:
                    self._start(each)
            elif each.process.poll() is not None:
                code = self._bury(each, now)
                if code is not ExitCode.OK:
                    return code
        return ExitCode.OK

    def _start(self, each: _Running) -> None:
        child = each.child
        each.process = subprocess.Popen(  # noqa: S603 - the command is a list from the caller, no shell
            list(child.command),
            stdin=subprocess.DEVNULL,
            env=dict(child.environment) if child.environment is not None else None,
            start_new_session=True,
        )
        each.started_at = self._clock()
        log.info("child_started", child=child.name, pid=each.process.pid)
        self._observer.child_started(child.name)

    def _bury(self, each: _Running, now: float) -> ExitCode:
        """Note a death and plan the next start; the code to end with when there is none."""
        assert each.process is not None
        status = each.process.returncode
        each.process = None
        policy = self._policy
        self._observer.child_ended(each.child.name, status)
        if status in _FINAL_CODES:
            log.error("child_ended_for_good", child=each.child.name, exit_code=status)
            return ExitCode(status)
        lived_seconds = now - each.started_at
        if lived_seconds >= policy.calm_seconds:
            each.backoff_seconds = 0.0
            each.deaths.clear()
        each.deaths.append(now)
        while each.deaths and now - each.deaths[0] > policy.crash_window_seconds:
            each.deaths.popleft()
        if len(each.deaths) >= policy.crash_limit:
            log.error("crash_loop", child=each.child.name, deaths=len(each.deaths), exit_code=status)
            return ExitCode.CRASH_LOOP
        grown = max(policy.first_backoff_seconds, each.backoff_seconds * 2)
        each.backoff_seconds = min(grown, policy.max_backoff_seconds)
        # Jitter: children that died of one cause must not return in step.
        delay_seconds = each.backoff_seconds * random.uniform(0.5, 1.0)  # noqa: S311 - not for cryptography
        each.start_at = now + delay_seconds
        log.warning(
            "child_ended",
            child=each.child.name,
            exit_code=status,
            lived_seconds=round(lived_seconds, 1),
            restart_seconds=round(delay_seconds, 2),
        )
        return ExitCode.OK

    def _stop_all(self) -> None:
        """SIGTERM in reverse order, each given its share of what remains of the budget; then SIGKILL."""
        deadline = self._clock() + self._policy.stop_seconds
        waiting = [each for each in reversed(self._running) if each.process is not None]
        for position, each in enumerate(waiting):
            assert each.process is not None
            _signal(each.process, signal.SIGTERM)
            share_seconds = (deadline - self._clock()) / (len(waiting) - position)
            try:
                status = each.process.wait(max(0.0, share_seconds))
                log.info("child_stopped", child=each.child.name, exit_code=status)
            except subprocess.TimeoutExpired:
                log.error("child_killed", child=each.child.name)
                _signal(each.process, signal.SIGKILL)
                each.process.wait()
            each.process = None


_FINAL_CODES = frozenset(int(code) for code in ExitCode if not code.restart_helps and code is not ExitCode.OK)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """To the child's whole group: a worker may have helpers of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
