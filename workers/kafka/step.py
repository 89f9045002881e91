"""The contract between the main loop and a role (sign, match)."""

from collections.abc import Collection, Sequence
from typing import Protocol

from kafka import TopicPartition

from workers.kafka.records import Outcome, Record


class Step(Protocol):
    """A role's work. Every method is called from the main loop's thread, one at a time."""

    def on_assigned(self, partitions: Collection[TopicPartition]) -> None:
        """These partitions are ours now. Begin to prepare their state; `ready` continues it."""

    def on_revoked(self, partitions: Collection[TopicPartition]) -> None:
        """These partitions are no longer ours; forget their state. Nothing can be committed for them."""

    def ready(self) -> bool:
        """Whether input can be processed. While it cannot, do a slice of the preparation (some 100 ms).

        Called before every batch; input is paused and the group membership kept alive while it is False.
        """

    def process(self, records: Sequence[Record]) -> Outcome:
        """Work through a batch. State may run ahead until `committed` or `aborted` is called.

        Input that cannot be processed is answered by a dead letter in the outcome. An exception makes the
        loop call `aborted`, read the batch again in halves until the record that fails is alone, and then
        `reject` it.
        """

    def reject(self, record: Record, error: BaseException) -> Outcome:
        """A dead letter for a record that made `process` raise or whose output the broker refuses.

        Called on a state that holds nothing of the record.
        """

    def idle(self) -> Outcome | None:
        """Called when no input waits: time-driven work such as closing clusters. None publishes nothing."""

    def committed(self) -> None:
        """The last outcome is published, for certain."""

    def aborted(self) -> None:
        """The last outcome is undone. Throw away state that ran ahead; `ready` may rebuild it.

        Input is read again from the committed positions, which may lie past the undone batch in the rare
        case that it was committed after all.
        """
