"""The one hierarchy of errors that samewire raises on purpose.

A message names the thing, the reason and the next step, in that order; the
command line prints it as it stands and exits with :attr:`SamewireError.exit_code`.
"""

from __future__ import annotations

from typing import ClassVar


class SamewireError(Exception):
    """Base of every error that a user can do something about."""

    exit_code: ClassVar[int] = 1


class SettingsError(SamewireError):
    """A setting is unknown, malformed or contradicts another."""

    exit_code = 2


class InputError(SamewireError):
    """An input cannot be read at all (one bad line is a dead letter instead)."""

    exit_code = 3


class OutputError(SamewireError):
    """An output cannot be written."""

    exit_code = 4


class StateError(SamewireError):
    """A state is damaged, in use, or belongs to another run."""

    exit_code = 5


class FingerprintError(StateError):
    """A state or record was made by another engine; mixing would give wrong answers."""

    exit_code = 6
