"""A run that fails, is interrupted or is killed never costs the last good model (spec 5)."""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path

import pytest

from alo.claims import ours
from alo.engine.workspace import models, recovery
from alo.engine.workspace.recovery import recover, seal_history
from alo.engine.workspace.unfinished import UnfinishedRun, begin
from alo.errors import StepError
from alo.events.journal import EventJournal
from alo.events.types import Event, LogLine, RunStarted
from alo.history.entries.names import read_record
from alo.history.entries.save import save_entry
from alo.history.record import RunRecord
from alo.layout import Workspace

from ...support.waiting import PATIENCE_S

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]

GOOD = "Path(self.asset.get_model_path(), 'model').write_text(f\"model {self.args['n']}\")"
SLOW = GOOD + "\nprint('begun', flush=True)\nimport time\ntime.sleep(60)"


def start(home: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "alo.cli.main", "run", "--project", str(home), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for_line(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(f"the run ended before it had said: {text}")


def model(home: Path) -> str:
    return (home / "train_artifacts/models/train/model").read_text()


def statuses(home: Path) -> list[str]:
    """Of all train runs, the oldest first."""
    files = home.glob("history/train/*/log/experimental_history.json")
    records = sorted((json.loads(file.read_text()) for file in files), key=itemgetter("start_time"))
    return [record["status"] for record in records]


@pytest.fixture
def trained(make_solution: MakeSolution, run: Run) -> Path:
    """A solution that has made ``model 1``, and whose next run would make ``model 2``."""
    home = make_solution({"train": GOOD}, args={"train": {"n": 1}})
    run(home)
    return home


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """One whose artifacts are good, and in which no run goes on."""
    workspace = Workspace(tmp_path / "project")
    (workspace.artifacts("train") / "output").mkdir(parents=True)
    (workspace.artifacts("train") / "output/a").write_text("good")
    return workspace


RECORD = RunRecord("r2", "train", "running", "2026-01-01T00:00:00Z")


def cut_off(workspace: Workspace, record: RunRecord = RECORD, **info: object) -> UnfinishedRun:
    """A run of which nothing goes on but its files are there, as after a kill."""
    known = {"id": record.id, "pipeline": record.pipeline, "record": record.to_json(), **info}
    run = begin(workspace, known)
    claim = ours(workspace.run_lock)
    assert claim is not None
    claim.release()
    artifacts = workspace.artifacts(record.pipeline)
    (artifacts / "output").mkdir()
    (artifacts / "output/a").write_text("bad")
    return run


def recovered(workspace: Workspace) -> list[str]:
    """What was told while it was put in order."""
    reported: list[Event] = []
    recover(workspace, reported.append)
    return [event.text for event in reported if isinstance(event, LogLine)]


def test_without_a_run_that_was_cut_off_there_is_nothing_to_do(workspace: Workspace) -> None:
    assert recovered(workspace) == []


def test_a_run_that_was_killed_is_undone_and_in_history_as_it_was(workspace: Workspace) -> None:
    code = workspace.unfinished / "code/0011"
    cut_off(workspace, plan="name: x", code={"assets/a/asset_a.py": str(code), "gone.py": "22"})
    code.parent.mkdir()
    code.write_text("the code")

    (reported,) = recovered(workspace)

    assert reported == "the run before, r2, was killed: its artifacts were not whole; " + (
        "the previous ones are back"
    )
    assert (workspace.artifacts("train") / "output/a").read_text() == "good"
    entry = workspace.history / "train/r2-error"
    record = read_record(entry)
    assert (record.id, record.status) == ("r2", "interrupted")
    assert "the process was killed" in record.reason
    assert record.end_time > record.start_time
    assert (entry / "output/a").read_text() == "bad"
    assert (entry / "assets/a/asset_a.py").read_text() == "the code"
    assert (entry / "experimental_plan.yaml").read_text() == "name: x"
    assert not list(entry.rglob("gone.py"))
    assert not workspace.unfinished.exists()
    assert recovered(workspace) == []


@pytest.mark.parametrize(("part", "left"), [("", "bad"), ("only a", "good")])
def test_a_run_that_is_in_history_had_succeeded_and_one_of_a_part_gives_the_artifacts_back(
    workspace: Workspace, tmp_path: Path, part: str, left: str
) -> None:
    record = RECORD._replace(part=part)
    cut_off(workspace, record)
    done = record._replace(status="success", end_time="2026-01-01T00:00:01Z")
    save_entry(workspace, done, plan=b"", artifacts=workspace.artifacts("train"), code={})

    assert recovered(workspace) == []

    assert (workspace.artifacts("train") / "output/a").read_text() == left
    assert [path.name for path in (workspace.history / "train").iterdir()] == ["r2"]
    assert not workspace.unfinished.exists()


def test_a_run_that_had_failed_is_undone_and_kept_once(workspace: Workspace) -> None:
    cut_off(workspace)
    failed = RECORD._replace(status="error", reason="its own")
    save_entry(workspace, failed, plan=b"", artifacts=workspace.artifacts("train"), code={})

    recovered(workspace)

    assert (workspace.artifacts("train") / "output/a").read_text() == "good"
    (entry,) = (workspace.history / "train").iterdir()
    assert read_record(entry).reason == "its own"


def test_a_run_that_had_not_moved_anything_leaves_no_entry(workspace: Workspace) -> None:
    run = cut_off(workspace)
    shutil.rmtree(workspace.artifacts("train"))
    run.replaced_artifacts.rename(workspace.artifacts("train"))

    recovered(workspace)

    assert (workspace.artifacts("train") / "output/a").read_text() == "good"
    assert not list(workspace.history.glob("*/*"))


def test_where_history_takes_nothing_the_artifacts_are_back_all_the_same(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    cut_off(workspace)
    monkeypatch.setattr(recovery, "save_entry", full)

    (reported,) = recovered(workspace)

    assert "and it is not in history: " in reported
    assert "No space left" in reported
    assert (workspace.artifacts("train") / "output/a").read_text() == "good"


def test_the_events_of_a_killed_run_have_an_end_in_its_entry(workspace: Workspace) -> None:
    cut_off(workspace)
    log = workspace.artifacts("train") / "log"
    journal = EventJournal(log, "r2", "train", 1, lambda event: None)
    journal(RunStarted("r2", "train", ("a",), "demo"))
    journal.close()

    recovered(workspace)

    lines = (workspace.history / "train/r2-error/log/events.jsonl").read_text().splitlines()
    last = json.loads(lines[-1])
    assert last["event"] == "run_finished"
    assert last["payload"]["status"] == "interrupted"


def test_half_an_entry_of_the_killed_run_goes(workspace: Workspace) -> None:
    cut_off(workspace)
    half = workspace.history / "train/.r2-error.0011.building"
    half.mkdir(parents=True)

    recovered(workspace)

    assert not half.exists()


def test_large_files_that_cannot_be_sealed_are_reported(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[Event] = []
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(recovery, "seal_what_is_left", lambda _: {"r1": error})

    seal_history(workspace, reported.append)

    (line,) = [event.text for event in reported if isinstance(event, LogLine)]
    assert "large files of run r1" in line
    assert "No space left" in line


def test_only_an_inference_has_the_models_of_its_train_run_mended(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    mended: list[str] = []
    monkeypatch.setattr(models, "mend_models", lambda _, train_id, __: mended.append(train_id))

    cut_off(workspace, train_id="t1")
    recovered(workspace)
    cut_off(workspace, RECORD._replace(id="r3", pipeline="inference"), train_id="t1")
    recovered(workspace)

    assert mended == ["", "t1"]


def test_a_failed_run_puts_the_model_back(
    trained: Path, make_solution: MakeSolution, run: Run
) -> None:
    make_solution({"train": GOOD, "bad": "1 / 0"}, args={"train": {"n": 2}})

    with pytest.raises(StepError):
        run(trained)

    assert model(trained) == "model 1"
    assert statuses(trained) == ["success", "error"]
    (failed,) = trained.glob("history/train/*-error")
    assert (failed / "models/train/model").read_text() == "model 2"


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["SIGINT", "SIGTERM", "SIGHUP"],
)
def test_a_signal_puts_the_model_back_and_says_so_in_the_exit_status(
    number: signal.Signals, status: int, trained: Path, make_solution: MakeSolution
) -> None:
    make_solution({"train": SLOW}, args={"train": {"n": 2}})
    process = start(trained)
    wait_for_line(process, "begun")

    process.send_signal(number)
    output, _ = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == status, output
    assert "Traceback" not in output
    assert model(trained) == "model 1"
    assert statuses(trained) == ["success", "interrupted"]


def test_an_asset_that_catches_everything_cannot_keep_a_signal_to_itself(
    trained: Path, make_solution: MakeSolution
) -> None:
    caught = SLOW.replace("time.sleep(60)", "\ntry:\n    time.sleep(60)\nexcept:\n    pass")
    make_solution({"train": caught}, args={"train": {"n": 2}})
    process = start(trained)
    wait_for_line(process, "begun")

    process.terminate()
    process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 143
    assert model(trained) == "model 1"


def test_after_a_kill_the_next_start_puts_the_model_back_and_keeps_the_dead_run(
    trained: Path, make_solution: MakeSolution, run: Run
) -> None:
    make_solution({"train": SLOW}, {"use": ""}, args={"train": {"n": 2}})
    process = start(trained, "--mode", "train")
    wait_for_line(process, "begun")
    process.kill()
    process.communicate()
    make_solution(
        None,
        {
            "use": "assert Path(self.asset.project_home, 'train_artifacts/models/train/model')"
            ".read_text() == 'model 1'\nself.asset.save_summary('r', 1)\n"
            "Path(self.asset.get_output_path(), 'a.csv').write_text('')"
        },
    )

    run(trained, "inference")

    assert model(trained) == "model 1"
    assert statuses(trained) == ["success", "interrupted"]
    assert not (trained / ".unfinished_run").exists()
    (killed,) = trained.glob("history/train/*-error")  # whole enough to be run again
    assert "begun" in (killed / "assets/train/asset_train.py").read_text()
    assert json.loads((killed / "experimental_plan.yaml").read_text())["name"] == "test"
    record = json.loads((killed / "log/experimental_history.json").read_text())
    assert len(record["code_id"]) == 12


def test_a_kill_after_any_event_never_leaves_half_a_model(
    trained: Path, make_solution: MakeSolution, run: Run
) -> None:
    make_solution({"train": GOOD, "more": "pass"}, args={"train": {"n": 2}})

    for number in itertools.count(1):
        process = start(trained, "--json")
        assert process.stdout is not None
        reported = [*itertools.islice(process.stdout, number)]  # waits for the event of this number
        process.kill()
        process.communicate()
        recovered(Workspace(trained))
        assert model(trained) in ("model 1", "model 2")
        if len(reported) < number:  # the run has come to its end
            break

    assert number > 5  # events of one run, after each of which one was killed
    run(trained)
    assert model(trained) == "model 2"
    assert set(statuses(trained)) <= {"success", "interrupted"}
    leftovers = [path for path in trained.rglob("*") if path.name.endswith(".alo-tmp")]
    assert leftovers == []
    assert not list(trained.glob(".alo-trash-*"))
    assert not [path for path in trained.glob("history/*/.*")]


def test_a_second_run_waits_for_the_first_and_names_it(
    trained: Path, make_solution: MakeSolution, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    held = SLOW.replace(
        "time.sleep(60)", f"while not Path({str(gate)!r}).exists(): time.sleep(.01)"
    )
    make_solution({"train": held}, args={"train": {"n": 2}})
    first = start(trained)
    wait_for_line(first, "begun")

    second = start(trained, "--set", "train.n=3")
    wait_for_line(second, f"process {first.pid}")
    gate.touch()
    second.communicate(timeout=PATIENCE_S)
    first.communicate(timeout=PATIENCE_S)

    assert (first.returncode, second.returncode) == (0, 0)
    assert model(trained) == "model 3"
    assert statuses(trained) == ["success"] * 3


@pytest.mark.skipif(os.getuid() == 0, reason="root may write to a read-only folder")
def test_a_read_only_project_is_an_error_that_names_the_folder(trained: Path, run: Run) -> None:
    trained.chmod(0o500)

    try:
        with pytest.raises(Exception, match="Permission"):
            run(trained)
    finally:
        trained.chmod(0o700)
