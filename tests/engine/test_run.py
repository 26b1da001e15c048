"""What a run does when all goes well: order, what is handed on, and what is where afterwards."""

from __future__ import annotations

import gc
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from alo.engine.isolation.only_steps import only_steps_run
from alo.errors import Interrupted, WorkspaceBusy
from alo.events.types import LogLine, RunFinished, RunStarted, StepFinished

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]

SUMMARY = "self.asset.save_summary('fine', 0.5, note='n', probability={'a': 0.25, 'b': 0.75})"
OUTPUT = SUMMARY + "\nPath(self.asset.get_output_path(), 'output.csv').write_text('a,b\\n1,2\\n')"


def test_steps_run_in_order_and_each_gets_what_the_one_before_saved(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution(
        {
            "one": "self.data['x'] = 1; self.config['seen'] = ['one']",
            "two": "self.data['y'] = self.data['x'] + 1; self.config['seen'].append('two')",
            "three": "Path(self.asset.get_output_path(), 'seen.txt').write_text("
            "f\"{self.config['seen']} {self.data}\")",
        }
    )

    run(home)

    seen = (home / "train_artifacts/output/seen.txt").read_text()
    assert seen == "['one', 'two'] {'x': 1, 'y': 2}"


def test_an_inference_leaves_summary_output_logs_and_a_history_entry(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution(None, {"inference": OUTPUT})

    (outcome,) = run(home, "inference")

    artifacts = home / "inference_artifacts"
    summary = yaml.safe_load((artifacts / "score/inference_summary.yaml").read_text())
    assert summary["result"] == "fine"
    assert summary["probability"] == {"a": 0.25, "b": 0.75}
    assert {path.name for path in (artifacts / "log").glob("*.log")} == {
        "process.log",
        "pipeline.log",
    }
    entry = home / "history/inference" / outcome.run_id
    assert (entry / "output/output.csv").read_text() == "a,b\n1,2\n"
    assert (entry / "experimental_plan.yaml").read_bytes() == (
        home / "solution/experimental_plan.yaml"
    ).read_bytes()
    record = json.loads((entry / "log/experimental_history.json").read_text())
    assert record["status"] == "success"
    assert record["train_id"] == "none"
    assert record["score"] == 0.5


def test_the_plan_is_not_looked_through_for_garbage_in_a_process_that_only_runs_steps(
    make_solution: MakeSolution, run: Run
) -> None:
    frozen = (
        "import gc; Path(self.asset.get_output_path(), 'n').write_text(str(gc.get_freeze_count()))"
    )
    home = make_solution({"train": frozen})
    count = home / "train_artifacts/output/n"

    try:
        gc.unfreeze()
        run(home)
        assert int(count.read_text()) < 1000  # somebody else's process
        with only_steps_run():
            run(home)
        assert int(count.read_text()) > 1000
    finally:
        gc.unfreeze()


def test_artifacts_of_the_run_before_do_not_stay(make_solution: MakeSolution, run: Run) -> None:
    home = make_solution({"train": "Path(self.asset.get_model_path(), 'old').write_text('')"})
    run(home)
    make_solution({"train": "Path(self.asset.get_model_path(), 'new').write_text('')"})

    run(home)

    assert [path.name for path in (home / "train_artifacts/models/train").iterdir()] == ["new"]


def test_events_tell_the_run_from_start_to_end(
    make_solution: MakeSolution, run: Run, heard: Any
) -> None:
    home = make_solution({"a": "self.data['k'] = 1; self.data['l'] = 2", "b": "self.data['m'] = 3"})

    (outcome,) = run(home)

    (started,) = heard.of(RunStarted)
    assert (started.run_id, started.steps) == (outcome.run_id, ("a", "b"))
    assert [(step.step, step.keys_added) for step in heard.of(StepFinished)] == [
        ("a", ("k", "l")),
        ("b", ("m",)),
    ]
    (finished,) = heard.of(RunFinished)
    assert finished.status == "success"
    assert finished.history == str(outcome.history)


def test_prints_logging_and_warnings_of_an_asset_are_in_its_log(
    make_solution: MakeSolution, alo: Callable[..., Any]
) -> None:
    home = make_solution(
        {
            "talk": """
            import logging, sys, warnings
            print("printed", end="")
            print(" on", "one line")
            print("to stderr", file=sys.stderr)
            logging.getLogger("mine").info("logged %d", 7)
            warnings.warn("warned")
            self.asset.save_info("saved", show=True)
            """
        }
    )

    done = alo("run", cwd=home)

    log = (home / "train_artifacts/log/pipeline.log").read_text()
    for text in ("printed on one line\n", "to stderr\n", "logged 7\n", "warned", "] saved\n"):
        assert text in log
    assert "asset_talk.py(" in log
    assert "printed on one line" in done.stdout
    assert "logged 7" in done.stdout


def test_the_engines_own_lines_are_in_the_process_log_only(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"a": ""})

    run(home)

    log = home / "train_artifacts/log"
    assert "|ALO|INFO|" in (log / "process.log").read_text()
    assert (log / "pipeline.log").read_text() == ""


def test_an_arg_set_for_one_run_is_used_and_kept_in_history_but_not_on_disk(
    make_solution: MakeSolution, run: Run
) -> None:
    show = "Path(self.asset.get_output_path(), 'a').write_text(repr(self.args))"
    home = make_solution({"train": show}, args={"train": {"depth": 5}})
    plan = (home / "solution/experimental_plan.yaml").read_bytes()

    (outcome,) = run(home, overrides=("train.depth=[8, x]",))

    assert (home / "train_artifacts/output/a").read_text() == "{'depth': [8, 'x']}"
    assert (home / "solution/experimental_plan.yaml").read_bytes() == plan
    record = json.loads((outcome.history / "log/experimental_history.json").read_text())
    assert record["args"] == {"train": {"depth": [8, "x"]}}
    (change,) = record["overrides"]
    assert "depth" in change
    kept = yaml.safe_load((outcome.history / "experimental_plan.yaml").read_text())
    assert kept != yaml.safe_load(plan)


def test_artifacts_are_exported_with_their_logs(
    make_solution: MakeSolution, run: Run, tmp_path: Path
) -> None:
    home = make_solution(
        {"train": "Path(self.asset.get_model_path(), 'm').write_text('model')"},
        external={"save_train_artifacts_path": str(tmp_path / "out")},
    )

    (outcome,) = run(home)

    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"train_artifacts.tar.gz", "model.tar.gz", "process.log", "pipeline.log"}
    assert {Path(place).name for place in outcome.exported} == names


