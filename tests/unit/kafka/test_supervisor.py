"""The supervisor with tiny real processes."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.kafka.waiting import wait_for
from workers.kafka.exit_codes import ExitCode
from workers.kafka.observer import NullObserver
from workers.kafka.stop import StopFlag
from workers.kafka.supervisor import Child, RestartPolicy, Supervisor

QUICK = RestartPolicy(
    first_backoff_seconds=0.01, max_backoff_seconds=0.05, crash_limit=4, stop_seconds=5.0, poll_seconds=0.01
)
PATIENT = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile 1: signal.pause()"


def _python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


@contextmanager
def running(supervisor: Supervisor, stop: StopFlag) -> Iterator[list[ExitCode]]:
    """Run in a thread; stop at the end of the body."""
    codes: list[ExitCode] = []
    thread = threading.Thread(target=lambda: codes.append(supervisor.run()))
    thread.start()
    yield codes
    stop.request()
    thread.join(30)
    assert not thread.is_alive()


def test_a_killed_child_is_started_again_and_all_stop_in_reverse_order(tmp_path: Path) -> None:
    stop, log = StopFlag(10), tmp_path / "ends"
    code = (
        "import signal, sys\n"
        f"def end(*_):\n  open({str(log)!r}, 'a').write(sys.argv[1]); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        f"open({str(tmp_path)!r} + '/up' + sys.argv[1], 'w')\n"
        "signal.pause()"
    )
    children = [Child(name, [*_python(code), name]) for name in ("a", "b")]
    supervisor = Supervisor(children, stop, QUICK)
    with running(supervisor, stop) as codes:
        wait_for("both up", lambda: (tmp_path / "upa").exists() and (tmp_path / "upb").exists())
        first = supervisor.pids["a"]
        (tmp_path / "upa").unlink()
        os.kill(first, 9)
        wait_for(
            "a new one", lambda: supervisor.pids.get("a", first) != first and (tmp_path / "upa").exists()
        )
    assert codes == [ExitCode.OK]
    assert log.read_text() == "ba"
    assert supervisor.pids == {}


class Counting(NullObserver):
    """Counts the deaths."""

    ended: list[int]

    def __init__(self) -> None:
        self.ended = []

    def child_ended(self, name: str, exit_code: int) -> None:
        self.ended.append(exit_code)


def test_a_crash_loop_ends_everything() -> None:
    stop, counting = StopFlag(10), Counting()
    children = [Child("good", _python(PATIENT)), Child("bad", _python("raise SystemExit(1)"))]
    supervisor = Supervisor(children, stop, QUICK, counting)
    assert supervisor.run() is ExitCode.CRASH_LOOP
    assert counting.ended == [1] * QUICK.crash_limit
    assert supervisor.pids == {}


@pytest.mark.parametrize("code", [ExitCode.DEAD_LETTER_LIMIT, ExitCode.CREDENTIALS_REFUSED])
def test_an_end_that_a_restart_cannot_help_is_passed_on(code: ExitCode) -> None:
    supervisor = Supervisor([Child("x", _python(f"raise SystemExit({int(code)})"))], StopFlag(10), QUICK)
    assert supervisor.run() is code


def test_a_child_that_ignores_the_stop_is_killed_within_the_budget() -> None:
    stop = StopFlag(10)
    policy = RestartPolicy(stop_seconds=0.5, poll_seconds=0.01)
    supervisor = Supervisor([Child("stubborn", _python(STUBBORN))], stop, policy)
    with running(supervisor, stop) as codes:
        pid: int = wait_for("it to be up", _ignores_sigterm(supervisor))
    assert codes == [ExitCode.OK]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def _ignores_sigterm(supervisor: Supervisor) -> Callable[[], int | None]:
    def pid() -> int | None:
        found = supervisor.pids.get("stubborn")
        if found is None:
            return None
        status = Path(f"/proc/{found}/status").read_text()
        ignored = next(line for line in status.splitlines() if line.startswith("SigIgn"))
        return found if int(ignored.split()[1], 16) & (1 << 14) else None

    return pid
