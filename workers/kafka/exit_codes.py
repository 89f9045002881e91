"""Why a worker process ended. The supervisor and the operator's runbook read these numbers."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit status of `samewire sign`, `match`, `up`, `topics` and `redrive`.

    The numbers keep clear of the shell's own (126 and above) and of the usage error (2).
    """

    OK = 0
    """Stopped as asked, the last batch committed or aborted."""
    CRASHED = 1
    """An unexpected exception; its traceback is in the log."""
    BROKER_UNREACHABLE = 10
    """No broker answered within `watchdog.startup_seconds`."""
    CREDENTIALS_REFUSED = 11
    """The broker refused the login or a permission. A restart will not help."""
    SLOT_TAKEN = 12
    """Another process runs under this worker's slot name; the other one has the partitions."""
    STALLED = 13
    """Lag without progress for `watchdog.stall_seconds`, or a call that never returned."""
    DEAD_LETTER_LIMIT = 14
    """Too large a share of the input could not be processed; it stays unread. Look before restarting."""
    TRANSACTIONS_FAILED = 15
    """No transaction could be completed, even with a new producer."""
    TOPICS_WRONG = 16
    """Topics are missing or differ from the settings; `samewire topics` says how."""
    ENGINE_MISMATCH = 17
    """State or signatures of another engine fingerprint."""
    STOP_OVERRUN = 18
    """A graceful stop did not finish within `watchdog.stop_seconds`; the batch is undone by the broker."""
    CRASH_LOOP = 19
    """A supervised process kept dying; the supervisor gave up on all of them."""
    UNPUBLISHABLE = 20
    """Even the dead letter of a record is refused by the broker; see the topic's `max.message.bytes`."""
    STATE_DAMAGED = 21
    """The changelog has a gap or fails its checksum; feed the articles again into new topics."""

    @property
    def restart_helps(self) -> bool:
        """Whether starting the same process again may succeed without a human."""
        return self not in (
            ExitCode.OK,
            ExitCode.CREDENTIALS_REFUSED,
            ExitCode.SLOT_TAKEN,
            ExitCode.DEAD_LETTER_LIMIT,
            ExitCode.TOPICS_WRONG,
            ExitCode.ENGINE_MISMATCH,
            ExitCode.UNPUBLISHABLE,
            ExitCode.STATE_DAMAGED,
        )
