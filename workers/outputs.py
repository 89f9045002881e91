"""The files that the embedded run writes, cut back to what was committed at every start."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from pipeline.errors import OutputError

STDOUT = "-"


class Output:
    """An append-only file of lines, or standard output.

    ``length``: bytes written so far. Standard output (or a pipe or device) cannot be cut
    back: after a kill, lines of the last batch may come twice there.
    """

    def __init__(self, location: str | None, sync: bool) -> None:
        self.location = location
        self.length = 0
        self._sync = sync
        self._file: int | None = None
        if location == STDOUT:
            self._file = sys.stdout.fileno()
        elif location is not None:
            try:
                Path(location).parent.mkdir(parents=True, exist_ok=True)
                self._file = os.open(location, os.O_WRONLY | os.O_CREAT, 0o644)
            except OSError as error:
                raise OutputError(
                    f"output {location}: {error.strerror}; choose a place that can be written"
                ) from error

    @property
    def key(self) -> str:
        """The name under which the committed length is kept."""
        return (
            STDOUT if self.location == STDOUT else str(Path(self.location).resolve()) if self.location else ""
        )

    def resume(self, committed: int | None) -> None:
        """Cut the file back to its committed length (``None``: the state does not know it yet).

        Raises :class:`OutputError` when it is shorter, or holds somebody else's lines.
        """
        if self._file is None or self.location == STDOUT:
            return
        status = os.fstat(self._file)
        if not stat.S_ISREG(status.st_mode):  # a pipe or a device: like standard output
            self._sync = False
            return
        size = status.st_size
        if committed is None:
            if size:
                raise OutputError(
                    f"output {self.location} exists and does not belong to this state; "
                    "remove it, choose another output, or give the --state that it was written with"
                )
            committed = 0
        if size < committed:
            raise OutputError(
                f"output {self.location} has {size} bytes where the state says {committed}: it was replaced or cut. "
                "Put it back, or start again with a new --state folder and a new output"
            )
        os.ftruncate(self._file, committed)
        os.lseek(self._file, committed, os.SEEK_SET)
        self.length = committed

    def write(self, lines: list[bytes]) -> None:
        """Append lines (a newline is added to each) and wait for the disk."""
        if self._file is None or not lines:
            return
        content = memoryview(b"\n".join(lines) + b"\n")
        self.length += len(content)
        try:
            while content:
                content = content[os.write(self._file, content) :]
            if self._sync and self.location != STDOUT:
                os.fdatasync(self._file)
        except BrokenPipeError:  # who read our standard output has seen enough
            raise
        except OSError as error:
            raise OutputError(
                f"output {self.location}: {error.strerror}; make room and run the same command again"
            ) from error

    def close(self) -> None:
        """Close the file."""
        if self._file is not None and self.location != STDOUT:
            os.close(self._file)
        self._file = None
