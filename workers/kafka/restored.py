"""A desk's state as its changelog has it now, for those who only look."""

from contextlib import closing

from kafka import TopicPartition

from config.kafka import KafkaSettings
from pipeline.changelog import decode
from pipeline.matcher import Matcher, WindowRules
from workers.kafka.client import make_admin, make_consumer
from workers.kafka.replay import Replay


def fold_partition(
    kafka: KafkaSettings, at: TopicPartition, rules: WindowRules, fingerprint: str | None = None
) -> Matcher | None:
    """Fold a changelog partition up to its present end; returns None when it is empty.

    Raises:
        StateError: a record is damaged, missing, or of another engine than ``fingerprint`` (None: any).
    """
    matcher: Matcher | None = None
    with closing(open_replay(kafka, at)) as replay:
        for record in replay.rest():
            change, _ = decode(record.value or b"", fingerprint, with_about=False)
            if matcher is None:
                matcher = Matcher(change.fingerprint, rules)
            matcher.apply(change)
    return matcher


def open_replay(kafka: KafkaSettings, at: TopicPartition) -> Replay:
    """Open a reader at the partition's beginning; the caller closes it."""
    return Replay(make_consumer(kafka, None, "changelog-look"), make_admin(kafka), at)
