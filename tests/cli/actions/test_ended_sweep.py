"""A sweep that is stopped, interrupted or killed, and goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.swept_project import Command, shown, write_swept_project

from alo.history.browse import History
from alo.layout import Workspace


@pytest.fixture
def home(make_solution: Callable[..., Path], tmp_path: Path) -> Path:
    return write_swept_project(make_solution, tmp_path)


def started(home: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "alo.cli.main", "sweep", *words, "--project", str(home)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for_trials(process: subprocess.Popen[str], count: int) -> None:
    assert process.stdout is not None
    seen = 0
    for line in process.stdout:
        seen += line.startswith("trial ")
        if seen >= count:
            return
    raise AssertionError("it has ended before")


SLOW = ["--param", "train.x=1..12", "--set", "train.how=slow", "--jobs", "2"]


def test_an_interrupted_sweep_ends_what_runs_and_goes_on_with_its_own_args(
    command: Command, home: Path
) -> None:
    process = started(home, "s", *SLOW)
    wait_for_trials(process, 3)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "it has trials to go: alo sweep resume s" in out
    counts = shown(command, "s")["counts"]
    assert set(counts) == {"complete"}
    assert 3 <= counts["complete"] < 12
    assert command("sweep", "resume", "s", "--jobs", "2")[0] == 0
    assert_once_each(command, home)


def test_a_resume_goes_on_to_the_number_asked_for_with_all_that_was_set(
    command: Command, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = home / "solution/experimental_plan.yaml"
    other = home / "other.yaml"
    other.write_text(plan.read_text().replace('"how": ""', '"how": "slow"'))
    monkeypatch.chdir(home)
    words = ["--param", "train.x=1..100", "--sampler", "random", "--trials", "8", "--jobs", "1"]
    fixed = ["--set", "train.seed={a: 1}", "--config", "other.yaml", "--metric", "score"]
    assert command("sweep", "s", *words, *fixed, "--timeout", "2", "--max-failures", "99")[0] in (
        0,
        1,
    )
    assert shown(command, "s")["status"] == "stopped"

    monkeypatch.chdir(tmp_path)
    assert command("sweep", "resume", "s", "--max-failures", "99")[0] == 1
    reported = shown(command, "s")
    assert (reported["status"], len(reported["trials"])) == ("ended", 8)
    args = [record.args["train"] for record in History(Workspace(home)).list(limit=None)]
    assert {(each["how"], json.dumps(each["seed"])) for each in args} == {("slow", '{"a": 1}')}

    command("sweep", "resume", "s", "--trials", "9", "--max-failures", "99")
    assert len(shown(command, "s")["trials"]) == 9


def assert_once_each(command: Command, home: Path) -> None:
    """Each configuration is complete, and has one finished entry in history."""
    trials = shown(command, "s")["trials"]
    assert [each["state"] for each in trials] == ["complete"] * 12
    assert [each["args"]["train.x"] for each in trials] == list(range(1, 13))
    runs = History(Workspace(home)).list()
    good = [record.args["train"]["x"] for record in runs if record.status == "success"]
    assert sorted(good) == list(range(1, 13))


def test_a_second_interrupt_ends_it_now(command: Command, home: Path) -> None:
    process = started(home, "s", "--param", "train.x=1..12", "--set", "train.how=slow")
    wait_for_trials(process, 1)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode in (130, 143)
    assert command("sweep", "resume", "s")[0] == 0
    assert_once_each(command, home)


@pytest.mark.parametrize("trials", [1, 4, 7])
def test_a_killed_sweep_goes_on_with_each_configuration_once(
    command: Command, home: Path, trials: int
) -> None:
    process = started(home, "s", *SLOW)
    wait_for_trials(process, trials)
    process.kill()
    process.communicate()
    reported = shown(command, "s")
    states = {each["state"] for each in reported["trials"]}
    assert reported["status"] == "stopped"
    assert "running" not in states | reported["counts"].keys()
    status, _, err = command("sweep", "resume", "s", "--jobs", "2")
    assert (status, err) == (0, "")
    assert_once_each(command, home)
    assert [each for each in os.listdir(home / ".alo") if each.startswith("rerun-")] == []


def test_another_process_stops_it_and_sees_that_it_runs(command: Command, home: Path) -> None:
    process = started(home, "s", *SLOW)
    wait_for_trials(process, 1)
    assert shown(command, "s")["status"] == "running"
    status, _, err = command("sweep", "resume", "s")
    assert (status, "runs already" in err) == (2, True)
    assert command("sweep", "stop", "s")[0] == 0
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert len(shown(command, "s")["trials"]) < 12
    assert command("sweep", "resume", "s")[0] == 0
    assert_once_each(command, home)


def test_its_time_ends_a_sweep_that_a_resume_completes(command: Command, home: Path) -> None:
    began = time.monotonic()
    words = ["--param", "train.x=1..12", "--set", "train.how=slow", "--jobs", "1"]
    assert command("sweep", "s", *words, "--timeout", "2")[0] == 0
    assert time.monotonic() - began < 30
    ended = shown(command, "s")["trials"]
    assert len([each for each in ended if each["state"] == "complete"]) < 12
    assert {each["error"] for each in ended} <= {"", "the time of the sweep was over"}
    assert command("sweep", "resume", "s")[0] == 0
    assert_once_each(command, home)
