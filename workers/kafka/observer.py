"""What the workers report about themselves, without a word about how it is exported."""

from typing import Protocol


class Observer(Protocol):
    """Receives counts and durations. Methods are called from the main loop and must return at once."""

    def batch_processed(self, records: int, seconds: float) -> None:
        """A step worked through a batch."""

    def transaction_committed(self, seconds: float, records: int) -> None:
        """A transaction with so many output records is committed, for certain."""

    def transaction_aborted(self, reason: str) -> None:
        """A transaction was undone; its input will be read again."""

    def producer_rebuilt(self, reason: str) -> None:
        """The producer was thrown away and a new one fenced it."""

    def rebalanced(self, kind: str, partitions: int) -> None:
        """Partitions were `assigned`, `revoked` or `lost`."""

    def lag(self, topic: str, partition: int, records: int) -> None:
        """Records waiting in a partition."""

    def released(self, topic: str, partition: int) -> None:
        """A partition is no longer this worker's: its lag is somebody else's to report."""

    def broker_failed(self, kind: str, error: str) -> None:
        """An attempt to connect failed: the broker is `unreachable` or `refused` the login."""

    def dead_lettered(self, records: int) -> None:
        """Input records that went to the dead-letter topic in a committed batch."""

    def records_expired(self, topic: str, partition: int, records: int) -> None:
        """Input that retention removed before it was read: the worker was away for too long."""

    def child_started(self, name: str) -> None:
        """A supervised process runs."""

    def child_ended(self, name: str, exit_code: int) -> None:
        """A supervised process ended by itself."""


class NullObserver:
    """Ignores everything."""

    def batch_processed(self, records: int, seconds: float) -> None: ...
    def transaction_committed(self, seconds: float, records: int) -> None: ...
    def transaction_aborted(self, reason: str) -> None: ...
    def producer_rebuilt(self, reason: str) -> None: ...
    def rebalanced(self, kind: str, partitions: int) -> None: ...
    def lag(self, topic: str, partition: int, records: int) -> None: ...
    def released(self, topic: str, partition: int) -> None: ...
    def broker_failed(self, kind: str, error: str) -> None: ...
    def dead_lettered(self, records: int) -> None: ...
    def records_expired(self, topic: str, partition: int, records: int) -> None: ...
    def child_started(self, name: str) -> None: ...
    def child_ended(self, name: str, exit_code: int) -> None: ...
