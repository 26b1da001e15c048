"""``alo history follow`` and ``alo history show --events`` as a person and a program see them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.cli.main import main

# Lines that the check has, or that have paths as they are seen from another folder
PLACES = ("warning:", "artifacts", "history")

MakeSolution = Callable[..., Path]
Run = Callable[..., Any]
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(make_solution: MakeSolution) -> Path:
    return make_solution({"train": "print('hello'); self.asset.save_info('saved', show=True)"})


@pytest.fixture
def history(home: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """``history("follow", ...)``: status, standard output and error."""

    def call(*words: str) -> tuple[int, str, str]:
        status = main(["history", *words, "--project", str(home)])
        return status, *capsys.readouterr()

    return call


def test_a_past_run_is_followed_as_its_console_showed_it(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--project", str(home)]) == 0
    warning, shown = capfd.readouterr().out.split("\n", 1)  # which is the check's
    assert "load_train_data_path  empty" in warning
    (entry,) = (home / "history/train").iterdir()

    assert main(["history", "follow", entry.name[:20], "--project", str(home)]) == 0

    assert capfd.readouterr() == (shown, "")


def test_as_json_it_is_the_file(home: Path, run: Run, history: Call) -> None:
    (outcome,) = run(home)
    stored = (home / "train_artifacts/log/events.jsonl").read_text()

    assert history("follow", outcome.run_id, "--json") == (0, stored, "")
    assert history("show", outcome.run_id, "--events", "--json") == (0, stored, "")


def test_events_are_listed_a_line_each(home: Path, run: Run, history: Call) -> None:
    (outcome,) = run(home)

    status, out, _ = history("show", outcome.run_id, "--events")

    lines = out.splitlines()
    assert status == 0
    assert len(lines) == len((home / "train_artifacts/log/events.jsonl").read_bytes().splitlines())
    assert [line.split()[1] for line in lines] == [str(number) for number in range(len(lines))]
    assert "run_started" in lines[0]
    assert any(line.endswith("output         hello") for line in lines)
    assert any(
        "step_finished  step train, number 1, total 1, status success" in each for each in lines
    )


def test_with_nothing_running_it_says_so(home: Path, history: Call) -> None:
    reported = (0, "", "no run is in progress in this project\n")

    assert history("follow", "--no-wait") == reported
    assert history("follow", "--no-wait", "--json") == reported


def test_it_waits_for_the_next_run(home: Path, alo: Callable[..., Any]) -> None:
    command = [sys.executable, "-m", "alo.cli.main", "history", "follow", "--project", str(home)]
    following = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert following.stderr is not None
    assert "waiting for the next" in following.stderr.readline()

    ran = alo("run", cwd=home)

    out, _ = following.communicate(timeout=60)
    assert following.returncode == 0
    own = [line for line in ran.stdout.splitlines() if not line.startswith(PLACES)]
    assert [line for line in out.splitlines() if not line.startswith(PLACES)] == own


def test_of_a_run_that_failed_the_error_is_shown(
    make_solution: MakeSolution, run: Run, history: Call
) -> None:
    home = make_solution({"train": "raise ValueError('boom')"})
    with pytest.raises(Exception, match="boom"):
        run(home)
    (entry,) = (home / "history/train").iterdir()

    status, out, err = history("follow", entry.name)

    assert status == 0
    assert "train failed after" in out
    assert err.startswith("error: step 'train' failed: ValueError: boom")


def test_of_a_killed_run_it_is_said(make_solution: MakeSolution, history: Call) -> None:
    home = make_solution({"train": "import os; print('x'); os.kill(os.getpid(), 9)"})
    command = [sys.executable, "-m", "alo.cli.main", "run", "--quiet", "--project", str(home)]
    subprocess.run(command, check=False)
    run_id = json.loads((home / ".unfinished_run/run.json").read_text())["id"]

    status, out, err = history("follow", run_id)

    assert (status, out.splitlines()[-1]) == (0, "x")
    assert err == f"run {run_id} was killed; the next run puts it into history\n"
    assert history("follow", "--no-wait")[2] == "no run is in progress in this project\n"
    assert history("show", run_id, "--events")[0] == 0


def test_damaged_lines_are_said_and_passed_over(home: Path, run: Run, history: Call) -> None:
    (outcome,) = run(home)
    path = Path(outcome.history) / "log/events.jsonl"
    first, *others = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([first, b"\0\0\n", *others]))

    status, out, err = history("show", outcome.run_id, "--events", "--json")

    assert status == 0
    assert out.encode() == first + b"".join(others)
    assert err.startswith("line 2 of the events is skipped: it is not JSON")


def test_what_a_full_file_has_not_is_said(home: Path, run: Run, history: Call) -> None:
    (outcome,) = run(home)
    path = Path(outcome.history) / "log/events.jsonl"
    *others, last = path.read_bytes().splitlines(keepends=True)
    left = json.loads(last)
    left.update(event="left_out", payload={"events": 7, "characters": 99})
    later = {**left, "event": "of_a_later_version", "payload": {"text": ["?"], "more": {"a": 1}}}
    lines = [json.dumps(each).encode() + b"\n" for each in (left, later)]
    path.write_bytes(b"".join([*others, *lines, last]))

    assert "7 prints and log lines (99 characters) are not" in history("follow", outcome.run_id)[1]
    assert "of_a_later_version  text ?, more a=1" in history("show", outcome.run_id, "--events")[1]


def test_a_run_of_an_earlier_version_has_none(home: Path, run: Run, history: Call) -> None:
    (outcome,) = run(home)
    for folder in (outcome.history, home / "train_artifacts"):
        (Path(folder) / "log/events.jsonl").unlink()

    status, out, err = history("follow", outcome.run_id)
    assert (status, out) == (0, "")
    assert "has no events: it was made by an earlier version" in err
    status, out, err = history("show", outcome.run_id, "--events", "--json")
    assert (status, out) == (1, "")
    assert "has no events" in err
    assert history("show", outcome.run_id)[0] == 0


def test_a_reader_that_goes_away_ends_it(home: Path, run: Run) -> None:
    (outcome,) = run(home)
    for more in ("", "--json"):
        line = (
            f"{sys.executable} -m alo.cli.main history follow {outcome.run_id} {more} | head -n 1"
        )
        done = subprocess.run(line, shell=True, cwd=home, capture_output=True, check=False)  # noqa: S602
        assert done.stdout.count(b"\n") == 1
        assert done.stderr == b""
