"""Whole processes, timed from outside: wall time, CPU time, peak memory, as the kernel counts them.

Commands that are compared run by turns, so that a busy minute of the machine meets all of them.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

MEMORY = "/dev/shm"  # noqa: S108 - folders in it are made by tempfile
ALO = str(Path(sys.executable).parent / "alo")


def in_memory() -> tempfile.TemporaryDirectory[str]:
    """A folder in memory, where the system has such a place: for rows that make files, so that
    they tell what ALO takes and not what the disk does just then."""
    return tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None)


class Usage(NamedTuple):
    """What one process cost, its children that it waited for included."""

    wall_s: float
    cpu_s: float
    peak_bytes: int


class Command(NamedTuple):
    """A command line, and what has to be in order before each of its runs (not timed)."""

    argv: Sequence[str]
    prepare: Callable[[], object] = lambda: None


class BenchmarkError(Exception):
    """A command that was to be timed ended with an error; its output is the message."""


def alo(*arguments: str | os.PathLike[str]) -> list[str]:
    """The command line of the ``alo`` that belongs to this Python."""
    return [ALO, *(os.fspath(argument) for argument in arguments)]


def python(*arguments: str | os.PathLike[str]) -> list[str]:
    return [sys.executable, *(os.fspath(argument) for argument in arguments)]


def run(argv: Sequence[str]) -> tuple[Usage, str]:
    """Run a command, its output a file (no terminal); returns its cost and what it printed."""
    with tempfile.TemporaryFile() as output:
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output.fileno(), 1),
            (os.POSIX_SPAWN_DUP2, output.fileno(), 2),
        ]
        start = time.perf_counter()
        pid = os.posix_spawn(argv[0], list(argv), _environment(), file_actions=actions)
        _, status, usage = os.wait4(pid, 0)
        wall_s = time.perf_counter() - start
        output.seek(0)
        text = output.read().decode(errors="replace")
    if status:
        raise BenchmarkError(f"{' '.join(argv)}: exit {os.waitstatus_to_exitcode(status)}\n{text}")
    return Usage(wall_s, usage.ru_utime + usage.ru_stime, _peak_bytes(usage.ru_maxrss)), text


def _environment() -> dict[str, str]:
    """Ours, but that Python keeps the bytecode it compiles, as in an installed package."""
    return {key: text for key, text in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


def _peak_bytes(maxrss: int) -> int:
    return maxrss if sys.platform == "darwin" else maxrss * 1024


def by_turns(*commands: Command, rounds: int, warm_up: int = 2) -> list[Usage]:
    """The medians of each command over ``rounds``, all commands once in each round."""
    return [median_of(seen) for seen in samples(*commands, rounds=rounds, warm_up=warm_up)]


def samples(*commands: Command, rounds: int, warm_up: int = 2) -> list[list[Usage]]:
    """Each run of each command, all commands once in each round."""
    seen: list[list[Usage]] = [[] for _ in commands]
    for turn in range(-warm_up, rounds):
        for command, usages in zip(commands, seen, strict=True):
            command.prepare()
            usage, _ = run(command.argv)
            if turn >= 0:
                usages.append(usage)
    return seen


def median_of(usages: Sequence[Usage]) -> Usage:
    return Usage(
        median(usage.wall_s for usage in usages),
        median(usage.cpu_s for usage in usages),
        int(median(usage.peak_bytes for usage in usages)),
    )
