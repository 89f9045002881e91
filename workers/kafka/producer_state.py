"""The one place that looks into kafka-python's transaction manager.

kafka-python 3.0 may return normally from `commit_transaction` although the transaction was rolled back: a
sequence or epoch error makes it ask the broker for a new epoch, which aborts the open transaction, and the
pending commit is then answered with "nothing was started, so nothing to commit". The public interface does
not show this. The producer's id and epoch do: they are constant from `init_transactions` to the end of the
producer, unless such a bump happened.

The attributes are private, so every read may fail after an upgrade; then `evidence` is None and the caller
asks the broker instead, which is slower but always right.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the client believes about its transaction."""

    producer_id: int
    epoch: int
    state: str
    started: bool
    """Whether a partition or offsets were added at the broker since the transaction began."""

    @property
    def identity(self) -> tuple[int, int]:
        """Constant for the life of a healthy producer."""
        return (self.producer_id, self.epoch)

    @property
    def ready_to_commit(self) -> bool:
        """Whether a commit would be sent to the broker at all."""
        return self.state == "IN_TRANSACTION" and self.started

    @property
    def idle(self) -> bool:
        """Whether the last transaction is complete and the next may begin."""
        return self.state == "READY"


def evidence(producer: Any) -> Evidence | None:
    """A snapshot, or None when this version of kafka-python keeps its state elsewhere."""
    try:
        manager = producer._transaction_manager
        identity = manager.producer_id_and_epoch
        return Evidence(
            producer_id=int(identity.producer_id),
            epoch=int(identity.epoch),
            state=str(manager._current_state.name),
            started=bool(manager._transaction_started),
        )
    except AttributeError:
        return None


def last_error(producer: Any) -> BaseException | None:
    """The error behind a wrapped "we are in an error state", where the client still has it."""
    try:
        error = producer._transaction_manager.last_error
    except AttributeError:
        return None
    return error if isinstance(error, BaseException) else None


def force_close(producer: Any) -> None:
    """Stop the sender thread without sending what is buffered.

    `close(timeout=0)` alone raises when records are still unsent, and leaves the thread running.
    """
    sender = getattr(producer, "_sender", None)
    if sender is not None:
        sender.force_close()
        # The thread may be waiting for a connection; it is a daemon and ends when that returns.
        sender.join(1.0)
