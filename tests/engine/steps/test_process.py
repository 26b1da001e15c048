"""A step in a process of its own is as one in the engine's, but that it cannot harm the run."""

from __future__ import annotations

import os
import socket
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

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]

APART = {"isolation": "process"}
MODEL = "Path(self.asset.get_model_path(), 'm').write_text(str(self.data))"


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


def test_an_error_is_reported_as_if_it_had_been_raised_in_the_engine(
    make_solution: MakeSolution, run: Run
) -> None:
    code = {"one": "def inner():\n    return 1 / 0\ninner()"}
    reported = []
    for beside in ({}, {"one": APART}):
        with pytest.raises(StepError) as caught:
            run(make_solution(code, beside=beside))
        reported.append((str(caught.value), caught.value.user_traceback))

    assert reported[0] == reported[1]
    assert "assets/one/asset_one.py:16, in inner()" in reported[1][0]


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
