"""Of a process that died or hung is told how, where in the user's code, and what it said last."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from alo.processes.crash_report import (
    LAST_LINES,
    Ending,
    boot_error,
    boot_hang_error,
    crash_error,
    hang_error,
)

HOME = Path("/p")
STACKS = """\
Fatal Python error: Segmentation fault

Current thread 0x00007f (most recent call first):
  File "/usr/lib/python3/ctypes.py", line 1 in string_at
  File "/p/assets/train/helper.py", line 7 in inner
  File "/p/assets/train/asset_train.py", line 12 in run
"""


def ending(status: int | None, stacks: str = "", lines: tuple[str, ...] = ()) -> Ending:
    return Ending(status, 1.0, 123_000_000, lines, stacks)


@pytest.mark.parametrize(
    ("status", "reported"),
    [
        (3, "ended with exit status 3 in the middle of run()"),
        (-signal.SIGSEGV, "a segmentation fault"),
        (-signal.SIGKILL, "as the system does when memory runs out"),
        (None, "has taken its exit status"),
    ],
)
def test_how_it_ended_is_reported_in_words(status: int | None, reported: str) -> None:
    error = crash_error("train", HOME, ending(status))

    assert error.what.startswith("step 'train' failed: its process ")
    assert reported in error.what
    assert "peak memory 123 MB" in error.what
    assert error.step == "train"


def test_a_signal_without_a_meaning_of_ours_has_its_name_or_number() -> None:
    assert "SIGUSR2" in crash_error("a", HOME, ending(-signal.SIGUSR2)).what
    assert "99" in crash_error("a", HOME, ending(-99)).what


def test_the_place_is_the_innermost_of_the_users_own() -> None:
    error = crash_error("train", HOME, ending(-signal.SIGSEGV, STACKS))

    assert error.where.startswith("assets/train/helper.py:7")
    assert "asset_train.py" in error.user_traceback
    assert "ctypes" not in error.where


def test_the_last_lines_it_printed_are_reported_and_no_more() -> None:
    lines = tuple(f"line {number}" for number in range(LAST_LINES + 3))

    reported = crash_error("train", HOME, ending(1, lines=lines)).user_traceback

    assert f"line {LAST_LINES + 2}" in reported
    assert "line 3" in reported
    assert "line 2" not in reported


def test_a_step_that_took_too_long_is_reported_which_limit_to_raise() -> None:
    of_step, of_request = (hang_error(step, HOME, ending(-9), 2.5) for step in ("train", ""))

    assert "longer than its timeout of 2.5 s" in of_step.what
    assert "'timeout' next to the step" in of_step.fix
    assert of_request.what.startswith("the request failed")
    assert "--request-timeout" in of_request.fix


def test_a_service_that_does_not_boot_is_reported_where_it_was() -> None:
    died, hung = boot_error(HOME, ending(1, STACKS)), boot_hang_error(HOME, ending(-9, STACKS), 30)

    assert "cannot be warmed up: its process ended with exit status 1" in died.what
    assert "is not warm after 30 s" in hung.what
    assert died.where == hung.where != ""
    assert "--boot-timeout" in hung.fix