def test_two_steps_may_have_helper_modules_of_the_same_name(
    make_solution: MakeSolution, run: Run
) -> None:
    use = "import helper; self.data[self.config['meta']['step_name']] = helper.NAME"
    home = make_solution(
        {"a": use, "b": use, "c": "assert self.data == {'a': 'of a', 'b': 'of b'}, self.data"}
    )
    for step in "ab":
        (home / f"assets/{step}/helper.py").write_text(f"NAME = 'of {step}'\n")

    run(home)


def test_a_workspace_that_another_run_has_is_refused_with_its_name(
    make_solution: MakeSolution, run: Run
) -> None:
    from alo.engine.workspace.lock import hold_workspace
    from alo.layout import Workspace

    home = make_solution({"a": ""})

    with (
        hold_workspace(Workspace(home), wait=True, listener=lambda event: None, what="that run"),
        pytest.raises(WorkspaceBusy, match="that run"),
    ):
        run(home, wait=False)


def test_resources_are_reported_when_the_plan_asks_for_it(
    make_solution: MakeSolution, run: Run, heard: Any
) -> None:
    home = make_solution({"a": "sum(range(1000))"}, control={"check_resource": True})

    run(home)

    (line,) = [line for line in heard.of(LogLine) if "CPU mean" in line.text]
    assert line.show
    assert "step a" in line.text


def test_a_broken_listener_does_not_end_the_run(make_solution: MakeSolution) -> None:
    from alo.engine.request import RunRequest
    from alo.engine.run import run_solution

    def broken(event: object) -> None:
        raise BrokenPipeError

    (outcome,) = run_solution(RunRequest(make_solution({"a": "print('hello')"})), broken)

    assert outcome.status == "success"


def test_interrupted_is_an_error_with_the_status_of_its_signal() -> None:
    assert Interrupted("x", signal_number=15).exit_status == 143


def test_what_stands_in_the_way_of_a_note_of_our_own_is_neither_read_nor_waited_for(
    make_solution: MakeSolution, alo: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    home = make_solution({"train": "self.data['k'] = 1"}, {"inference": OUTPUT})
    assert alo("run", cwd=home).returncode == 0
    notes = [each for each in (home / ".alo").rglob("*") if each.is_file()]
    for note in notes:
        note.unlink()
        os.mkfifo(note)

    again = alo("run", cwd=home)

    assert again.returncode == 0, again.stderr
    assert len(notes) >= 4
    assert alo("history", cwd=home).stdout.count("success") == 4
