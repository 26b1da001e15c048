"""A process is ended with all that it has started, and not before it has to be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from alo.processes.tree import MARK, Watchdog, end_tree, has_ended

from ..support.waiting import wait_until

GRANDCHILD = """
import os, signal, subprocess, sys, time
code = "import os, signal, sys, time\\nif sys.argv[2] == 'deaf': signal.signal(signal.SIGTERM, signal.SIG_IGN)\\nopen(sys.argv[1], 'w').write(str(os.getpid()))\\ntime.sleep(600)"
subprocess.Popen([sys.executable, "-c", code, sys.argv[1], sys.argv[2]], start_new_session=True)
time.sleep(600)
"""  # noqa: E501


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.fixture
def idle() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def mark() -> str:
    """Of this test alone: others end what has theirs at the same time."""
    return uuid.uuid4().hex


def test_a_process_has_ended_once_it_has(idle: subprocess.Popen[bytes]) -> None:
    assert not has_ended(idle.pid)
    os.kill(idle.pid, signal.SIGKILL)
    wait_until(lambda: has_ended(idle.pid))
    idle.wait()
    assert has_ended(idle.pid)  # also once it has been waited for


@pytest.mark.parametrize("hearing", ["hears", "deaf"])
def test_what_has_left_its_session_ends_too(tmp_path: Path, mark: str, hearing: str) -> None:
    command = [sys.executable, "-c", GRANDCHILD, str(tmp_path / "pid"), hearing]
    process = subprocess.Popen(command, env={**os.environ, MARK: mark}, start_new_session=True)
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "")
    grandchild = int((tmp_path / "pid").read_text())

    end_tree(process.pid, mark)

    assert process.wait() < 0
    wait_until(lambda: is_gone(grandchild))


def test_what_has_another_mark_is_left_alone(idle: subprocess.Popen[bytes], mark: str) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", "input()"],
        stdin=subprocess.PIPE,
        env={**os.environ, MARK: f"not {mark}"},
    )
    try:
        end_tree(idle.pid, mark)
        assert idle.wait() < 0
        assert other.poll() is None
    finally:
        other.kill()
        other.communicate()


def test_a_watchdog_that_is_dismissed_bites_no_one(idle: subprocess.Popen[bytes]) -> None:
    watchdog = Watchdog(idle.pid)

    watchdog.dismiss()

    assert idle.poll() is None


def test_a_watchdog_ends_its_process_when_we_are_gone(tmp_path: Path) -> None:
    code = (
        "import os, subprocess, sys; from alo.processes.tree import Watchdog\n"
        "child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "dog = Watchdog(child.pid)\n"
        "print(child.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False)

    wait_until(lambda: is_gone(int(done.stdout)))
