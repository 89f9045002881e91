"""Frees a member that kafka-python has left half-joined.

When the leader of a group rejoins because a topic's partitions changed (or were unknown at its first join),
and the poll slice ends while the join is in flight, the reason to rejoin is gone at the next poll: nothing
awaits the join any more, its result is never applied, and heartbeats stay off. The member then owns nothing
for ever, without an error (kafka-python 3.0.12, `ConsumerCoordinator.need_rejoin`). Short slices make this
likely; asking for the rejoin again completes it, and changes nothing where a join is waited for anyway.
"""

import time
from collections.abc import Callable
from typing import Any

import structlog
from kafka.structs import MemberState

log = structlog.get_logger(__name__)

# A rebalance without slow members takes well under a second.
PATIENCE_SECONDS = 2.0


class JoinNudge:
    """Watches one consumer; call `stable` after every poll."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: float | None = None

    def stable(self, consumer: Any) -> bool:
        """Whether the consumer is a stable member; asks for a rejoin when it has not been for a while."""
        if consumer.group_metadata().state == MemberState.STABLE:
            self._since = None
            return True
        now = self._clock()
        if self._since is None:
            self._since = now
        elif now - self._since > PATIENCE_SECONDS:
            self._since = now
            coordinator = getattr(consumer, "_coordinator", None)
            if coordinator is not None:
                log.info("join_nudged")
                coordinator.request_rejoin()
        return False
