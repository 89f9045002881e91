"""The stop flag. Signal handlers set it and do nothing else: closing a consumer inside one has hung."""

import os
import signal
import threading
from types import FrameType

import structlog

from workers.kafka.exit_codes import ExitCode

log = structlog.get_logger(__name__)


class StopFlag:
    """Set once by a signal or by code; read by the main loop between slices of polling."""

    def __init__(self, budget_seconds: float) -> None:
        self._budget_seconds = budget_seconds
        self._event = threading.Event()
        self._overrun: threading.Timer | None = None

    @property
    def requested(self) -> bool:
        """Whether the worker should end after its current batch."""
        return self._event.is_set()

    def request(self) -> None:
        """Ask the main loop to end."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Sleep, but wake at once when a stop is asked for. Returns whether it was."""
        return self._event.wait(seconds)

    def install(self) -> None:
        """Handle SIGTERM and SIGINT. A second signal ends the process without ceremony."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def start_budget(self) -> None:
        """From now on the process has `budget_seconds` to end; then it is ended."""
        if self._overrun is None:
            self._overrun = threading.Timer(self._budget_seconds, self._end)
            self._overrun.daemon = True
            self._overrun.start()

    def cancel_budget(self) -> None:
        """The stop is complete."""
        if self._overrun is not None:
            self._overrun.cancel()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._event.is_set():
            signal.signal(number, signal.SIG_DFL)
        self._event.set()

    def _end(self) -> None:
        log.error("stop_overrun", budget_seconds=self._budget_seconds)
        # Not sys.exit: the main thread is stuck, and interpreter shutdown would wait for it.
        os._exit(ExitCode.STOP_OVERRUN)
