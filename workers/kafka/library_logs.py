"""Gaps of kafka-python 3.0 that can only be closed through its log.

It dumps every request at DEBUG, so a PLAIN password or an OAUTHBEARER token would be in the log. And it
treats a refused login as one more lost connection while it bootstraps: the caller gets a timeout, as from
a dead broker, and only a warning in the log names the refusal. The same goes for why a connection failed: an
expired certificate, a closed port, a name that does not resolve.
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


class ConnectionNotes(logging.Handler):
    """What the library says about connections. ``cause``: why the last one failed; may be empty."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.refusals: list[kafka_errors.KafkaError] = []
        self.cause = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Note the errors among a message's arguments."""
        if isinstance(record.args, tuple):
            errors = [each for each in record.args if isinstance(each, Exception)]
            self.refusals += [
                each for each in errors if isinstance(each, kafka_errors.SaslAuthenticationFailedError)
            ]
            # "Bootstrap failed" only says once more that the others did
            if errors and not isinstance(errors[-1], kafka_errors.KafkaTimeoutError):
                self.cause = str(errors[-1])


@contextmanager
def noticing_refusals() -> Iterator[ConnectionNotes]:
    """Collects what the library only logs about refusals and failures, while the body builds a client."""
    notes, logger = ConnectionNotes(), logging.getLogger(CONNECTION_LOGGER)
    logger.addHandler(notes)
    try:
        yield notes
    finally:
        logger.removeHandler(notes)
