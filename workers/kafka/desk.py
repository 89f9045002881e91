"""One desk's matcher and its changelog: restored when the desk becomes ours, followed while it is not."""

import time
from collections.abc import Callable

import structlog
from kafka import TopicPartition
from kafka.errors import KafkaError

from pipeline.changelog import decode
from pipeline.errors import FingerprintError, StateError
from pipeline.matcher import Matcher
from workers.kafka.errors import EngineMismatchError, StateDamagedError
from workers.kafka.replay import Replay

log = structlog.get_logger(__name__)

# How often a standby asks how far the changelog goes by now.
_EXTEND_SECONDS = 1.0


class Desk:
    """A matcher that is folded from a changelog partition until it is taken over.

    ``make_replay`` opens a reader at the partition's beginning.
    """

    def __init__(
        self, partition: TopicPartition, matcher: Matcher, make_replay: Callable[[], Replay]
    ) -> None:
        self.partition = partition
        self.matcher = matcher
        self.owned = False
        self.restored = False
        self.restore_seconds = 0.0
        self._make_replay = make_replay
        self._replay: Replay | None = None
        self._started = time.monotonic()
        self._folded = 0
        self._extended = self._started
        self._target_is_old = False

    def take_over(self) -> None:
        """The desk is ours: what is missing is everything up to the changelog's present end."""
        self.owned = True
        self.restored = False
        self._started = time.monotonic()
        self._folded = 0
        self._target_is_old = True

    def follow(self, seconds: float) -> bool:
        """Fold what is there, waiting at most ``seconds``; tells whether this ended a restore.

        Raises:
            EngineMismatchError: the changelog is another engine's.
            StateDamagedError: it has a gap or a damaged record.
        """
        replay = self._reader()
        if not self.owned and time.monotonic() - self._extended > _EXTEND_SECONDS:
            self._target_is_old = True
        if self._target_is_old and not self._extend(replay):
            return False
        if not replay.done or not self.owned:
            for record in replay.slice(seconds):
                self._fold(record.value or b"")
        if self.owned and replay.done:
            self.restored = True
            replay.close()
            self._replay = None
            self.restore_seconds = time.monotonic() - self._started
            log.info(
                "desk_restored",
                desk=self.partition.partition,
                articles=len(self.matcher),
                folded=self._folded,
                seconds=round(self.restore_seconds, 3),
            )
        return self.restored

    def _extend(self, replay: Replay) -> bool:
        try:
            replay.extend()
        except KafkaError as error:  # the broker is away; asked again at the next slice
            log.warning("changelog_end_unknown", error=str(error))
            return False
        self._extended = time.monotonic()
        self._target_is_old = False
        return True

    @property
    def behind(self) -> int:
        """Changelog records that are not folded yet, as far as known."""
        return 0 if self._replay is None else self._replay.behind

    def close(self) -> None:
        """Let go of the reader."""
        if self._replay is not None:
            self._replay.close()
            self._replay = None

    def _reader(self) -> Replay:
        if self._replay is None:
            self._replay = self._make_replay()
        return self._replay

    def _fold(self, record: bytes) -> None:
        try:
            change, _ = decode(record, self.matcher.fingerprint, with_about=False)
            self.matcher.apply(change)
        except FingerprintError as error:
            raise EngineMismatchError(f"{self.partition.topic}: {error}") from error
        except StateError as error:
            raise StateDamagedError(f"{self.partition.topic}[{self.partition.partition}]: {error}") from error
        self._folded += len(change.ids)
