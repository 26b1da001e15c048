"""Where the standard streams lead: the same after a step as before."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


@contextmanager
def descriptors_kept() -> Iterator[None]:
    """Standard streams lead where they did afterwards, even if the asset closed them."""
    kept = {number: _duplicate(number) for number in range(3)}
    could_read = not _is_closed(sys.stdin)
    try:
        yield
    finally:
        for number, copy in kept.items():
            if copy is not None:
                if not _is_same_file(number, copy):
                    os.dup2(copy, number)
                os.close(copy)
        if could_read and _is_closed(sys.stdin):
            sys.stdin = open(0, encoding=sys.stdin.encoding, closefd=False)  # noqa: SIM115


def _is_closed(stream: TextIO | None) -> bool:
    return stream is None or stream.closed


def _duplicate(descriptor: int) -> int | None:
    try:
        return os.dup(descriptor)
    except OSError:  # closed from the start
        return None


def _is_same_file(one: int, other: int) -> bool:
    try:
        return os.path.samestat(os.fstat(one), os.fstat(other))
    except OSError:
        return False
