"""Stuck is: a silent main loop, or lag without progress. Nothing else."""

from workers.kafka.exit_codes import ExitCode
from workers.kafka.watchdog import Watchdog


class Clock:
    """Time that tests move."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def _watchdog() -> tuple[Watchdog, Clock]:
    clock = Clock()
    return Watchdog(10.0, clock=clock), clock


def test_idle_without_lag_is_fine() -> None:
    watchdog, clock = _watchdog()
    clock.now += 1000
    watchdog.alive()
    watchdog.member(stable=True)
    assert watchdog.stalled() is None


def test_lag_without_progress_is_a_stall() -> None:
    watchdog, clock = _watchdog()
    watchdog.lag(5)
    clock.now += 11
    watchdog.alive()
    watchdog.member(stable=True)
    assert watchdog.stalled() == "5 records wait and nothing was committed for 11 s"
    watchdog.progress()
    assert watchdog.stalled() is None


def test_a_stall_begins_with_the_lag_and_not_with_the_idle_time_before() -> None:
    watchdog, clock = _watchdog()
    clock.now += 1000
    watchdog.alive()
    watchdog.member(stable=True)
    watchdog.lag(5)
    assert watchdog.stalled() is None


def test_a_worker_that_cannot_join_its_group_is_stuck() -> None:
    watchdog, clock = _watchdog()
    clock.now += 11
    watchdog.alive()
    watchdog.member(stable=False)
    assert watchdog.stalled() == "no stable member of the group for 11 s"


def test_a_call_that_never_returns_is_a_stall_and_is_named() -> None:
    watchdog, clock = _watchdog()
    watchdog.alive("publishing")
    clock.now += 11
    assert watchdog.stalled() == "the main loop has been in 'publishing' for 11 s"


def test_the_thread_ends_the_process_with_the_documented_code() -> None:
    ended: list[int] = []
    watchdog = Watchdog(0.01, end=ended.append)
    watchdog._watch()  # returns when it has ended the process
    assert ended == [ExitCode.STALLED]
