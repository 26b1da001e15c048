"""A step in a notebook: its args, and what it saved."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import alo
from alo.errors import UsageError

MakeSolution = Callable[..., Path]


Model = Callable[[], str]


def test_running_up_to_a_step_gives_what_it_saved_as_real_objects(project: alo.Project) -> None:
    with project.train as pipeline:
        pipeline.run(until="input")

        assert pipeline["input"].data == {"rows": [1, 2, 3]}
        assert pipeline["input"].config["unit"] == "mm"
        assert not pipeline["train"].has_run
        with pytest.raises(UsageError, match="has not run yet"):
            _ = pipeline["train"].data


def test_in_file_mode_what_a_step_saved_is_read_from_the_store(make_home: MakeSolution) -> None:
    home = make_home(control={"interface_mode": "file"})
    pipeline = alo.Project(home, listener=lambda event: None).train

    pipeline.run(until="input")
    pipeline["input"].data["rows"].append(4)  # type: ignore[attr-defined]
    pipeline.run("train").save()

    assert pipeline["train"].data["sum"] == 6  # each reader has objects of its own


def test_an_edited_arg_takes_effect_the_next_time_the_step_runs(
    project: alo.Project, home: Path, model: Model
) -> None:
    pipeline = project.train.run()
    assert pipeline["train"].data["sum"] == 6

    pipeline["train"].args["factor"] = 10
    pipeline.run("train")
    outcome = pipeline.save()

    assert model() == "60"
    record = json.loads((outcome.history / "log/experimental_history.json").read_text())
    assert record["args"]["train"] == {"factor": 10}
    assert record["overrides"] == ["train_pipeline.train.factor: 1 -> 10"]


def test_a_name_that_no_step_has_is_reported_with_the_nearest(project: alo.Project) -> None:
    with pytest.raises(UsageError, match=r"(?s)no step 'trian'.*did you mean 'train'\?.*it has"):
        project.train.run(["input", "trian"])
