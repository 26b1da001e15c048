"""A step in a process of its own is as one in the engine's, but that it cannot harm the run."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from ast import literal_eval
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.engine.steps import process
from alo.engine.steps.process_main import MessageSender
from alo.errors import StepError, StoreError
from alo.events.log_lines import info
from alo.events.types import LogLine, Output, StepFinished
from alo.layout import Workspace

from ...waiting import GROWING_LIMITS_S, PATIENCE_S, wait_until

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]

APART = {"isolation": "process"}
MODEL = "Path(self.asset.get_model_path(), 'm').write_text(str(self.data))"


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


@pytest.mark.parametrize("control", [{}, {"interface_mode": "file"}, {"cache": True}])
def test_data_config_logs_prints_and_summary_pass_as_in_the_engine(
    make_solution: MakeSolution, run: Run, heard: Any, control: dict[str, object]
) -> None:
    steps = {
        "one": "self.data['x'] = [1]\nself.config['c'] = 'from one'",
        "two": "import os, sys, warnings, logging\n"
        "self.data['y'] = self.data['x'] + [os.getpid()]\n"
        "print('printed', self.config['c'], self.args['n'])\n"
        "os.write(1, b'raw\\n')\n"
        "logging.getLogger('mine').warning('logged')\n"
        "self.asset.save_info('shown', show=True)\n"
        "self.asset.save_summary('fine', 0.5)",
        "three": f"{MODEL}\nself.data['z'] = self.data['x'] is not None",
    }
    home = make_solution(steps, args={"two": {"n": 7}}, beside={"two": APART}, control=control)

    (outcome,) = run(home)

    model = (home / "train_artifacts/models/three/m").read_text()
    pid = literal_eval(model)["y"][1]
    assert pid != os.getpid()
    assert model == str({"x": [1], "y": [1, pid]})
    printed = "".join(output.text for output in heard.of(Output))
    assert "printed from one 7" in printed
    assert "raw\n" in printed
    lines = {line.text: line for line in heard.of(LogLine)}
    assert lines["logged"].level == "WARNING"
    assert lines["shown"].show
    assert lines["shown"].file == "asset_two.py"
    assert lines["shown"].function == "run"
    assert outcome.summary["result"] == "fine"
    step = next(step for step in heard.of(StepFinished) if step.step == "two")
    assert step.keys_added == ("y",)
    assert step.peak_bytes > 1_000_000
    assert step.cpu_seconds > 0
    assert os.listdir(home / ".alo") == [
        name for name in os.listdir(home / ".alo") if "scratch" not in name
    ]


def test_a_class_of_the_asset_goes_from_process_to_process_and_back(
    make_solution: MakeSolution, run: Run
) -> None:
    whole = """
        from alolib.asset import Asset
        class Thing:
            def __init__(self, x): self.x = x
            def more(self): return Thing(self.x + 1)
        class UserAsset(Asset):
            def run(self):
                self.asset.save_data({"t": Thing(1)})
                self.asset.save_config(self.asset.load_config())
    """
    more = "self.data['t'] = self.data['t'].more()"
    last = "Path(self.asset.get_model_path(), 'm').write_text(str(self.data['t'].more().x))"
    home = make_solution(
        {"one": whole, "two": more, "three": last}, beside={"one": APART, "two": APART}
    )

    run(home)

    assert (home / "train_artifacts/models/three/m").read_text() == "3"


def test_an_error_is_told_as_if_it_had_been_raised_in_the_engine(
    make_solution: MakeSolution, run: Run
) -> None:
    code = {"one": "def inner():\n    return 1 / 0\ninner()"}
    told = []
    for beside in ({}, {"one": APART}):
        with pytest.raises(StepError) as caught:
            run(make_solution(code, beside=beside))
        told.append((str(caught.value), caught.value.user_traceback))

    assert told[0] == told[1]
    assert "assets/one/asset_one.py:16, in inner()" in told[1][0]


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
def test_an_exit_is_told_as_in_the_engine(make_solution: MakeSolution, run: Run, code: str) -> None:
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


def test_a_step_that_hangs_is_ended_with_all_it_started_and_told_where_it_was(
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


def test_a_step_is_tried_again_on_what_it_was_given_first(
    make_solution: MakeSolution,
    run: Run,
    heard: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(process, "FIRST_PAUSE_S", 0.01)
    code = f"""
        self.data["x"].append(1)
        tries = Path({str(tmp_path / "tries")!r})
        tries.write_text((tries.read_text() if tries.exists() else "") + "|")
        if len(tries.read_text()) < 3:
            raise ValueError("not yet")
        {MODEL}
    """
    steps = {"one": "self.data['x'] = []", "two": code}
    home = make_solution(steps, beside={"two": {"retries": 2}})

    run(home)

    assert (home / "train_artifacts/models/two/m").read_text() == "{'x': [1]}"
    warnings = [line.text for line in heard.of(LogLine) if "try" in line.text]
    assert [text.partition("; try ")[2] for text in warnings] == [
        "2 of 3 in 0.01 s",
        "3 of 3 in 0.02 s",
    ]
    assert "ValueError: not yet" in warnings[0]

    (tmp_path / "tries").unlink()
    make_solution(steps, beside={"two": {"retries": 1}})
    with pytest.raises(StepError, match="not yet"):
        run(home)


def test_a_step_that_has_succeeded_is_not_tried_again(
    make_solution: MakeSolution, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(process, "FIRST_PAUSE_S", 0.01)
    code = f"""
        tries = Path({str(tmp_path / "tries")!r})
        tries.write_text((tries.read_text() if tries.exists() else "") + "|")
        if len(tries.read_text()) < 2:
            raise ValueError("not yet")
    """
    home = make_solution({"one": code}, beside={"one": {**APART, "retries": 5}})

    run(home)

    assert (tmp_path / "tries").read_text() == "||"


def test_a_fork_of_a_steps_process_prints_what_it_cannot_send(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        send = MessageSender(theirs)
        monkeypatch.setattr(os, "getpid", lambda: -1)  # as in a child that it has forked

        send.send_all(
            [info("a line of a log"), Output("stdout", "printed"), Output("stderr", "an error"), 1]
        )
        theirs.shutdown(socket.SHUT_WR)

        assert ours.recv(1) == b""  # two who write to one socket would tear each other's messages
    printed = capfd.readouterr()
    assert printed.out == "printed"
    assert "a line of a log\nan error" in printed.err


@pytest.mark.parametrize(
    ("beside", "control", "blobs"),
    [({}, {}, 1), ({"retries": 1}, {}, 2), ({}, {"cache": True}, 2)],
    ids=["alone", "tried again", "stored"],
)
def test_a_new_array_goes_back_over_the_file_of_the_one_that_came_if_no_one_else_has_that(
    make_solution: MakeSolution,
    run: Run,
    beside: dict[str, object],
    control: dict[str, object],
    blobs: int,
) -> None:
    home = make_solution(
        {
            "one": "import numpy as np\nself.data['x'] = np.ones(1_000_000)",
            "two": "self.data['x'] = self.data['x'] * 2",
            "three": """
                home = Path(self.asset.project_home)
                stores = (".alo/*/values", ".asset_interface")
                values = [path for top in stores for path in home.glob(f"{top}/train/*/*")]
                seen = len([path for path in values if not path.suffix])
                seen = {"blobs": seen, "sum": float(self.data["x"].sum())}
                Path(self.asset.get_model_path(), "m").write_text(str(seen))
            """,
        },
        beside={"two": {**APART, **beside}},
        control=control,
    )

    run(home)

    seen = (home / "train_artifacts/models/three/m").read_text()
    assert seen == str({"blobs": blobs, "sum": 2_000_000.0})


def test_an_array_from_a_process_is_as_it_was_after_the_next_one_has_changed_it(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution(
        {
            "one": "import numpy as np\nself.data['x'] = np.ones(1_000_000)",
            "two": "self.data['y'] = self.data['x'] * 2",
            "three": "self.data['y'] = self.data['y'] * 3",
            "four": "Path(self.asset.get_model_path(), 'm').write_text("
            "str([float(self.data[key].sum()) for key in 'xy']))",
        },
        beside={"two": APART, "three": APART},
    )

    run(home)

    assert (home / "train_artifacts/models/four/m").read_text() == "[1000000.0, 6000000.0]"


def test_a_value_that_cannot_go_to_another_process_is_named(
    make_solution: MakeSolution, run: Run
) -> None:
    steps = {"one": "import threading\nself.data['lock'] = threading.Lock()", "two": ""}
    home = make_solution(steps, beside={"two": APART})

    with pytest.raises(StoreError, match=r"data\['lock'\] of step 'one' cannot be stored") as into:
        run(home)
    make_solution(steps, beside={"one": APART})
    with pytest.raises(StoreError, match=r"data\['lock'\] of step 'one' cannot be stored"):
        run(home)

    assert "_thread.lock" in into.value.where


def test_the_cache_knows_a_step_that_ran_apart(
    make_solution: MakeSolution, run: Run, heard: Any
) -> None:
    steps = {"one": "import helper\nself.data['x'] = helper.X", "two": MODEL}
    home = make_solution(steps, beside={"one": APART}, control={"cache": True})
    (home / "helper.py").write_text("X = 1")
    run(home)
    heard.clear()

    run(home)
    assert [step.status for step in heard.of(StepFinished)] == ["cached", "cached"]
    heard.clear()

    (home / "helper.py").write_text("X = 22")
    run(home)
    assert [step.note for step in heard.of(StepFinished)] == [
        "code changed: helper.py",
        "what the step before hands on changed",
    ]


def test_pools_and_threads_of_the_asset_work(make_solution: MakeSolution, run: Run) -> None:
    code = """
        from concurrent.futures import ThreadPoolExecutor
        from multiprocessing import get_context
        for method in ("fork", "spawn"):
            with get_context(method).Pool(2) as pool:
                self.data[method] = pool.map(abs, [-1, -2])
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(print, ["a", "b"]))
    """
    home = make_solution({"one": code, "two": MODEL}, beside={"one": APART})

    run(home)

    expected = str({"fork": [1, 2], "spawn": [1, 2]})
    assert (home / "train_artifacts/models/two/m").read_text() == expected


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
