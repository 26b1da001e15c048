"""Steps that are taken together: one file for all of them, and what is damaged is not used."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.engine.steps.reuse import StepReuse
from alo.engine.steps.task import Inputs
from alo.store.results import ResultDir
from alo.store.taken import TakenSteps

ALL_CACHED = dict.fromkeys(["one", "two", "three"], "cached")


def folders_of(home: Path, run_id: str) -> list[Path]:
    """Where a run has what its steps saved, and what they did."""
    store = home / ".asset_interface"
    return [store / "train" / run_id, store / "results/train" / run_id]


def of_runs(home: Path) -> list[list[Path]]:
    owners = (home / ".asset_interface/results/train").glob("*/.owner")
    runs = sorted(owners, key=lambda owner: owner.stat().st_mtime_ns)
    return [folders_of(home, owner.parent.name) for owner in runs]


def test_a_run_that_runs_no_step_has_one_file_for_all_of_them(
    home: Path, again: Callable[..., dict[str, str]]
) -> None:
    for _ in range(2):
        again(home)
    for folder in (first := of_runs(home)[0]):
        assert (folder / "two.json").is_file()
        shutil.rmtree(folder)
    again(home)

    second, third = of_runs(home)
    assert first not in (second, third)
    for folder in (*second, *third):
        assert [path.name for path in folder.glob("*.json")] == [".steps.json"]
    for ours, theirs in zip(second, third, strict=True):
        assert (ours / ".steps.json").samefile(theirs / ".steps.json")


def test_what_a_run_has_taken_outlives_the_runs_that_it_was_taken_from(
    home: Path, again: Callable[..., dict[str, str]]
) -> None:
    for _ in range(3):
        again(home)
    for name in sorted(os.listdir(home / "history/train"))[:2]:
        shutil.rmtree(home / "history/train" / name)

    assert again(home) == ALL_CACHED  # and forgets at its end what has no history any more
    assert len(of_runs(home)) == 2
    assert again(home) == ALL_CACHED
    assert (home / "train_artifacts/models/one/model").read_text() == "model of one"


def test_where_only_the_last_step_has_changed_the_first_ones_are_taken_together(
    home: Path, again: Callable[..., dict[str, str]]
) -> None:
    again(home)
    again(home)
    asset = home / "assets/three/asset_three.py"
    asset.write_text(asset.read_text() + "\n# changed\n")

    notes = again(home)

    assert notes == {
        "one": "cached",
        "two": "cached",
        "three": "code changed: assets/three/asset_three.py",
    }
    *_, last = of_runs(home)
    for folder in last:
        assert {path.name for path in folder.glob("*.json")} == {".steps.json", "three.json"}
    assert again(home) == ALL_CACHED
    assert again(home) == ALL_CACHED


@pytest.mark.parametrize("place", [0, 1], ids=["values", "results"])
def test_a_damaged_file_of_taken_steps_is_not_used(
    home: Path, again: Callable[..., dict[str, str]], place: int
) -> None:
    again(home)
    again(home)
    file = of_runs(home)[1][place] / ".steps.json"
    os.chmod(file, 0o644)
    file.write_bytes(file.read_bytes()[:-9])

    assert again(home) == ALL_CACHED  # from the first run
    assert again(home) == ALL_CACHED


def test_a_taken_step_whose_files_are_damaged_runs_again_and_is_no_result_until_then(
    home: Path, again: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    again(home)
    again(home)
    for kept in (home / ".asset_interface").rglob("models/one/model"):
        os.chmod(kept, 0o644)
        kept.write_text("spoilt by hand")
    kept_before: list[object] = []
    begins = StepReuse.begins

    def look(reuse: StepReuse, step: str) -> None:
        begins(reuse, step)
        run = of_runs(home)[-1][0].name
        kept_before.append(ResultDir(home / ".asset_interface").find("train", run, step))

    monkeypatch.setattr(StepReuse, "begins", look)

    notes = again(home)

    assert notes["one"] == "what was kept of it is damaged"
    assert kept_before == [None]
    assert (home / "train_artifacts/models/one/model").read_text() == "model of one"
    monkeypatch.undo()
    assert again(home) == ALL_CACHED


def test_a_step_that_comes_to_run_on_other_inputs_is_looked_for_anew(
    home: Path, again: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    again(home)
    look_ahead = StepReuse._look_ahead

    def find(reuse: StepReuse, first: Inputs) -> None:
        look_ahead(reuse, first)
        two = reuse._ahead["two"]
        other = two.inputs._replace(code={**two.inputs.code, "more.py": "x"})
        reuse._ahead["two"] = two._replace(inputs=other, reused=None)  # type: ignore[arg-type]

    monkeypatch.setattr(StepReuse, "_look_ahead", find)

    assert again(home) == ALL_CACHED


def test_a_store_that_cannot_be_written_leaves_it_to_the_steps(
    home: Path, again: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    again(home)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(TakenSteps, "give", full)

    assert again(home) == ALL_CACHED


KILLED = """\
import os, signal, sys
from alo.cli.main import main
from alo.store.taken import TakenSteps

give, calls = TakenSteps.give, []

def killed(*args):
    give(*args)
    calls.append(args)
    if len(calls) == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

TakenSteps.give = killed
sys.exit(main(["run", "--json", "--project", sys.argv[1]]))
"""


@pytest.mark.parametrize("calls", [1, 2], ids=["values", "results"])
def test_a_run_that_is_killed_while_it_takes_steps_spoils_nothing(home: Path, calls: int) -> None:
    def run(calls: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", KILLED, str(home), str(calls)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert run(0).returncode == 0
    killed = run(calls)
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    for _ in range(2):
        done = run(0)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        ended = [each["payload"] for each in events if each["event"] == "step_finished"]
        assert {each["step"]: each["note"] for each in ended} == ALL_CACHED, done.stderr
    assert (home / "train_artifacts/models/one/model").read_text() == "model of one"


def test_only_a_whole_run_with_the_cache_takes_steps_together(
    home: Path, again: Callable[..., dict[str, str]]
) -> None:
    again(home)
    again(home, first="two")
    again(home, last="two")

    assert not list((home / ".asset_interface").rglob(".steps.json"))
