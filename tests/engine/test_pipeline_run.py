"""Whatever ends a run, and wherever: console, exit status, history and folders tell the same.

A run has succeeded once it is in history; nothing that comes later changes that or is reported as a
failure. Until then anything undoes it. The process under test does something to itself before or
after one of the engine's functions.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from alo.history.browse import History
from alo.history.entries.verify import damage
from alo.layout import Workspace

from ..support.waiting import PATIENCE_S

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]

GOOD = "Path(self.asset.get_model_path(), 'model').write_text(f\"model {self.args['n']}\")"
USE = """\
self.asset.save_summary('used', 1)
Path(self.asset.get_output_path(), 'a.csv').write_text('a')
"""

STRIKING = """
import importlib, os, signal, sys

point, when, how, *words = sys.argv[1:]
module, _, path = point.partition(":")
*owners, name = path.split(".")
place = importlib.import_module(module)
for owner in owners:
    place = getattr(place, owner)
original, struck = getattr(place, name), []

def strike():
    if struck:
        return
    struck.append(True)
    if how == "full":
        raise OSError(28, "No space left on device", "a/file")
    os.kill(os.getpid(), getattr(signal, how))

def striking(*arguments, **options):
    if when == "before":
        strike()
    result = original(*arguments, **options)
    if when == "after":
        strike()
    return result

setattr(place, name, striking)
from alo.cli.main import main

sys.argv = ["alo", *words]
sys.exit(main())
"""

POINTS = [
    "alo.engine.pipeline_run:seal_history",
    "alo.engine.workspace.unfinished:begin",
    "alo.engine.steps.code:RunCode.take",
    "alo.engine.pipeline_run:begin",
    "alo.engine.pipeline_run:PipelineRun.load",
    "alo.engine.loading:stage",
    "alo.engine.session:Session.run_step",
    "alo.engine.pipeline_run:write_origin",
    "alo.engine.pipeline_run:export",
    "alo.engine.pipeline_run:save_entry",
    "alo.engine.workspace.unfinished:UnfinishedRun.discard",
    "alo.events.log_files:RunLogs.close",
    "alo.events.journal:EventJournal.ending",
    "alo.events.journal:EventJournal.close",
    "alo.history.retention:keep_within",
    "alo.engine.steps.reuse:forget_unknown_runs",
    "alo.engine.pipeline_run:PipelineRun.save",
    "alo.engine.run:run_job",
    "alo.engine.workspace.lock:Claim.release",
    "alo.events.journal:EventJournal.report_end",
]
INTERRUPTIONS = {"SIGINT": 130, "SIGTERM": 143}


class Ended(NamedTuple):
    """A command that was struck."""

    status: int
    console: str


@pytest.fixture
def home(make_solution: MakeSolution, run: Run, tmp_path: Path) -> Path:
    """A project that has made ``model 1``, and has no room for a second run in history."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.csv").write_text("1")
    home = make_solution(
        {"train": GOOD},
        {"use": USE},
        args={"train": {"n": 1}},
        control={"backup_size": 0, "cache": True},
        external={
            "load_train_data_path": str(tmp_path / "data"),
            "save_train_artifacts_path": str(tmp_path / "out"),
        },
    )
    run(home, "train")
    return home


