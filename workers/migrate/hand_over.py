"""Hands a state folder over to a desk: its records become the desk's changelog, in one transaction.

A matcher that starts afterwards restores from it and goes on. One transaction, because half a state must
never be restored: whatever goes wrong, the changelog stays as empty as it was and the command can be run
again. The records carry the time of the hand-over, not that of their articles: the topic's retention
counts from it, and so keeps them as long as a live matcher's.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
import structlog
from kafka import OffsetAndMetadata, TopicPartition

from config.kafka import KafkaSettings
from config.settings import Settings
from pipeline.changelog import decode
from pipeline.errors import SamewireError, StateError
from pipeline.matcher import Matcher
from pipeline.parts import encode_parts
from workers.journal import lock_folder, read_committed
from workers.kafka.client import make_admin, make_consumer, make_producer, slot_id
from workers.kafka.errors import TopicsWrongError, TransactionsFailedError
from workers.kafka.groups import group_members
from workers.kafka.positions import read_committed as read_positions
from workers.kafka.records import Outgoing
from workers.kafka.restored import fold_partition, open_replay
from workers.kafka.transaction import Committed, TransactionalProducer
from workers.migrate.differences import Standing, standing
from workers.state import READING, window_rules

log = structlog.get_logger(__name__)

GROUP = "samewire.hand-over"
# The broker's own maximum: a state of millions of articles takes minutes to write.
TRANSACTION_SECONDS = 900.0
FLUSH_SECONDS = 120.0

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What the desk has now. ``records``: in its changelog; ``articles``: that can still be linked to."""

    desk: int
    engine: str
    records: int
    articles: int
    clusters: int


def hand_over(
    settings: Settings,
    fingerprint: str,
    state: Path,
    desk: int,
    on_progress: Progress = lambda _bytes, _records: None,
) -> HandedOver:
    """Write the state in ``state`` into the changelog of ``desk``, and check it by reading it back.

    Raises:
        StateError: the state is empty, in use, damaged, another engine's or of other desks' languages; or the
            desk has a state, or a matcher.
        WorkerError: the broker is away, refuses, lacks the topics, or did not complete the transaction.
    """
    kafka = settings.kafka
    at = TopicPartition(kafka.topics.changelog, desk)
    # Before the lock: a mistyped name must leave no file behind.
    next(read_committed(state), None)
    with lock_folder(state):
        _require_free_desk(kafka, at)
        matcher = Matcher(
            fingerprint, replace(window_rules(settings, live=True), max_articles=READING.max_articles)
        )
        for _, record in read_committed(state):
            matcher.apply(decode(record, fingerprint, with_about=False)[0])
        wanted = _live(matcher)
        _require_room(settings, state, matcher)
        # What only expired articles need is left behind, as a journal does with its oldest files.
        kill = matcher.store.kills.oldest_ordinal
        oldest = matcher.window.open if kill is None else min(matcher.window.open, kill - 1)
        _require_languages(kafka, state, desk, oldest)
        records = _write(kafka, at, state, oldest, on_progress)
    try:
        restored = fold_partition(kafka, at, window_rules(settings, live=True), fingerprint)
    except StateError as error:
        raise _disturbed(at, str(error)) from error
    if (
        restored is None
        or _live(restored) != wanted
        or restored.store.kills.by_id.keys() != matcher.store.kills.by_id.keys()
    ):
        raise _disturbed(at, f"it does not fold to the clusters of {state}")
    clusters = len({article.cluster for article in wanted.values()})
    log.info("handed_over", desk=desk, records=records, articles=len(wanted))
    return HandedOver(desk, fingerprint, records, len(wanted), clusters)


def _live(matcher: Matcher) -> dict[str, Standing]:
    """What is left once everything has expired that a live stream could not link to any more."""
    matcher.close()
    return standing([matcher])


def _disturbed(at: TopicPartition, what: str) -> StateError:
    return StateError(
        f"{at.topic}[{at.partition}] was written by somebody else meanwhile ({what}); give topics.changelog and "
        "topics.signed new names, run `samewire topics --apply`, and hand over again"
    )


