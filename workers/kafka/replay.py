"""Reads a partition from its beginning to its present end, in slices: how a matcher restores its state."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kafka import IsolationLevel, KafkaAdminClient, OffsetSpec, TopicPartition

from workers.kafka.errors import DeadlineExceededError
from workers.kafka.records import Record


class Replay:
    """Reads one partition with a consumer of its own, which has no group and reads committed records.

    The target is the partition's *high watermark*, not its last stable offset: when the former owner's
    offsets are already visible, the commit marker of its last transaction may still be on the way to this
    partition, and a reader that stops at the stable offset would miss that transaction.
    """

    def __init__(
        self,
        consumer: Any,
        admin: KafkaAdminClient,
        partition: TopicPartition,
        *,
        stall_seconds: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._consumer = consumer
        self._admin = admin
        self._partition = partition
        self._stall_seconds = stall_seconds
        self._clock = clock
        self._moved_at = clock()
        self._position = -1
        consumer.assign([partition])
        consumer.seek_to_beginning(partition)
        self.target = self._high_watermark()

    @property
    def done(self) -> bool:
        """Whether everything up to the target was handed out."""
        return self.target == 0 or self._position >= self.target

    @property
    def behind(self) -> int:
        """How many offsets lie between what was handed out and the target."""
        return max(0, self.target - max(0, self._position))

    def close(self) -> None:
        """Close the clients."""
        self._consumer.close(autocommit=False)
        self._admin.close()

    def extend(self) -> None:
        """Move the target to the present end, for a standby that follows."""
        self.target = self._high_watermark()

    def rest(self) -> Iterator[Record]:
        """Yield everything up to the target, however long that takes; raises as `slice` does."""
        while not self.done:
            yield from self.slice()

    def slice(self, seconds: float = 0.1) -> Sequence[Record]:
        """The next records, waiting at most `seconds` for them.

        Raises:
            DeadlineExceededError: the position has not moved for `stall_seconds` though the target is ahead;
                an open transaction in the partition does this until the broker aborts it.
        """
        polled = self._consumer.poll(timeout_ms=round(seconds * 1000))
        records: Sequence[Record] = polled.get(self._partition, [])
        # Asks nothing of the network once known. Counts commit markers, which a record's offset does not.
        position = self._consumer.position(self._partition, timeout_ms=round(seconds * 1000))
        if position is not None and position > self._position:
            self._position = position
            self._moved_at = self._clock()
        elif not self.done and self._clock() - self._moved_at > self._stall_seconds:
            raise DeadlineExceededError(
                f"{self._partition.topic}[{self._partition.partition}] stands at {self._position} of"
                f" {self.target} for {self._stall_seconds:g} s; look for an open transaction"
            )
        return records

    def _high_watermark(self) -> int:
        found = self._admin.list_partition_offsets(
            {self._partition: OffsetSpec.LATEST}, isolation_level=IsolationLevel.READ_UNCOMMITTED
        )
        return int(found[self._partition].offset)
