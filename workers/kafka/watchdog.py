"""Ends a worker that is stuck: a call that never returned, or lag without progress.

A supervisor or orchestrator then starts a new process, which fences whatever this one left behind. Consumers
that stall silently while lag grows are a known disease of long-running Kafka clients.
"""

import os
import threading
import time
from collections.abc import Callable

import structlog

from workers.kafka.exit_codes import ExitCode

log = structlog.get_logger(__name__)


class Watchdog:
    """Judges by notes of the main loop: it is alive, it is a member, it has lag, it made progress."""

    def __init__(
        self,
        stall_seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        end: Callable[[int], None] = os._exit,
    ) -> None:
        self._stall_seconds = stall_seconds
        self._clock = clock
        self._end = end
        self._closed = threading.Event()
        self._alive_at = self._progress_at = clock()
        self._lag = 0
        self._stable_at = clock()
        self._doing = "starting"

    def alive(self, doing: str = "polling") -> None:
        """The main loop came round; `doing` is what it turns to."""
        self._alive_at = self._clock()
        self._doing = doing

    def progress(self) -> None:
        """A batch was committed, or there was a reason not to (state being restored, partitions moving)."""
        self._progress_at = self._clock()

    def lag(self, records: int) -> None:
        """Records that wait in this worker's partitions. Without any, standing still is no stall."""
        if not records or not self._lag:
            self._progress_at = self._clock()  # the stall begins with the lag
        self._lag = records

    def member(self, *, stable: bool) -> None:
        """Whether the group takes this worker for a member. One that cannot join sees no lag either."""
        if stable:
            self._stable_at = self._clock()

    def stalled(self) -> str | None:
        """Why the worker counts as stuck, or None."""
        now = self._clock()
        silent_seconds = now - self._alive_at
        if silent_seconds > self._stall_seconds:
            return f"the main loop has been in '{self._doing}' for {silent_seconds:.0f} s"
        outside_seconds = now - self._stable_at
        if outside_seconds > self._stall_seconds:
            return f"no stable member of the group for {outside_seconds:.0f} s"
        idle_seconds = now - self._progress_at
        if self._lag and idle_seconds > self._stall_seconds:
            return f"{self._lag} records wait and nothing was committed for {idle_seconds:.0f} s"
        return None

    def start(self) -> None:
        """Watch from a daemon thread."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def close(self) -> None:
        """Stop watching."""
        self._closed.set()

    def _watch(self) -> None:
        while not self._closed.wait(min(1.0, self._stall_seconds / 4)):
            reason = self.stalled()
            if reason:
                log.error("stalled", reason=reason)
                # Not sys.exit: the main thread does not answer.
                self._end(ExitCode.STALLED)
                return
