"""The Python API: a project opened, run whole and in parts, and looked into."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import alo
from alo.engine.lock import hold_workspace
from alo.errors import AloError, StepError, UsageError
from alo.layout import Workspace

MakeSolution = Callable[..., Path]

TRAIN = {
    "input": "self.data['rows'] = [1, 2, 3]; self.config['unit'] = 'mm'",
    "train": "self.data['sum'] = sum(self.data['rows']) * self.args['factor']\n"
    "Path(self.asset.get_model_path(), 'model').write_text(str(self.data['sum']))",
}
INFERENCE = {
    "inference": "model = Path(self.asset.get_model_path(), 'model').read_text()\n"
    "self.asset.save_summary(model, 1)\n"
    "Path(self.asset.get_output_path(), 'a.csv').write_text(model)"
}


@pytest.fixture
def home(make_solution: MakeSolution) -> Path:
    return make_solution(TRAIN, INFERENCE, args={"train": {"factor": 1}})


@pytest.fixture
def project(home: Path) -> alo.Project:
    return alo.Project(home, listener=lambda event: None)


def model(home: Path) -> str:
    return (home / "train_artifacts/models/train/model").read_text()


def test_a_project_lists_its_steps_and_shows_itself(project: alo.Project) -> None:
    assert project.train.steps == ["input", "train"]
    assert "train_pipeline: input → train" in repr(project)
    assert "factor=1" in repr(project.train["train"])
    assert "input" in repr(project.train)


def test_running_up_to_a_step_gives_what_it_saved_as_real_objects(project: alo.Project) -> None:
    with project.train as pipeline:
        pipeline.run(until="input")

        assert pipeline["input"].data == {"rows": [1, 2, 3]}
        assert pipeline["input"].config["unit"] == "mm"
        assert not pipeline["train"].has_run
        with pytest.raises(UsageError, match="has not run yet"):
            _ = pipeline["train"].data


def test_in_file_mode_what_a_step_saved_is_read_from_the_store(
    make_solution: MakeSolution,
) -> None:
    home = make_solution(TRAIN, args={"train": {"factor": 1}}, control={"interface_mode": "file"})
    pipeline = alo.Project(home, listener=lambda event: None).train

    pipeline.run(until="input")
    pipeline["input"].data["rows"].append(4)  # type: ignore[attr-defined]
    pipeline.run("train").save()

    assert pipeline["train"].data["sum"] == 6  # each reader has objects of its own


def test_an_edited_arg_takes_effect_the_next_time_the_step_runs(
    project: alo.Project, home: Path
) -> None:
    pipeline = project.train.run()
    assert pipeline["train"].data["sum"] == 6

    pipeline["train"].args["factor"] = 10
    pipeline.run("train")
    outcome = pipeline.save()

    assert model(home) == "60"
    record = json.loads((outcome.history / "log/experimental_history.json").read_text())
    assert record["args"]["train"] == {"factor": 10}
    assert record["overrides"] == ["train_pipeline.train.factor: 1 -> 10"]


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


def test_a_step_that_failed_can_be_mended_and_run_again(project: alo.Project, home: Path) -> None:
    asset = home / "assets/train/asset_train.py"
    good = asset.read_text()
    asset.write_text(good.replace("sum(self", "sun(self"))
    pipeline = project.train

    with pytest.raises(StepError, match="sun"):
        pipeline.run()
    asset.write_text(good)
    pipeline.run("train")
    pipeline.save()

    assert model(home) == "6"


def test_a_run_that_is_not_saved_is_given_up_and_what_it_replaced_comes_back(
    project: alo.Project, home: Path
) -> None:
    project.run("train")

    with project.train as pipeline:
        pipeline["train"].args["factor"] = 5
        pipeline.run()
        assert model(home) == "30"

    assert model(home) == "6"
    with hold_workspace(Workspace(home), wait=False, listener=lambda event: None, what="test"):
        pass  # the workspace is free again


def test_saving_before_all_steps_have_run_is_refused(project: alo.Project) -> None:
    with project.train as pipeline:
        pipeline.run(until="input")

        with pytest.raises(UsageError, match="train"):
            pipeline.save()


def test_unknown_names_are_told_with_the_known_ones(project: alo.Project) -> None:
    with pytest.raises(UsageError, match=r"(?s)no step 'trian'.*input, train"):
        project.train.run("trian")
    with pytest.raises(UsageError, match="train, inference"):
        project.pipeline("test")


def test_history_is_a_data_frame_with_a_column_for_each_arg(project: alo.Project) -> None:
    project.run()

    table = project.history()

    assert list(table["pipeline"]) == ["inference", "train"]
    assert table.loc[1, "train.factor"] == 1
    assert len(project.history("train")) == 1


def test_history_is_empty_before_the_first_run(project: alo.Project) -> None:
    assert len(project.history()) == 0


def test_an_inference_can_use_the_model_of_a_past_run(project: alo.Project, home: Path) -> None:
    (first,) = project.run("train")
    pipeline = project.pipeline("train")
    pipeline["train"].args["factor"] = 2
    pipeline.run().save()

    outcome = project.pipeline("inference", train_id=first.run_id).run().save()

    assert outcome.summary is not None
    assert outcome.summary["result"] == "6"
    record = json.loads((outcome.history / "log/experimental_history.json").read_text())
    assert record["train_id"] == first.run_id
    assert model(home) == "12"


# The names of ALO 2.x


def test_main_runs_the_pipelines_more_than_once_in_a_process(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)

    for mode in ("train", "inference", "all"):
        alo.ALO(config=None, system=None, mode=mode, loop=False, computing="local").main()

    assert (home / "inference_artifacts/output/a.csv").read_text() == "6"


def test_a_failure_of_main_is_an_exception(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    (home / "assets/train/asset_train.py").unlink()

    with pytest.raises(AloError, match="asset_train"):
        alo.ALO(mode="train").main()


def test_a_pipeline_is_driven_by_the_calls_of_2x(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(home)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/x.csv").write_text("1")

    pipeline = alo.ALO().pipeline(pipeline_type="train_pipeline")
    pipeline.setup()
    pipeline.load(data_path=[str(tmp_path / "data")])
    pipeline.get_parameter("train")["factor"] = 3
    pipeline.run(steps="all")
    pipeline.run(steps=["train"])
    pipeline.save()

    assert model(home) == "18"
    assert (home / "input/train/data/x.csv").exists()
    assert pipeline.get_asset_source("train").code == "local"
    table = pipeline.history(parameter_steps=["train"])
    assert list(table["train.factor"]) == [3]
    assert len(pipeline.history(param_id=table.loc[0, "param_id"])) == 1
    assert len(pipeline.history(param_id="0" * 12)) == 0


def test_a_loop_wants_to_know_where_redis_is(
    make_solution: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ALO_REDIS_URL", raising=False)

    with pytest.raises(UsageError, match="nothing says where Redis is"):
        alo.ALO(loop=True, project=make_solution({"train": ""})).main()


def test_what_comes_later_says_so() -> None:
    with pytest.raises(UsageError, match="later version"):
        alo.ALO(computing="ray")
