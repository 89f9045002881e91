"""Before the workers of a new deployment start: its topics, and where in the input they begin."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass

import structlog
from kafka import TopicPartition

from config.settings import Settings, milliseconds
from workers.kafka.client import make_admin, make_consumer
from workers.kafka.errors import TopicsWrongError
from workers.kafka.groups import begin_at, group_positions
from workers.kafka.topics import apply_topics, topic_plans

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where the new deployment begins. ``set_now``: it had no positions before.

    ``wanted_ms``: when the oldest article arrived that it should read. ``oldest_ms``: when the oldest that the
    topic still holds did; None for an empty topic.
    """

    set_now: bool
    wanted_ms: int
    oldest_ms: int | None

    @property
    def short(self) -> bool:
        """Whether articles that the window reaches back to are no longer in the topic."""
        return self.oldest_ms is not None and self.oldest_ms > self.wanted_ms


def prepare(new: Settings, since_ms: int | None) -> Beginning:
    """Create the topics, and let a new group of signers begin at ``since_ms`` (None: a window and its lateness ago).

    Raises:
        TopicsWrongError: a topic cannot be made, or the input is missing.
    """
    kafka = new.kafka
    wanted_ms = since_ms if since_ms is not None else time.time_ns() // 1_000_000 - _window_ms(new)
    limit_ms = round(kafka.consumer.request_timeout_seconds * 1000)
    with closing(make_admin(kafka)) as admin:
        # The input is the old deployment's, and so are its settings.
        plans = [plan for plan in topic_plans(kafka, _window_ms(new) / 1000) if plan.role != "articles"]
        differences = apply_topics(admin, plans)
        if differences:
            raise TopicsWrongError(f"{differences[0]}; see `samewire topics`")
        with closing(make_consumer(kafka, None, "migrate")) as consumer:
            numbers = consumer.partitions_for_topic(kafka.topics.articles)
            if not numbers:
                raise TopicsWrongError(
                    f"topic {kafka.topics.articles} is missing: there is nothing to migrate"
                )
            partitions = [TopicPartition(kafka.topics.articles, number) for number in sorted(numbers)]
            ends = consumer.end_offsets(partitions, timeout_ms=limit_ms)
            first = consumer.offsets_for_times(dict.fromkeys(partitions, 0), timeout_ms=limit_ms)
            found = consumer.offsets_for_times(
                dict.fromkeys(partitions, max(0, wanted_ms)), timeout_ms=limit_ms
            )
        oldest = [each.timestamp for each in first.values() if each is not None]
        fresh = not any(at.topic == kafka.topics.articles for at in group_positions(admin, kafka.groups.sign))
        if fresh:
            positions = {at: ends[at] if found[at] is None else found[at].offset for at in partitions}
            begin_at(admin, kafka.groups.sign, positions)
            log.info(
                "migration_begins",
                group=kafka.groups.sign,
                articles=sum(ends[a] - positions[a] for a in ends),
            )
    return Beginning(fresh, wanted_ms, min(oldest, default=None))


def _window_ms(settings: Settings) -> int:
    return milliseconds(settings.window.length + settings.window.max_lateness)
