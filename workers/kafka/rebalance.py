"""Remembers what a rebalance changed, for the main loop to act on.

kafka-python calls listeners on the event loop that also sends heartbeats. Work done there would stop the
heartbeats, and a seek done there has lost records; so the listener takes notes and nothing else.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from kafka import ConsumerRebalanceListener, TopicPartition


class Change(StrEnum):
    """What happened to partitions."""

    ASSIGNED = "assigned"
    REVOKED = "revoked"
    LOST = "lost"
    """Taken away because the group thought this member dead; another may already have them."""


@dataclass(frozen=True, slots=True)
class Note:
    """One callback."""

    change: Change
    partitions: frozenset[TopicPartition]


class RebalanceNotes(ConsumerRebalanceListener):  # type: ignore[misc] # kafka-python ships no types
    """The listener. `take` is called by the main loop, the callbacks by the heartbeat loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._notes: list[Note] = []

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Called with the partitions that are new (cooperative assignment)."""
        self._note(Change.ASSIGNED, assigned)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Called with the partitions that go to another member."""
        self._note(Change.REVOKED, revoked)

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        """Called after the group has expelled this member."""
        self._note(Change.LOST, lost)

    @property
    def pending(self) -> bool:
        """Whether something happened that the main loop has not seen."""
        with self._lock:
            return bool(self._notes)

    def take(self) -> list[Note]:
        """All notes since the last call, in order."""
        with self._lock:
            notes, self._notes = self._notes, []
            return notes

    def _note(self, change: Change, partitions: Iterable[TopicPartition]) -> None:
        with self._lock:
            self._notes.append(Note(change, frozenset(partitions)))
