"""Where the standard streams lead: the same after a step as before."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from alo.named_tuples import NamedTuple


class _Copy(NamedTuple):
    """A second descriptor of a standard stream, and which file it is."""

    descriptor: int
    file: tuple[int, int]

    def put_back(self, number: int) -> None:
        """Have the stream lead there, if it does not."""
        if _file_of(number) != self.file and _file_of(self.descriptor) == self.file:
            os.dup2(self.descriptor, number)


_standing: dict[int, _Copy] = {}  # of a process that does nothing but run steps


@contextmanager
def descriptors_kept(*, only_steps: bool = False) -> Iterator[None]:
    """Standard streams lead where they did afterwards, even if the asset closed them.

    Args:
        only_steps: nothing but steps has changed them since the last time: the same copies do.
    """
    kept = _standing if only_steps and _standing else _copies()
    if only_steps:
        _standing.update(kept)
    could_read = not _is_closed(sys.stdin)
    try:
        yield
    finally:
        for number, copy in kept.items():
            copy.put_back(number)
            if not only_steps:
                os.close(copy.descriptor)
        if could_read and _is_closed(sys.stdin):
            sys.stdin = open(0, encoding=sys.stdin.encoding, closefd=False)  # noqa: SIM115


def _copies() -> dict[int, _Copy]:
    copies = {}
    for number in range(3):
        with suppress(OSError):  # closed from the start
            descriptor = os.dup(number)
            copies[number] = _Copy(descriptor, _file_of(descriptor) or (0, 0))
    return copies


def _is_closed(stream: TextIO | None) -> bool:
    return stream is None or stream.closed


def _file_of(descriptor: int) -> tuple[int, int] | None:
    """Which file it leads to; None: it is closed."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return found.st_dev, found.st_ino
