"""The errors that end a worker; each carries the exit code that tells the operator why."""

from typing import ClassVar

from pipeline.errors import SamewireError
from workers.kafka.exit_codes import ExitCode


class WorkerError(SamewireError):
    """Base of the errors that a worker cannot repair by itself."""

    exit_code: ClassVar[ExitCode] = ExitCode.CRASHED


class BrokerUnreachableError(WorkerError):
    """No broker answered in time."""

    exit_code = ExitCode.BROKER_UNREACHABLE


class CredentialsRefusedError(WorkerError):
    """Login or permission refused."""

    exit_code = ExitCode.CREDENTIALS_REFUSED


class SlotTakenError(WorkerError):
    """Another process uses this slot's group.instance.id or transactional.id."""

    exit_code = ExitCode.SLOT_TAKEN


class DeadLetterLimitError(WorkerError):
    """The share of dead letters passed its limit."""

    exit_code = ExitCode.DEAD_LETTER_LIMIT


class TransactionsFailedError(WorkerError):
    """A new producer could not be built either."""

    exit_code = ExitCode.TRANSACTIONS_FAILED


class TopicsWrongError(WorkerError):
    """A topic is missing or differs."""

    exit_code = ExitCode.TOPICS_WRONG


class UnpublishableError(WorkerError):
    """The broker refuses even the dead letter."""

    exit_code = ExitCode.UNPUBLISHABLE


class DeadlineExceededError(Exception):
    """A client call did not return in time. Its outcome is unknown."""


class EngineMismatchError(WorkerError):
    """The changelog was written by another engine."""

    exit_code = ExitCode.ENGINE_MISMATCH


class StateDamagedError(WorkerError):
    """The changelog has a gap or a damaged record."""

    exit_code = ExitCode.STATE_DAMAGED
