"""``cache: True``: a step whose inputs have not changed is not run again, and never wrongly."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from alo.store.results import ResultDir

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]


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
