"""``cache: True``: a step whose inputs have not changed is not run again, and never wrongly."""

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
from typing import Any

import pytest

from alo.engine.steps.reuse import StepReuse
from alo.engine.steps.task import Inputs
from alo.events.types import StepFinished
from alo.store.results import ResultDir
from alo.store.taken import TakenSteps

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]

ONE = """\
self.data['one'] = [1, 2]
self.config['seen'] = 'one'
Path(self.asset.get_model_path(), 'model').write_text('model of one')
Path(self.asset.get_extra_output_path(), 'empty').mkdir()
"""
TWO = """\
import helper
self.data['two'] = [*self.data['one'], self.args['n'], helper.NAME]
self.asset.save_summary(str(self.data['two']), 0.5)
"""
THREE = """\
Path(self.asset.get_output_path(), 'seen').write_text(
    f"{self.data} {self.config['seen']}"
)
"""


@pytest.fixture(params=["memory", "file"])
def home(request: pytest.FixtureRequest, make_solution: MakeSolution, tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.csv").write_text("1")
    home = make_solution(
        {"one": ONE, "two": TWO, "three": THREE},
        args={"two": {"n": 5}},
        control={"cache": True, "interface_mode": request.param},
        external={"load_train_data_path": str(tmp_path / "data")},
    )
    (home / "assets/two/helper.py").write_text("NAME = 'helper'\n")
    return home


@pytest.fixture
def again(run: Run, heard: Any) -> Callable[..., dict[str, str]]:
    """Run; what became of each step: ``cached``, or why it ran."""

    def call(home: Path, **options: Any) -> dict[str, str]:
        heard.clear()
        run(home, **options)
        return {step.step: step.note for step in heard.of(StepFinished)}

    return call


def test_the_first_run_runs_all_and_the_second_none(
    home: Path, again: Callable[..., dict[str, str]]
) -> None:
    first = again(home)
    seen = (home / "train_artifacts/output/seen").read_text()
    second = again(home)

    assert first == dict.fromkeys(["one", "two", "three"], "no earlier result")
    assert second == dict.fromkeys(["one", "two", "three"], "cached")
    assert (home / "train_artifacts/output/seen").read_text() == seen
    assert (home / "train_artifacts/models/one/model").read_text() == "model of one"
    assert (home / "train_artifacts/extra_output/one/empty").is_dir()
    assert (home / "train_artifacts/score/train_summary.yaml").is_file()


def test_a_cached_run_is_as_whole_in_history_as_any(
    home: Path, again: Callable[..., dict[str, str]], run: Run
) -> None:
    again(home)
    (outcome,) = run(home)

    record = json.loads((outcome.history / "log/experimental_history.json").read_text())
    assert record["result"] == "[1, 2, 5, 'helper']"
    assert [step["status"] for step in record["steps"]] == ["cached"] * 3
    assert (outcome.history / "models/one/model").read_text() == "model of one"


def test_a_changed_arg_runs_its_step_and_those_that_its_data_changes(
    home: Path, again: Callable[..., dict[str, str]]
) -> None:
    again(home)

    notes = again(home, overrides=("two.n=8",))

    assert notes == {
        "one": "cached",
        "two": "args changed: n 5 → 8",
        "three": "what the step before hands on changed",
    }
    assert "8" in (home / "train_artifacts/output/seen").read_text()
    assert again(home)["two"] == "cached"  # the run before the last still counts


def test_a_changed_helper_module_runs_its_step(
    home: Path, again: Callable[..., dict[str, str]]
) -> None:
    again(home)
    (home / "assets/two/helper.py").write_text("NAME = 'other'\n")

    notes = again(home)

    assert notes["one"] == "cached"
    assert notes["two"] == "code changed: assets/two/helper.py"


def test_a_module_of_the_project_that_a_step_imports_is_its_code(
    home: Path, again: Callable[..., dict[str, str]]
) -> None:
    (home / "common.py").write_text("VALUE = 1\n")
    asset = home / "assets/one/asset_one.py"
    imported = "import sys; sys.path.append(self.asset.project_home); import common\n"
    asset.write_text(
        asset.read_text().replace("self.data['one']", f"{imported}        self.data['one']")
    )
    again(home)
    assert again(home)["one"] == "cached"
    (home / "common.py").write_text("VALUE = 2\n")

    assert again(home)["one"] == "code changed: common.py"


def test_changed_input_data_runs_everything(
    home: Path, again: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    again(home)
    (tmp_path / "data/a.csv").write_text("22")

    assert again(home)["one"] == "input data changed"


def test_a_step_can_opt_out(home: Path, again: Callable[..., dict[str, str]]) -> None:
    path = home / "solution/experimental_plan.yaml"
    plan = json.loads(path.read_text())
    plan["user_parameters"]["train_pipeline"][0]["cache"] = False
    path.write_text(json.dumps(plan))
    again(home)

    notes = again(home)

    assert notes == {"one": "cache: False", "two": "cached", "three": "cached"}


def test_a_damaged_result_is_not_used(home: Path, again: Callable[..., dict[str, str]]) -> None:
    again(home)
    for kept in (home / ".asset_interface").rglob("models/one/model"):
        os.chmod(kept, 0o644)
        kept.write_text("spoilt by hand")

    notes = again(home)

    assert notes["one"] == "what was kept of it is damaged"
    assert (home / "train_artifacts/models/one/model").read_text() == "model of one"


def test_another_model_runs_the_inference_again(
    make_solution: MakeSolution, again: Callable[..., dict[str, str]]
) -> None:
    home = make_solution(
        {"train": "Path(self.asset.get_model_path(), 'm').write_text(str(self.args['n']))"},
        {
            "inference": "model = Path(self.asset.get_model_path(), 'm').read_text()\n"
            "self.asset.save_summary(model, 1)\n"
            "Path(self.asset.get_output_path(), 'a.csv').write_text(model)"
        },
        args={"train": {"n": 1}},
        control={"cache": True},
    )
    again(home)
    assert again(home, mode="inference") == {"inference": "cached"}

    again(home, mode="train", overrides=("train.n=2",))

    assert again(home, mode="inference") == {"inference": "model changed"}
    assert (home / "inference_artifacts/output/a.csv").read_text() == "2"


def test_without_cache_nothing_is_kept_and_every_step_runs(
    make_solution: MakeSolution, again: Callable[..., dict[str, str]]
) -> None:
    home = make_solution({"one": "self.data['x'] = 1"})
    again(home)

    assert again(home) == {"one": ""}
    assert not (home / ".asset_interface").exists()


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


def test_a_result_names_only_the_steps_before_it_that_have_left_something(
    home: Path, again: Callable[..., dict[str, str]]
) -> None:
    asset = home / "assets/two/asset_two.py"
    asset.write_text(asset.read_text().replace("self.asset.save_summary", "print"))
    again(home)

    kept = ResultDir(home / ".asset_interface")
    (run,) = kept.runs("train")
    three = kept.find("train", run, "three")

    assert three is not None
    assert [*three.key.files] == ["one"]
