"""How git and the installers end is known; an interrupt ends them with all that they began."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

import pytest

from alo.sources.commands import UNKNOWN, Commands

from ..support.waiting import PATIENCE_S


def run(*command: str) -> tuple[int | None, str]:
    ended = Commands().run(command, os.environ)
    return ended.status, ended.fault


def test_what_a_command_prints_and_how_it_ends_is_reported() -> None:
    ended = Commands().run(["sh", "-c", "echo out; echo err >&2; exit 3"], os.environ)

    assert ended == (3, "out\n", "err\n")
    assert ended.fault == "it ended with status 3"
    assert run("true") == (0, "")
    assert run("sh", "-c", "kill -9 $$") == (-9, "it was ended by SIGKILL")


def test_much_on_both_sides_does_not_stop_it() -> None:
    text = "head -c 3000000 /dev/zero | tr '\\0' x; head -c 3000000 /dev/zero | tr '\\0' y >&2"

    ended = Commands().run(["sh", "-c", text], os.environ)

    assert (len(ended.output), len(ended.errors)) == (3_000_000, 3_000_000)


@pytest.mark.parametrize(
    "taken",
    [
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
        "signal.signal(signal.SIGCHLD, lambda *_: os.waitpid(-1, os.WNOHANG))",
    ],
)
def test_one_whose_status_is_lost_has_not_succeeded(taken: str) -> None:
    code = f"""
import os, signal
from alo.sources.commands import Commands
{taken}
print(Commands().run(["sh", "-c", "sleep 0.1; exit 3"], os.environ).fault)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == UNKNOWN


INTERRUPTED = """
import os, signal, subprocess, sys, time
from alo.sources.commands import Commands
def interrupt(*_):
    raise KeyboardInterrupt
signal.signal(signal.SIGINT, interrupt)
class Interrupted(subprocess.Popen):
    def __init__(self, *words, **options):
        super().__init__(*words, **options)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)
if sys.argv[2] == "while it starts":
    subprocess.Popen = Interrupted
held = os.dup2(int(sys.argv[1]), 9)  # a shell knows no number of two digits
os.close(int(sys.argv[1]))
Commands().run(["sh", "-c", "sleep 600 & echo begun >&9; wait"], os.environ, lock=held)
"""


@pytest.mark.parametrize("when", ["while it starts", "while it runs"])
def test_an_interrupt_ends_it_with_all_that_it_has_started(when: str) -> None:
    reading, writing = os.pipe()
    command = [sys.executable, "-c", INTERRUPTED, str(writing), when]
    with subprocess.Popen(command, stderr=subprocess.PIPE, pass_fds=(writing,)) as process:
        os.close(writing)
        if when == "while it runs":
            assert os.read(reading, 100) == b"begun\n"
            process.send_signal(signal.SIGINT)
        # Once no one holds the other side any more: process, child and grandchild.
        assert select.select([reading], [], [], PATIENCE_S)[0]
        while os.read(reading, 100):
            continue
        _, errors = process.communicate(timeout=PATIENCE_S)
    os.close(reading)

    assert errors.strip().endswith(b"KeyboardInterrupt")
