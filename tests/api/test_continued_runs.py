"""A run that continues another: one step runs again on what the steps before had saved."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest

import alo
from alo.errors import AloError, StepError, UsageError
from alo.events.types import Event, LogLine

from .test_session_view import assert_free

MakeSolution = Callable[..., Path]
Model = Callable[[], str]


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
