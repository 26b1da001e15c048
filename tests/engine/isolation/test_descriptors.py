"""Whatever a step does to the standard streams, they lead where they did afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

DONE = """
import os, sys
from alo.engine.isolation.descriptors import descriptors_kept
time = object() if sys.argv[2] == "True" else None
for _ in range(2):
    with descriptors_kept(time):
        exec(sys.argv[1])
opened = len(os.listdir("/proc/self/fd"))
with descriptors_kept(time):
    exec(sys.argv[1])
assert len(os.listdir("/proc/self/fd")) <= opened + 1, "descriptors are left open"
print("to stdout", flush=True)
os.write(2, b"to stderr\\n")
print("read", sys.stdin.read(), flush=True)
"""


@pytest.mark.parametrize(
    "act",
    [
        "pass",
        "os.close(1); os.close(2)",
        "os.dup2(2, 1)",
        "os.dup2(os.open('/dev/null', os.O_WRONLY), 1)",
        "sys.stdin.close()",
        "os.close(0); os.open('/dev/null', os.O_RDONLY)",
    ],
)
@pytest.mark.parametrize("only_steps", [True, False])
def test_they_lead_where_they_did(act: str, only_steps: bool, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DONE, act, str(only_steps)],
        input="given",
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )

    assert done.stdout == "to stdout\nread given\n"
    assert done.stderr == "to stderr\n"


def test_streams_that_were_closed_from_the_start_stay_closed(tmp_path: Path) -> None:
    code = "from alo.engine.isolation.descriptors import descriptors_kept\n"
    code += "with descriptors_kept(): pass\nopen('done', 'w').close()"

    subprocess.run(
        ["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', sys.executable, "-c", code],
        cwd=tmp_path,
        check=True,
    )

    assert (tmp_path / "done").exists()


def test_a_copy_that_a_step_has_closed_puts_no_other_file_in_place(tmp_path: Path) -> None:
    code = """
import os
from alo.engine.isolation.descriptors import descriptors_kept
with descriptors_kept(object()):
    os.closerange(3, 20)
    other = [os.open("other", os.O_RDWR | os.O_CREAT) for _ in range(9)]
    os.close(1)
os.write(2, b"told")
"""

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )

    assert done.stderr == "told"
    assert (tmp_path / "other").read_text() == ""


def test_the_copies_of_one_time_are_closed_when_the_next_begins(tmp_path: Path) -> None:
    code = """
import os
from alo.engine.isolation.descriptors import descriptors_kept
opened = []
for time in (object(), object(), object()):
    for _ in range(2):
        with descriptors_kept(time):
            pass
    opened.append(len(os.listdir("/proc/self/fd")))
assert len(set(opened)) == 1, opened
"""

    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