def strike(home: Path, point: str, when: str, how: str, mode: str = "train") -> Ended:
    words = ["run", "--mode", mode, "--set", "train.n=2"]
    done = subprocess.run(
        [sys.executable, "-c", STRIKING, point, when, how, *words],
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return Ended(done.returncode, done.stdout)


def model(home: Path) -> str:
    return (home / "train_artifacts/models/train/model").read_text()


def succeeded(home: Path) -> list[str]:
    """What the train runs that succeeded have made, as far as they are in history; all whole."""
    history = History(Workspace(home))
    found = [
        each for each in history.list() if (each.pipeline, each.status) == ("train", "success")
    ]
    folders = [history.find(record.id).folder for record in found]
    assert [damage(folder) for folder in folders] == [[]] * len(folders)
    return [(folder / "models/train/model").read_text() for folder in folders]


def assert_that_all_tell_the_same(home: Path, ended: Ended) -> None:
    is_success = ended.status == 0
    assert "Traceback" not in ended.console
    assert "fault in ALO" not in ended.console
    assert ("error:" not in ended.console) == is_success, ended.console
    assert model(home) == ("model 2" if is_success else "model 1"), ended.console
    assert ("model 2" in succeeded(home)) == is_success, ended.console
    assert not (home / ".unfinished_run").exists(), ended.console


@pytest.mark.parametrize("how", INTERRUPTIONS)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("point", POINTS)
def test_an_interruption_undoes_a_run_or_comes_too_late(
    point: str, when: str, how: str, home: Path
) -> None:
    ended = strike(home, point, when, how)

    assert ended.status in (0, INTERRUPTIONS[how]), ended.console
    assert_that_all_tell_the_same(home, ended)
    if ended.status:
        assert f"interrupted by {how}" in ended.console
        assert "succeeded" not in ended.console
    else:
        assert "the previous artifacts are back" not in ended.console


@pytest.mark.parametrize(
    "point", [each for each in POINTS if not each.endswith(("_end", "release"))]
)
def test_a_full_disk_undoes_a_run_or_leaves_waste(point: str, home: Path) -> None:
    ended = strike(home, point, "before", "full")

    assert ended.status in (0, 1), ended.console
    assert "No space left" in ended.console
    if ended.status:
        assert "make room on the disk" in ended.console
        assert "a/file" in ended.console
    assert model(home) == ("model 1" if ended.status else "model 2")
    if ended.status:
        assert_that_all_tell_the_same(home, ended)
    next_run = strike(home, "alo.engine.run:run_job", "never", "")
    assert next_run.status == 0, next_run.console
    assert_that_all_tell_the_same(home, next_run)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("point", POINTS)
def test_after_a_kill_the_next_start_undoes_the_run_or_finishes_it(
    point: str, when: str, home: Path, run: Run
) -> None:
    ended = strike(home, point, when, "SIGKILL")
    assert ended.status == -signal.SIGKILL
    has_succeeded = "model 2" in succeeded(home)

    run(home, "inference")

    assert model(home) == ("model 2" if has_succeeded else "model 1")
    assert not (home / ".unfinished_run").exists()
    assert not list(home.glob(".alo-trash-*"))
    statuses = {record.status for record in History(Workspace(home)).list()}
    assert statuses <= {"success", "interrupted"}


@pytest.mark.parametrize("how", INTERRUPTIONS)
def test_when_all_is_done_a_signal_ends_the_process_with_its_status(how: str, home: Path) -> None:
    ended = strike(home, "alo.cli.main:_name_threads", "before", how)

    assert ended.status == 0
    assert "history " in ended.console
    assert_that_all_tell_the_same(home, ended)


@pytest.mark.parametrize("how", INTERRUPTIONS)
def test_between_two_runs_the_first_one_stays_and_the_second_is_not_begun(
    how: str, home: Path
) -> None:
    ended = strike(home, "alo.engine.run:run_job", "after", how, mode="all")

    assert ended.status == INTERRUPTIONS[how]
    assert model(home) == "model 2"
    assert "has succeeded, the next one has not begun" in ended.console
    assert "are back" not in ended.console
    assert {record.pipeline for record in History(Workspace(home)).list()} == {"train"}


@pytest.mark.parametrize("mode", ["train", "all"])
def test_pruning_is_cut_short_by_an_interruption_and_the_next_run_prunes_on(
    mode: str, home: Path
) -> None:
    ended = strike(home, "alo.history.retention:put_away", "before", "SIGINT", mode=mode)

    assert ended.status == (0 if mode == "train" else 130), ended.console
    assert "the run has succeeded; the next one has to clean up" in ended.console
    assert len(succeeded(home)) == 2
    strike(home, "alo.engine.run:run_job", "never", "")
    assert succeeded(home) == ["model 2"]


def test_a_run_that_cannot_be_undone_says_so_and_the_next_one_undoes_it(home: Path) -> None:
    ended = strike(home, "alo.engine.workspace.unfinished:UnfinishedRun.put_back", "before", "full")
    assert ended.status == 0  # it was not needed

    failing = home / "assets/train/asset_train.py"
    good = failing.read_text()
    failing.write_text(good.replace("write_text(", "write_text('bad') / ("))
    ended = strike(home, "alo.engine.workspace.unfinished:UnfinishedRun.put_back", "before", "full")

    assert ended.status == 1
    assert "the previous artifacts are not back yet" in ended.console
    assert "unsupported operand" in ended.console  # the first error is the one that is told
    assert (home / ".unfinished_run").exists()
    failing.write_text(good)
    ended = strike(home, "alo.engine.run:run_job", "never", "")
    assert ended.status == 0, ended.console
    assert model(home) == "model 2"


def test_as_json_the_same_is_reported(home: Path) -> None:
    command = [sys.executable, "-c", STRIKING, "alo.history.retention:keep_within", "before"]
    done = subprocess.run(
        [*command, "SIGINT", "run", "--mode", "train", "--json"],
        cwd=home,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    ended = [each["payload"] for each in events if each["event"] == "run_finished"]
    assert [each["status"] for each in ended] == ["success"]
    assert not [each for each in events if each["event"] == "error"]
