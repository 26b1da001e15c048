"""A record of lines of JSON that is only appended to: each is whole before what comes next."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from errno import ENOSPC
from pathlib import Path
from typing import Any, TypeVar

from alo.json_text import json_bytes

T = TypeVar("T")
PIECE = 1 << 16  # bytes that are looked at in one go


class LineLog:
    """Appends; one process at a time. What a kill has left of a line is cut off first.

    Raises:
        OSError: the disk does not let us.
    """

    def __init__(self, path: Path) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o666)
        size = os.fstat(self._descriptor).st_size
        whole = _end_of_lines(self._descriptor, size)
        if whole < size:
            os.ftruncate(self._descriptor, whole)

    def write(self, entry: Mapping[str, object], *, lasts: bool) -> None:
        """Add a line.

        Args:
            lasts: also through a power failure.
        Raises:
            OSError: there is no room; nothing of the line is there then.
        """
        content = json_bytes(entry) + b"\n"
        before = os.fstat(self._descriptor).st_size
        try:
            if os.write(self._descriptor, content) < len(content):
                raise OSError(ENOSPC, os.strerror(ENOSPC))
            if lasts:
                os.fdatasync(self._descriptor)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, before)
            raise

    def close(self) -> None:
        """Nothing more comes."""
        os.close(self._descriptor)


def _end_of_lines(descriptor: int, size: int) -> int:
    """Where the last whole line of a file ends."""
    while size:
        start = max(0, size - PIECE)
        if (at := os.pread(descriptor, size - start, start).rfind(b"\n")) >= 0:
            return start + at + 1
        size = start
    return 0


def newest_first(path: Path, read: Callable[[Any], T]) -> Iterator[T]:
    """What the lines say, from the last one back; a torn last one was never there.

    Args:
        read: makes it of a line's JSON.
    Raises:
        OSError: the file cannot be read, but for one that is not there, which has no lines.
        ValueError: a line cannot be read; says which.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    *lines, _torn = content.split(b"\n")
    for at, line in reversed([*enumerate(lines, 1)]):
        try:
            entry = read(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"line {at}: {error}") from error
        yield entry
