"""Waiting in tests: for what is to be, never for a time; how fast it is, the benchmarks say."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

# Long enough for any machine that is not hung, and less than a test may take.
PATIENCE_S = 120.0
LOOK_S = 0.01
TO_END_S = 15.0  # for a process in order, where what it has done is counted
# Limits to try in turn where a test is about one that is reached: how far a process comes within
# the first, a crowded machine decides.
GROWING_LIMITS_S = (1, 5, 25, 60)

COUNTING = "COVERAGE_PROCESS_CONFIG"  # has a process count the branches that it takes

Found = TypeVar("Found")
Started = subprocess.Popen[Any]


def wait_until(
    look: Callable[[], Found],
    reported: Callable[[], object] = lambda: "",
    *,
    every_s: float = LOOK_S,
) -> Found:
    """Look until something is found, and return it; ``told`` says what there was instead."""
    end = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < end, reported()
        time.sleep(every_s)
    return found


def wait_for_text(pattern: str, log: Path, process: Started) -> re.Match[str]:
    """Look into the log of a process until it has this; a process that has ended never will."""

    def look() -> re.Match[str] | None:
        has_ended = process.poll() is not None
        found = re.search(pattern, log.read_text())
        assert found or not has_ended, log.read_text()
        return found

    found = wait_until(look, log.read_text)
    assert found
    return found


def end_all(*processes: Started) -> None:
    """End them, whatever they do, and wait for that."""
    running = [process for process in processes if process.poll() is None]
    if COUNTING in os.environ:  # what is killed does not say what it has done
        for process in running:
            process.terminate()
        for process in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(TO_END_S)
    for process in running:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
    for process in processes:
        process.wait()


def uncounted_environment() -> dict[str, str]:
    """For a process that is asked what it has imported: counting imports things of its own."""
    return {name: value for name, value in os.environ.items() if name != COUNTING}
