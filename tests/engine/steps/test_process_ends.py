"""How the process of a step ends: by itself, by its limit, or with the run; and all it started."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.errors import MemoryGrantError, StepError
from alo.layout import Workspace

from ...support.waiting import GROWING_LIMITS_S, PATIENCE_S, wait_until
from .test_process import APART, MODEL

Run = Callable[..., tuple]
TAKE = """
import os, time
open(self.args["note"], "w").write(str(os.getpid()))
big = bytearray(300_000_000)
time.sleep(600)
"""
IN_CHILD = """
subprocess.run([sys.executable, "-c", "import os, sys, time; "
    "open(sys.argv[1], 'w').write(str(os.getpid())); "
    "big = bytearray(300_000_000); time.sleep(600)", self.args["note"]])
"""
MakeSolution = Callable[..., Path]


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def ends(pid: int) -> bool:
    """Wait for its end."""
    return wait_until(lambda: not lives(pid))


def wait_for(path: Path) -> str:
    return wait_until(lambda: path.is_file() and path.read_text())


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs Linux' /proc")
@pytest.mark.parametrize("code", [TAKE, f"import subprocess, sys\n{IN_CHILD}"])
def test_a_step_that_goes_over_its_memory_is_ended_with_all_it_started(
    make_solution: MakeSolution, run: Run, tmp_path: Path, code: str
) -> None:
    note = tmp_path / "pid"
    beside = {"one": {"resources": {"memory": "150MB"}}}
    home = make_solution({"one": code}, args={"one": {"note": str(note)}}, beside=beside)

    with pytest.raises(MemoryGrantError) as caught:
        run(home)

    assert re.fullmatch(r"step one used \d+ MB, 150 MB granted", caught.value.what)
    assert "asset_one.py" in caught.value.where
    assert ends(int(note.read_text()))


def test_a_step_within_its_memory_is_left_alone(make_solution: MakeSolution, run: Run) -> None:
    home = make_solution({"one": MODEL}, beside={"one": {"resources": {"memory": "4GB"}}})

    run(home)


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV (a segmentation fault"),
        ("import os; os.kill(os.getpid(), 9)", "SIGKILL (as the system does when memory runs out)"),
        ("import os; os.abort()", "SIGABRT"),
    ],
)
def test_a_process_that_dies_fails_the_run_with_what_is_known_of_it(
    make_solution: MakeSolution, run: Run, code: str, what: str
) -> None:
    home = make_solution({"one": MODEL})
    run(home)
    make_solution({"one": f"{MODEL}\nprint('nearly there')\n{code}"}, beside={"one": APART})

    with pytest.raises(StepError) as caught:
        run(home)

    assert what in caught.value.what
    assert "peak memory" in caught.value.what
    assert "nearly there" in caught.value.user_traceback
    if "ctypes" in code:
        assert "assets/one/asset_one.py:" in caught.value.where
        assert "ctypes.string_at(0)" in caught.value.user_traceback
    assert (home / "train_artifacts/models/one/m").read_text() == "{}"
    record = json.loads(next(home.glob("history/train/*-error/log/exp*.json")).read_text())
    assert record["failed_step"] == "one"


@pytest.mark.parametrize("code", ["import sys; sys.exit(3)", "import os; os._exit(3)"])
def test_an_exit_is_reported_as_in_the_engine(
    make_solution: MakeSolution, run: Run, code: str
) -> None:
    home = make_solution({"one": code}, beside={"one": APART})

    with pytest.raises(StepError, match=r"it called exit\(3\): sys.exit, or os._exit"):
        run(home)


def test_what_ends_the_process_past_python_is_named_by_its_status(
    make_solution: MakeSolution, run: Run
) -> None:
    code = "import ctypes\nctypes.CDLL(None)._exit(5)"
    home = make_solution({"one": code}, beside={"one": APART})

    with pytest.raises(StepError, match="ended with exit status 5 in the middle"):
        run(home)


def test_a_step_that_hangs_is_ended_with_all_it_started_and_reported_where_it_was(
    make_solution: MakeSolution, run: Run
) -> None:
    code = """
        import subprocess, time
        far = subprocess.Popen(["sleep", "600"], start_new_session=True)
        near = subprocess.Popen(["sleep", "600"])
        Path(self.asset.get_output_path(), "pids").write_text(f"{far.pid} {near.pid}")
        while True:
            time.sleep(0.1)
    """
    for limit in GROWING_LIMITS_S:
        home = make_solution({"one": code}, beside={"one": {"timeout": limit}})
        with pytest.raises(StepError, match=f"longer than its timeout of {limit} s") as caught:
            run(home)
        if "time.sleep(0.1)" in caught.value.user_traceback:  # it has come as far as that
            break

    assert caught.value.where.startswith("assets/one/asset_one.py:2")
    assert "time.sleep(0.1)" in caught.value.user_traceback
    kept = max(home.glob("history/train/*-error/output/pids"))
    assert all(ends(int(pid)) for pid in kept.read_text().split())


HANG = """
    import os, subprocess, time
    far = subprocess.Popen(["sleep", "600"], start_new_session=True)
    near = subprocess.Popen(["sleep", "600"])
    place = Path({place!r})
    place.with_suffix(".new").write_text(f"{{os.getpid()}} {{near.pid}} {{far.pid}}")
    os.rename(place.with_suffix(".new"), place)
    time.sleep(600)
"""


@pytest.fixture
def hanging(make_solution: MakeSolution, tmp_path: Path) -> Any:
    """A run whose step hangs in a process of its own: home, the run, and the pids of the step's."""
    home = make_solution({"one": MODEL})
    subprocess.run([sys.executable, "-m", "alo.cli.main", "run"], cwd=home, check=True)
    place = tmp_path / "pids"
    make_solution({"one": MODEL + "\n" + _indented(place)}, beside={"one": APART})
    command = [sys.executable, "-m", "alo.cli.main", "run"]
    process = subprocess.Popen(command, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield home, process, [int(pid) for pid in wait_for(place).split()]
    finally:
        process.kill()
        process.communicate()


def _indented(place: Path) -> str:
    from textwrap import dedent

    return dedent(HANG.format(place=str(place)))


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_ends_the_whole_tree_and_puts_the_artifacts_back(
    hanging: Any, number: signal.Signals, status: int
) -> None:
    home, process, pids = hanging

    process.send_signal(number)

    assert process.wait(PATIENCE_S) == status
    assert all(ends(pid) for pid in pids)
    assert (home / "train_artifacts/models/one/m").read_text() == "{}"


def test_a_killed_engine_leaves_no_step_behind(hanging: Any) -> None:
    home, process, (worker, near, far) = hanging

    process.kill()
    process.wait()

    try:
        assert ends(worker)
        assert ends(near)
    finally:
        os.kill(far, signal.SIGKILL)  # it had left the session, and no one was there to find it
    subprocess.run([sys.executable, "-m", "alo.cli.main", "check"], cwd=home, check=True)
    assert Workspace(home).unfinished.is_dir()


def test_an_asset_that_leaves_a_thread_running_does_not_hold_the_run(
    make_solution: MakeSolution, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alo.engine.steps import process as apart

    monkeypatch.setattr(apart, "EXIT_S", 0.1)
    code = "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()"
    home = make_solution({"one": f"{code}\n{MODEL}"}, beside={"one": APART})

    run(home)

    assert (home / "train_artifacts/models/one/m").read_text() == "{}"
