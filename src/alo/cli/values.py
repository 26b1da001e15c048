"""Values of options, checked where they are read: each is one line of a clear error."""

from __future__ import annotations

import argparse
import re
from math import inf, nan
from pathlib import Path


def named(text: str) -> str:
    """Some text; an empty one is a variable that was not set, and not "all"."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty")
    return text


def path(text: str) -> Path:
    """A path of this machine; it need not be there."""
    if found := re.match(r"[A-Za-z][\w+.-]*://", text):  # it would be a folder called "s3:"
        raise argparse.ArgumentTypeError(
            f"expected a path on this machine, not '{found[0]}...', a URL"
        )
    return Path(named(text))


def count(text: str) -> int:
    """A number of things, at least one."""
    return _whole(text, 1, 1_000_000_000, "a number from 1 up")


def rows_in_pieces(text: str) -> int:
    """A number of rows that can be in one piece and in two."""
    return _whole(text, 2, 1_000_000_000, "off, or a number from 2 up")


def run_count(text: str) -> int:
    """A number of past runs; 0 has a meaning, and there are never as many as the most."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"a whole number from 0 up, not '{text}'")
    return min(int(text[:20]), 1_000_000_000)


def whole(text: str) -> int:
    """A whole number that fits 32 bits, such as a seed."""
    return _whole(text, 0, 2**32 - 1, "a whole number from 0 up")


def processes(text: str) -> int:
    """A number of processes, from 1 to 1000."""
    return _whole(text, 1, 1000, "a number of processes from 1 to 1000")


def few(text: str) -> int:
    """A small number of things, from 1 to 1000."""
    return _whole(text, 1, 1000, "a number from 1 to 1000")


def port(text: str) -> int:
    """A TCP port; 0 lets the system choose one."""
    return _whole(text, 0, 65_535, "a port, from 0 to 65535")


def seconds(text: str) -> float:
    """A time in seconds, above 0."""
    return _above_zero(text, "seconds")


def megabytes(text: str) -> float:
    """A size in megabytes, above 0."""
    return _above_zero(text, "megabytes")


def kilobytes(text: str) -> float:
    """A size in kilobytes, above 0."""
    return _above_zero(text, "kilobytes")


def share(text: str) -> float:
    """A share, from 0 to 1."""
    number = _float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"expected a share from 0 to 1, not '{text}'")
    return number


def size_mb(text: str) -> float:
    """A size in megabytes; 0 has a meaning of its own."""
    number = _float(text)
    if not 0 <= number < inf:
        raise argparse.ArgumentTypeError(f"a number of megabytes from 0 up, not '{text}'")
    return number


def _whole(text: str, least: int, most: int, what: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else -1
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"expected {what}, not '{text}'")
    return number


def _above_zero(text: str, unit: str) -> float:
    number = _float(text)
    if not 0 < number < 1e9:
        raise argparse.ArgumentTypeError(f"expected {unit} above 0, not '{text}'")
    return number


def _float(text: str) -> float:
    """Not a number where it is none, which is in no range."""
    try:
        return float(text)
    except ValueError:
        return nan