def _require_room(settings: Settings, state: Path, matcher: Matcher) -> None:
    articles = matcher.window.next - matcher.window.open
    if not articles:
        raise StateError(
            f"{state} holds no articles; cluster the archive first with `samewire run --state {state}`"
        )
    most = settings.window.max_articles
    if articles > most:
        raise StateError(
            f"{state} has {articles:,} articles that a live stream may link to, and window.max_articles is {most:,}; "
            "raise it, and the memory of the matchers"
        )


def _require_free_desk(kafka: KafkaSettings, at: TopicPartition) -> None:
    with closing(make_admin(kafka)) as admin:
        (topic,) = admin.describe_topics([at.topic])
        if topic["error_code"] or len(topic["partitions"]) <= at.partition:
            raise TopicsWrongError(
                f"topic {at.topic} has no partition {at.partition}; run `samewire topics --apply` first"
            )
        members = group_members(admin, kafka.groups.match)
        if members:
            names = ", ".join(members)
            raise StateError(f"matchers are running ({names}); stop them, hand over, and start them again")
    with closing(open_replay(kafka, at)) as replay:
        if next(replay.rest(), None) is not None:
            raise StateError(
                f"desk {at.partition} has a state already ({at.topic} is not empty); two states cannot be joined. "
                "Hand over to a deployment with new topic names, and let it catch up: see `samewire migrate --help`"
            )


def _require_languages(kafka: KafkaSettings, state: Path, desk: int, oldest: int) -> None:
    if kafka.desks.count == 1:
        return
    elsewhere: Counter[str] = Counter()
    for _, record in read_committed(state):
        change, _ = decode(record)
        if change.first + len(change.ids) - 1 >= oldest:
            for about in change.about:
                language = orjson.loads(about).get("lang") or ""
                if kafka.desks.desk_of(language) != desk:
                    elsewhere[language or "none"] += 1
    if elsewhere:
        named = ", ".join(f"{language}: {number:,}" for language, number in elsewhere.most_common(5))
        raise StateError(
            f"{state} has articles in languages of other desks than {desk} ({named}); cluster the archive into one "
            "state for each desk, and hand each over"
        )


def _write(kafka: KafkaSettings, at: TopicPartition, state: Path, oldest: int, on_progress: Progress) -> int:
    limits = kafka.transactions.model_copy(
        update={"timeout_seconds": TRANSACTION_SECONDS, "deadline_seconds": FLUSH_SECONDS}
    )
    patient = kafka.model_copy(update={"transactions": limits})
    slot = f"desk-{at.partition}"
    producer = TransactionalProducer(lambda: make_producer(patient, slot_id(GROUP, slot)), limits)
    consumer = make_consumer(kafka, GROUP, slot)
    written = 0

    def outgoing() -> Iterator[Outgoing]:
        nonlocal written
        read = 0
        for _, record in read_committed(state):
            read += len(record)
            change, _ = decode(record)
            if change.first + len(change.ids) - 1 < oldest:
                continue
            for part in encode_parts(change, kafka.topics.max_record_bytes):
                yield Outgoing(at.topic, None, part, partition=at.partition)
                written += 1
            on_progress(read, written)

    def positions(partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, OffsetAndMetadata]:
        return read_positions(consumer, partitions, limits.deadline_seconds)

    try:
        producer.open()  # fences an earlier hand-over that is still alive, and undoes what it left open
        # Nothing is consumed; an offset of the group's own settles a doubt about the commit.
        verdict = producer.publish(outgoing(), {at: 1}, GROUP, positions)
    finally:
        producer.close()
        consumer.close(autocommit=False, timeout_ms=5000)
    if isinstance(verdict, Committed):
        return written
    if isinstance(verdict.error, SamewireError):
        raise verdict.error
    raise TransactionsFailedError(
        f"{state} could not be handed over: {verdict.error}; nothing was published, run the command again"
    ) from verdict.error
