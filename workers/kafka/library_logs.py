"""Two gaps of kafka-python 3.0 that can only be closed through its log.

It dumps every request at DEBUG, so a PLAIN password or an OAUTHBEARER token would be in the log. And it
treats a refused login as one more lost connection while it bootstraps: the caller gets a timeout, as from
a dead broker, and only a warning in the log names the refusal.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from kafka import errors as kafka_errors

# The parts of the library that print requests as they go over the wire.
WIRE_LOGGERS = ("kafka.net", "kafka.protocol")
CONNECTION_LOGGER = "kafka.net"


def silence_wire_dumps() -> None:
    """Keep the loggers that print requests at INFO or above, whatever level the application chose."""
    for name in WIRE_LOGGERS:
        logger = logging.getLogger(name)
        if logger.level < logging.INFO:
            logger.setLevel(logging.INFO)


class _RefusalNotes(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.refusals: list[kafka_errors.KafkaError] = []

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record.args, tuple):
            self.refusals += [
                each for each in record.args if isinstance(each, kafka_errors.SaslAuthenticationFailedError)
            ]


@contextmanager
def noticing_refusals() -> Iterator[list[kafka_errors.KafkaError]]:
    """Collects the login refusals that the library only logs, while the body builds a client."""
    notes, logger = _RefusalNotes(), logging.getLogger(CONNECTION_LOGGER)
    logger.addHandler(notes)
    try:
        yield notes.refusals
    finally:
        logger.removeHandler(notes)
