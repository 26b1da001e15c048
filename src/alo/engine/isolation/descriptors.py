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

    def close(self) -> None:
        """Close it, unless a step has made something else of it."""
        if _file_of(self.descriptor) == self.file:
            os.close(self.descriptor)


class _Standing:
    """The copies of a time in which nothing but steps runs; they last for all of it."""

    def __init__(self) -> None:
        self._time: object | None = None
        self._copies: dict[int, _Copy] = {}

    def of(self, time: object) -> dict[int, _Copy]:
        if time is not self._time:
            for copy in self._copies.values():
                copy.close()
            self._time, self._copies = time, _copies()
        return self._copies


_standing = _Standing()


@contextmanager
def descriptors_kept(time: object | None = None) -> Iterator[None]:
    """Standard streams lead where they did afterwards, even if the asset closed them.

    Args:
        time: in which nothing but steps changes them: the same copies do for all of it.
    """
    kept = _copies() if time is None else _standing.of(time)
    could_read = not _is_closed(sys.stdin)
    try:
        yield
    finally:
        for number, copy in kept.items():
            copy.put_back(number)
            if time is None:
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
