"""A pipeline in a notebook: run in parts, looked into, saved or given up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import alo
from alo.engine.workspace.lock import hold_workspace
from alo.errors import AloError, ResultError, StepError, UsageError
from alo.layout import Workspace

MakeSolution = Callable[..., Path]
Model = Callable[[], str]


def test_an_edited_asset_takes_effect_the_next_time_the_step_runs(
    project: alo.Project, make_solution: MakeSolution, home: Path
) -> None:
    with project.train as pipeline:
        pipeline.run(until="input")
        make_solution({"input": "self.data['rows'] = [10]"}, home=home / "other")
        source = home / "other/assets/input/asset_input.py"
        (home / "assets/input/asset_input.py").write_bytes(source.read_bytes())

        pipeline.run("input")

        assert pipeline["input"].data == {"rows": [10]}


def test_a_step_that_failed_can_be_mended_and_run_again(
    project: alo.Project, home: Path, model: Model
) -> None:
    asset = home / "assets/train/asset_train.py"
    good = asset.read_text()
    asset.write_text(good.replace("sum(self", "sun(self"))
    pipeline = project.train

    with pytest.raises(StepError, match="sun"):
        pipeline.run()
    asset.write_text(good)
    pipeline.run("train")
    pipeline.save()

    assert model() == "6"


def test_a_run_that_is_not_saved_is_given_up_and_what_it_replaced_comes_back(
    project: alo.Project, home: Path, model: Model
) -> None:
    project.run("train")

    with project.train as pipeline:
        pipeline["train"].args["factor"] = 5
        pipeline.run()
        assert model() == "30"

    assert model() == "6"
    with hold_workspace(Workspace(home), wait=False, listener=lambda event: None, what="test"):
        pass  # the workspace is free again


def test_saving_before_all_steps_have_run_is_refused(project: alo.Project) -> None:
    with project.train as pipeline:
        pipeline.run(until="input")

        with pytest.raises(UsageError, match="train"):
            pipeline.save()


def test_unknown_names_are_reported_with_the_known_ones(project: alo.Project) -> None:
    with pytest.raises(UsageError, match=r"(?s)no step 'trian'.*input, train"):
        project.train.run("trian")
    with pytest.raises(UsageError, match="train, inference"):
        project.pipeline("test")


def test_after_a_save_run_begins_anew_with_all_steps(project: alo.Project, home: Path) -> None:
    pipeline = project.train.run()
    pipeline.save()
    asset = home / "assets/input/asset_input.py"
    asset.write_text(asset.read_text().replace("[1, 2, 3]", "[1]"))

    pipeline.run(until="train")

    assert pipeline["train"].data["sum"] == 1
    pipeline.close()


def test_saving_twice_gives_the_same_run_and_says_so(project: alo.Project, home: Path) -> None:
    pipeline = project.train.run()
    first = pipeline.save()

    assert pipeline.save() == first
    assert len(project.history()) == 1


def test_what_a_saved_run_has_handed_on_can_still_be_looked_at(project: alo.Project) -> None:
    with project.train as pipeline:
        pipeline.run()
        pipeline.save()

    assert pipeline["train"].data["sum"] == 6


def test_results_at_fault_leave_the_run_open_to_be_mended(
    make_solution: MakeSolution,
) -> None:
    home = make_solution(None, {"inference": "self.asset.save_summary('x', 1)"})
    pipeline = alo.Project(home, listener=lambda event: None).inference.run()

    with pytest.raises(ResultError):
        pipeline.save()
    asset = home / "assets/inference/asset_inference.py"
    more = "Path(self.asset.get_output_path(), 'a.csv').write_text('1'); self.asset.save_summary"
    asset.write_text(asset.read_text().replace("self.asset.save_summary", more))
    outcome = pipeline.run("inference").save()

    assert (outcome.history / "output/a.csv").is_file()


# What is refused holds nothing


@pytest.mark.parametrize(
    "ask",
    [
        lambda pipeline: pipeline.run("train"),
        lambda pipeline: pipeline.run(["train"]),
        lambda pipeline: pipeline.run("trian"),
        lambda pipeline: pipeline.run(until="trian"),
        lambda pipeline: pipeline.run([]),
        lambda pipeline: pipeline.run("train", until="train"),
        lambda pipeline: pipeline.run(3),
        lambda pipeline: pipeline.load(3),
        lambda pipeline: pipeline.save(),
    ],
)
def test_a_run_that_is_refused_does_not_hold_the_workspace(
    project: alo.Project, home: Path, ask: Callable[[alo.Pipeline], object]
) -> None:
    with pytest.raises(UsageError):
        ask(project.train)

    assert_free(home)
    assert len(project.history()) == 0


@pytest.mark.parametrize("steps", ["All", "ALL", "all", ["All"], None])
def test_all_steps_are_asked_for_in_any_case(project: alo.Project, steps: Any) -> None:
    with project.train as pipeline:
        pipeline.run(steps=steps)

        assert pipeline["train"].has_run


def test_steps_run_in_the_order_of_the_pipeline(project: alo.Project) -> None:
    with project.train as pipeline:
        pipeline.run(("train", "input"))

        assert pipeline["train"].data["sum"] == 6


def test_data_that_cannot_be_loaded_is_forgotten(project: alo.Project, home: Path) -> None:
    pipeline = project.train

    with pytest.raises(AloError, match="nowhere"):
        pipeline.load("nowhere")

    assert_free(home)
    pipeline.run().save()


def test_load_without_a_path_takes_the_data_of_the_plan(
    make_home: MakeSolution, tmp_path: Path
) -> None:
    for name in ("plan", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.csv").write_text(name)
    home = make_home(external={"load_train_data_path": str(tmp_path / "plan")})
    pipeline = alo.Project(home, listener=lambda event: None).train

    pipeline.load(tmp_path / "other").load([]).run().save()

    assert [path.name for path in (home / "input/train").iterdir()] == ["plan"]


# What people do to notebooks


def test_a_cell_that_is_interrupted_leaves_the_steps_before_it(
    make_solution: MakeSolution,
) -> None:
    stop = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"
    home = make_solution({"input": "self.data['n'] = 1", "train": stop})
    pipeline = alo.Project(home, listener=lambda event: None).train

    with pytest.raises(KeyboardInterrupt) as caught:
        pipeline.run()
    assert caught.type is KeyboardInterrupt  # as notebooks know it
    asset = home / "assets/train/asset_train.py"
    asset.write_text(asset.read_text().replace(stop, "self.data['n'] += 1"))
    pipeline.run("train")

    assert pipeline["train"].data == {"n": 2}
    pipeline.save()


def test_a_failed_step_is_the_reason_in_history_when_the_run_is_given_up(
    make_solution: MakeSolution,
) -> None:
    home = make_solution({"train": "1 / 0"})
    project = alo.Project(home, listener=lambda event: None)

    with pytest.raises(StepError), project.train as pipeline:
        pipeline.run()

    (row,) = project.history().to_dict("records")
    assert row["status"] == "error"
    assert next((home / "history/train").glob("*-error"))


def assert_free(home: Path) -> None:
    """No one has the workspace, and nothing unfinished is in it."""
    with hold_workspace(Workspace(home), wait=False, listener=lambda event: None, what="test"):
        assert not (home / ".unfinished_run").exists()
