"""A pipeline in a notebook: run in parts, looked into, saved or given up."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest

import alo
from alo.engine.workspace.lock import hold_workspace
from alo.errors import AloError, ResultError, StepError, UsageError
from alo.events.types import Event, LogLine
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


def test_unknown_names_are_told_with_the_known_ones(project: alo.Project) -> None:
    with pytest.raises(UsageError, match=r"(?s)no step 'trian'.*input, train"):
        project.train.run("trian")
    with pytest.raises(UsageError, match="train, inference"):
        project.pipeline("test")


# After save


@pytest.mark.parametrize("control", [{}, {"interface_mode": "file"}, {"cache": True}])
def test_after_a_save_one_step_runs_again_on_what_the_steps_before_had_saved(
    make_home: MakeSolution, model: Model, control: dict[str, object]
) -> None:
    project = alo.Project(make_home(control=control), listener=lambda event: None)
    pipeline = project.train.run()
    first = pipeline.save()

    pipeline.get_parameter("train")["factor"] = 10
    pipeline.run(steps=["train"])
    second = pipeline.save()

    assert model() == "60"
    assert second.run_id != first.run_id
    assert [(step.name, step.status) for step in second.steps] == [
        ("input", "cached"),
        ("train", "success"),
    ]
    record = json.loads((second.history / "log/experimental_history.json").read_text())
    assert record["args"] == {"input": {}, "train": {"factor": 10}}
    assert (second.history / "assets/input/asset_input.py").is_file()


SCALER = {
    "input": "Path(self.asset.get_model_path(), 'scaler').write_text('2')\n"
    "Path(self.asset.get_output_path(), 'rows.csv').write_text('1')\n"
    "self.asset.save_summary('input', 0.5)",
    "train": "scaler = Path(self.asset.get_model_path()).parent / 'input/scaler'\n"
    "Path(self.asset.get_model_path(), self.args['name']).write_text(scaler.read_text())\n"
    "self.asset.save_summary('train', 1)",
}


def test_a_run_that_continues_another_has_the_files_of_the_steps_that_did_not_run_again(
    make_solution: MakeSolution,
) -> None:
    home = make_solution(SCALER, args={"train": {"name": "a"}})
    pipeline = alo.Project(home, listener=lambda event: None).train.run()
    pipeline.save()

    pipeline["train"].args["name"] = "b"
    outcome = pipeline.run("train").save()

    models = home / "train_artifacts/models"
    assert (models / "input/scaler").read_text() == "2"
    assert [path.name for path in (models / "train").iterdir()] == ["b"]  # not a, of the run before
    assert (outcome.history / "output/rows.csv").is_file()
    assert outcome.summary is not None
    assert outcome.summary["result"] == "train"


def test_a_run_continues_another_from_history_where_a_third_has_replaced_its_files(
    make_solution: MakeSolution,
) -> None:
    home = make_solution(SCALER, args={"train": {"name": "a"}})
    pipeline = alo.Project(home, listener=lambda event: None).train.run()
    pipeline.save()
    plan = home / "solution/experimental_plan.yaml"
    make_solution(
        {**SCALER, "input": SCALER["input"].replace("'2'", "'3'")}, args={"train": {"name": "c"}}
    )
    alo.Project(home, listener=lambda event: None).run("train")
    assert plan.is_file()

    pipeline.run("train").save()

    models = home / "train_artifacts/models"
    assert (models / "input/scaler").read_text() == "2"
    assert (models / "train/a").read_text() == "2"


def test_links_of_steps_that_do_not_run_again_come_back_from_history_as_links(
    make_solution: MakeSolution,
) -> None:
    link = "Path(self.asset.get_output_path(), 'link.csv').symlink_to('rows.csv')\n"
    steps = {**SCALER, "input": f"{SCALER['input']}\n{link}"}
    home = make_solution(steps, args={"train": {"name": "a"}})
    pipeline = alo.Project(home, listener=lambda event: None).train.run()
    pipeline.save()
    make_solution({**SCALER}, args={"train": {"name": "c"}})
    alo.Project(home, listener=lambda event: None).run("train")

    pipeline.run("train").save()

    assert os.readlink(home / "train_artifacts/output/link.csv") == "rows.csv"


def test_shared_code_that_changed_before_a_run_continues_another_is_warned_of(
    make_solution: MakeSolution,
) -> None:
    heard: list[Event] = []
    steps = {**SCALER, "input": f"import shop\n{SCALER['input']}"}
    home = make_solution(steps, args={"train": {"name": "a"}})
    (home / "shop.py").write_text("price = 1\n")
    pipeline = alo.Project(home, listener=heard.append).train.run()
    pipeline.save()
    (home / "shop.py").write_text("price = 2\n")
    heard.clear()

    pipeline.run("train").save()

    (text,) = [each.text for each in heard if isinstance(each, LogLine) and each.level == "WARNING"]
    assert text.startswith("shop.py changed after it was used by input: ")


def test_a_run_whose_files_are_gone_everywhere_is_not_continued(
    make_solution: MakeSolution,
) -> None:
    home = make_solution(SCALER, args={"train": {"name": "a"}})
    pipeline = alo.Project(home, listener=lambda event: None).train.run()
    entry = pipeline.save().history
    (home / "train_artifacts/models/input/scaler").unlink()
    (entry / "models/input/scaler").unlink()

    with pytest.raises(UsageError, match="are not there any more"):
        pipeline.run("train")


def test_a_step_that_runs_again_finds_the_files_as_they_were_before_it(
    make_solution: MakeSolution,
) -> None:
    home = make_solution(SCALER, args={"train": {"name": "a"}})
    pipeline = alo.Project(home, listener=lambda event: None).train.run()

    pipeline["train"].args["name"] = "b"
    pipeline.run("train").save()

    assert [path.name for path in (home / "train_artifacts/models/train").iterdir()] == ["b"]


def test_what_a_failed_try_of_a_step_wrote_is_gone_and_what_its_user_wrote_is_not(
    make_solution: MakeSolution,
) -> None:
    fails = "Path(self.asset.get_model_path(), 'a').touch()\n1/0"
    home = make_solution({"input": "", "train": fails})
    pipeline = alo.Project(home, listener=lambda event: None).train.run(until="input")
    report = home / "train_artifacts/report"
    report.mkdir()
    (report / "figure.png").write_text("drawn in a cell")

    with pytest.raises(StepError):
        pipeline.run("train")
    asset = home / "assets/train/asset_train.py"
    asset.write_text(asset.read_text().replace("'a').touch()", "'b').touch()").replace("1/0", ""))
    outcome = pipeline.run("train").save()

    assert [path.name for path in (outcome.history / "models/train").iterdir()] == ["b"]
    assert (outcome.history / "report/figure.png").is_file()


def test_a_step_that_may_have_read_what_its_user_wrote_stands_for_no_later_run(
    make_solution: MakeSolution,
) -> None:
    steps = {"one": "self.data['x'] = 1", "two": "self.data['y'] = 2"}
    home = make_solution(steps, control={"cache": True})
    project = alo.Project(home, listener=lambda event: None)
    pipeline = project.train.run("one")
    (home / "train_artifacts/output").mkdir()
    (home / "train_artifacts/output/by_hand.csv").write_text("1")
    pipeline.run("two").save()

    (after,) = project.run("train")
    (again,) = project.run("train")

    assert [step.status for step in after.steps] == ["cached", "success"]
    assert [step.status for step in again.steps] == ["cached", "cached"]


def test_a_summary_of_a_step_before_is_back_when_a_later_step_runs_again(
    make_solution: MakeSolution,
) -> None:
    home = make_solution(SCALER, args={"train": {"name": "a"}})
    pipeline = alo.Project(home, listener=lambda event: None).train.run()
    asset = home / "assets/train/asset_train.py"
    asset.write_text(asset.read_text().replace("self.asset.save_summary('train', 1)", "pass"))

    outcome = pipeline.run("train").save()

    assert outcome.summary is not None
    assert outcome.summary["result"] == "input"
    assert 'result: "input"' in (home / "train_artifacts/score/train_summary.yaml").read_text()


def test_it_is_said_where_a_later_step_has_changed_what_one_before_it_wrote(
    make_solution: MakeSolution, heard: Any
) -> None:
    home = make_solution(
        {
            "input": "Path(self.asset.get_output_path(), 'log.csv').write_text('1')",
            "train": "Path(self.asset.get_output_path(), 'log.csv').write_text('1,2')",
        }
    )
    pipeline = alo.Project(home, listener=heard).train.run()

    pipeline.run("train").close()

    warnings = [line.text for line in heard.of(LogLine) if line.level == "WARNING"]
    assert any(
        "what earlier steps wrote has been changed since: output/log.csv" in text
        for text in warnings
    )


def test_a_run_is_not_continued_on_other_data(make_solution: MakeSolution, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "a.csv").write_text("1")
    home = make_solution(
        {"input": "self.data['n'] = 1", "train": ""},
        external={"load_train_data_path": str(data)},
    )
    pipeline = alo.Project(home, listener=lambda event: None).train.run()
    pipeline.save()
    (data / "a.csv").write_text("22")

    with pytest.raises(AloError, match="the input data is not that of run"):
        pipeline.run("train")

    assert_free(home)
    pipeline.run().save()


def test_a_run_is_not_continued_where_a_step_had_changed_its_input_data(
    make_solution: MakeSolution, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.csv").write_text("1")
    home = make_solution(
        {"input": "Path(self.asset.get_input_path(), 'data/b.csv').write_text('1')", "train": ""},
        external={"load_train_data_path": str(tmp_path / "data")},
    )
    pipeline = alo.Project(home, listener=lambda event: None).train.run()
    pipeline.save()

    with pytest.raises(UsageError, match="changed the input data"):
        pipeline.run("train")

    assert_free(home)


def test_a_run_is_not_continued_once_it_has_left_history(project: alo.Project, home: Path) -> None:
    pipeline = project.train.run()
    rmtree(pipeline.save().history)

    with pytest.raises(UsageError, match="not in history any more"):
        pipeline.run("train")

    assert_free(home)


def test_a_run_that_continues_another_is_given_up_without_harm_to_it(
    project: alo.Project, model: Model
) -> None:
    pipeline = project.train.run()
    pipeline.save()
    pipeline["train"].args["factor"] = 10
    pipeline.run("train")

    pipeline.close()

    assert model() == "6"
    assert pipeline["train"].data["sum"] == 6
    pipeline.run("train").save()  # from the saved run again
    assert model() == "60"


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
