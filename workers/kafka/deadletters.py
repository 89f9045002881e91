"""Dead letters: input that could not be processed, kept whole with the reason, and a limit to their share.

The value is the original value, byte for byte, and the key the original key, so that putting the record back
needs nothing but the headers. A null value (tombstone) and a null key are told from empty ones by a header.
"""

from collections import deque

from config.kafka import DeadLetterSettings
from workers.kafka.errors import DeadLetterLimitError
from workers.kafka.records import Headers, Outgoing, Record

REASON = "samewire.reason"
EXCEPTION = "samewire.exception"
TOPIC = "samewire.topic"
PARTITION = "samewire.partition"
OFFSET = "samewire.offset"
TIMESTAMP = "samewire.timestamp"
NULLS = "samewire.nulls"
"""Which of `key` and `value` were null: a record with neither cannot be sent at all."""
REDRIVEN = "samewire.redriven"
"""How often the record was put back already."""

# Enough of an exception to find the line; the record itself must still fit the topic.
EXCEPTION_CHARACTERS = 2000

PREFIX = "samewire."


def dead_letter(
    record: Record, reason: str, error: BaseException | None, topic: str, max_record_bytes: int | None = None
) -> Outgoing:
    """The dead letter of a record for `topic`.

    `reason` is a short stable word, by which `redrive` selects. A value larger than `max_record_bytes` is
    cut, with the reason kept: the broker would refuse it, and the original still lies in the input topic.
    """
    value = record.value
    nulls = [name for name, part in (("key", record.key), ("value", value)) if part is None]
    headers: list[tuple[str, bytes]] = [
        (REASON, reason.encode()),
        (TOPIC, record.topic.encode()),
        (PARTITION, b"%d" % record.partition),
        (OFFSET, b"%d" % record.offset),
        (TIMESTAMP, b"%d" % record.timestamp),
    ]
    if error is not None:
        text = f"{type(error).__name__}: {error}"[:EXCEPTION_CHARACTERS]
        headers.append((EXCEPTION, text.encode(errors="replace")))
    if nulls:
        headers.append((NULLS, ",".join(nulls).encode()))
    kept = [(name, content or b"") for name, content in record.headers if not name.startswith(PREFIX)]
    redriven = header(record.headers, REDRIVEN)
    if redriven is not None:
        headers.append((REDRIVEN, redriven))
    if value is not None and max_record_bytes is not None and len(value) > max_record_bytes:
        value = value[:max_record_bytes]
        headers.append((CUT, b"1"))
    if len(nulls) == 2:
        value = b""  # Kafka takes no record without key and value
    return Outgoing(topic, record.key, value, headers + kept, None, record.timestamp)


CUT = "samewire.cut"
"""The value was too large to keep whole; such a dead letter cannot be put back."""


def header(headers: Headers, name: str) -> bytes | None:
    """The last header of that name."""
    for key, value in reversed(headers):
        if key == name:
            return value
    return None


class DeadLetterLimiter:
    """Stops the worker when too large a share of recent input ends as dead letters."""

    def __init__(self, settings: DeadLetterSettings) -> None:
        self._settings = settings
        self._window: deque[tuple[int, int]] = deque()
        self._records = 0
        self._dead = 0

    def check(self, records: int, dead: int) -> None:
        """Whether a batch may be published.

        Raises:
            DeadLetterLimitError: with this batch the share would pass the limit.
        """
        all_records, all_dead = self._records + records, self._dead + dead
        if not dead or all_records < self._settings.min_records:
            return
        ratio = all_dead / all_records
        if ratio > self._settings.max_ratio:
            raise DeadLetterLimitError(
                f"{all_dead} of the last {all_records} records ({ratio:.0%}) could not be processed,"
                f" the limit is {self._settings.max_ratio:.0%}; look at the reasons in the dead-letter topic,"
                " then fix the cause or raise dead_letters.max_ratio. The last batch stays in the input"
            )

    def count(self, records: int, dead: int) -> None:
        """A batch was published."""
        self._window.append((records, dead))
        self._records += records
        self._dead += dead
        while self._window and self._records - self._window[0][0] >= self._settings.window_records:
            old_records, old_dead = self._window.popleft()
            self._records -= old_records
            self._dead -= old_dead
