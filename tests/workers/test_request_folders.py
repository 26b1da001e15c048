"""What an asset has left running never reaches the folders of a later request."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alo.engine.checks.preflight import check_solution
from alo.engine.request import RunRequest
from alo.engine.spec import Job
from alo.events.types import Event, LogLine
from alo.workers import request_folders
from alo.workers.protocol import Failure, Request, Summary
from alo.workers.warm_pipeline import WarmPipeline

from ..support.waiting import PATIENCE_S, wait_until

TRAIN = 'Path(self.asset.get_model_path(), "weights").write_text("7")'
INFERENCE = """\
import sys
sys.path.insert(0, str(Path(self.asset.get_input_path()).parents[1]))
import beside
import subprocess, threading, time
how, output = self.args["how"], Path(self.asset.get_output_path())
gate = Path(self.args["gate"])

def late():
    while not gate.exists():
        time.sleep(0.01)
    output.mkdir(parents=True, exist_ok=True)
    (output / "late.csv").write_text("a")
    gate.with_name("done").touch()

if how == "thread":
    threading.Thread(target=late, name="straggler", daemon=True).start()
elif how == "process":
    global child
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
elif how == "end":
    child.communicate()
elif how == "brief":
    threading.Thread(target=time.sleep, args=(0.002,)).start()
weights = Path(self.asset.get_model_path(), "weights").read_text()
(output / "out.csv").write_text("a")
self.asset.save_summary(f"{weights} {beside.X} {os.listdir(output)}", 0.5)
"""


class Warm:
    """A pipeline, and what it says."""

    def __init__(self, home: Path, gate: Path) -> None:
        job: Job
        (job,) = check_solution(RunRequest(home, mode="inference")).jobs
        self.events: list[Event] = []
        self.home, self.gate = home / ".alo/worker/workspace", gate
        models = home / "train_artifacts/models"
        self.pipeline = WarmPipeline(job, self.home, models, "a-run", self.events.append)

    def ask(self, how: str) -> tuple[str, str]:
        """The folder of the outputs, and what else a request has seen."""
        reported: list[object] = []
        args = {"inference": {"how": how, "gate": str(self.gate)}}
        self.pipeline.run(Request(how, None, (), args), reported.extend)
        assert not [each for each in reported if isinstance(each, Failure)]
        (summary,) = [each for each in reported if isinstance(each, Summary)]
        self.pipeline.release()
        return os.path.dirname(summary.outputs[0]), str(summary.content["result"])

    @property
    def warnings(self) -> list[str]:
        lines = (each for each in self.events if isinstance(each, LogLine))
        return [each.text for each in lines if each.level == "WARNING" and "left" in each.text]


@pytest.fixture
def warm(make_solution: Callable[..., Path], run: Callable[..., Any], tmp_path: Path) -> Warm:
    home = make_solution(
        {"train": TRAIN},
        {"inference": f"import os\n{INFERENCE}"},
        args={"inference": {"how": "", "gate": ""}},
    )
    (home / "beside.py").write_text("X = 'beside'")
    (home / "input/inference").mkdir(parents=True)
    run(home, "train")
    return Warm(home, tmp_path / "gate")


@pytest.fixture(autouse=True)
def no_thread_stays(tmp_path: Path) -> Iterator[None]:
    yield
    (tmp_path / "gate").touch()
    for thread in threading.enumerate():
        if thread.name == "straggler":
            thread.join(PATIENCE_S)


def test_a_thread_that_continues_is_named_and_writes_into_no_later_request(warm: Warm) -> None:
    first, seen = warm.ask("")
    old, _ = warm.ask("thread")
    new, still_seen = warm.ask("")

    warm.gate.touch()
    wait_until(warm.gate.with_name("done").exists)
    again, seen_again = warm.ask("")

    assert old == first != new == again
    assert seen == still_seen == seen_again == "7 beside ['out.csv']"
    (line,) = warm.warnings
    assert line.startswith("[thread] the asset has left running: thread 'straggler'")
    assert not os.path.exists(f"{new}/late.csv")


def test_nothing_of_many_such_requests_stays(warm: Warm) -> None:
    folders = {warm.ask("thread")[0] for _ in range(4)}

    assert len(folders) == 4
    assert len(warm.warnings) == 4
    names = sorted(each.name for each in warm.home.parent.iterdir())
    assert names == ["workspace", "workspace.4"]
    assert not (warm.home / "inference_artifacts").exists()


def test_a_process_that_continues_is_named_once(warm: Warm) -> None:
    old, _ = warm.ask("process")
    new, _ = warm.ask("")
    same, _ = warm.ask("end")

    assert old != new == same
    (line,) = warm.warnings
    assert line.startswith("[process] the asset has left running: process ")


def test_a_thread_that_is_just_ending_changes_nothing(
    warm: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_folders, "GRACE_S", PATIENCE_S)
    assert warm.ask("brief")[0] == warm.ask("")[0]
    assert warm.warnings == []


def test_history_has_such_a_request_too(warm: Warm) -> None:
    warm.ask("thread")
    warm.ask("")
    while warm.pipeline.run_deferred():
        pass

    entries = sorted((warm.home.parents[2] / "history/inference").iterdir())
    records = [json.loads((each / "log/experimental_history.json").read_text()) for each in entries]
    assert [each["status"] for each in records] == ["success", "success"]
    assert all((each / "output/out.csv").is_file() for each in entries)
