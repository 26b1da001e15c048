"""A file of a run that only grows, and may not fail an asset's own ``print``."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from alo.errors import RunError
from alolib.disk import fix_of


class AppendedFile:
    """Each write is with the system when it returns, so that a kill loses none."""

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._path, self.descriptor = path, os.open(path, flags, 0o644)
        self._failure: OSError | None = None

    def write(self, content: bytes, *, whole: bool = False) -> bool:
        """Append; returns whether it could be. A failure is kept for ``check``.

        Args:
            whole: of what could not be written to its end nothing stays.
        """
        if self.descriptor < 0:  # a thread of an asset that outlives the run
            return False
        rest = content
        try:
            while (written := os.write(self.descriptor, rest)) < len(rest):
                rest = rest[written:]
        except OSError as error:
            self._failure = error
            if whole and len(rest) < len(content):
                with suppress(OSError):
                    size = os.fstat(self.descriptor).st_size
                    os.ftruncate(self.descriptor, size - (len(content) - len(rest)))
            return False
        return True

    def check(self) -> None:
        """Raise, once, if something could not be written.

        Raises:
            RunError: the disk is full, or the file cannot be written for another reason.
        """
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise RunError(
                f"the log cannot be written: {failure.strerror}",
                where=str(self._path.parent),
                fix=fix_of(failure),
            ) from failure

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self.descriptor = -1
