"""The project's own tests give the same verdict wherever they are run: as a job in the background
of a shell, by root with a private folder for temporary files, in a folder of a long name.

A few telling tests of each kind run here once more, in a pytest of their own.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ..support.waiting import PATIENCE_S

TESTS = Path(__file__).parents[1]
IGNORING = ("sh", "-c", "trap '' INT HUP; exec \"$@\"", "sh")


def file_of(test: str) -> Path:
    """The file that has this test, wherever in the suite it is."""
    (found,) = (path for path in TESTS.rglob("test_*.py") if f"\ndef {test}(" in path.read_text())
    return found


def run_tests(*tests: str, temporary: Path, starter: tuple[str, ...] = ()) -> str:
    """The last line of pytest for these tests of the suite, or all that it says if one fails."""
    chosen = [f"{file_of(test.partition('[')[0])}::{test}" for test in tests]
    process = subprocess.Popen(
        [*starter, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen],
        cwd=TESTS.parent,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=PATIENCE_S)
    finally:  # what a test has started belongs to it
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    assert process.returncode == 0, said
    return said.splitlines()[-1]


@pytest.mark.parametrize(
    "test",
    [
        "test_a_signal_is_raised_where_the_process_is",
        "test_a_signal_puts_the_model_back_and_says_so_in_the_exit_status[SIGINT]",
        "test_a_signal_ends_it_with_the_status_that_says_so[SIGHUP]",
    ],
    ids=["in this process", "in a process of its own", "a terminal that is closed"],
)
def test_tests_that_interrupt_pass_where_interrupts_are_ignored(test: str, tmp_path: Path) -> None:
    """As in ``make test &`` of a script, or by ``nohup``."""
    last = run_tests(test, temporary=tmp_path, starter=IGNORING)

    assert "passed" in last


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_tests_of_permissions_pass_where_the_temporary_files_of_root_are_private(
    tmp_path: Path,
) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)

    last = run_tests(
        "test_a_target_without_permission_is_refused",
        "test_a_folder_that_may_not_be_read_is_named",
        temporary=private,
    )

    assert "2 passed" in last


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="there is no Redis here")
def test_a_test_with_a_socket_passes_where_temporary_files_have_long_names(tmp_path: Path) -> None:
    """The path of a socket has at most 107 bytes."""
    long = tmp_path / ("x" * 100)
    long.mkdir()

    last = run_tests("test_a_unix_socket_will_do", temporary=long)

    assert "1 passed" in last
