"""An option of the Python API refuses what it cannot be, and says what it can."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import alo
from alo.errors import UsageError

CALLS: dict[str, tuple[Callable[[alo.Project, Any], object], str]] = {
    "environment": (lambda project, home: alo.Project(home, environment="moon"), "here, current"),
    "environment of alo run": (
        lambda project, home: alo.Project(home, environment="project"),
        "here, current",
    ),
    "listener": (lambda project, home: alo.Project(home, listener="print"), "function"),
    "home": (lambda project, home: alo.Project(3), "home is 3"),
    "config": (lambda project, home: alo.Project(home, config=3), "config is 3"),
    "system": (lambda project, home: alo.Project(home, system={"a": 1}), "system is"),
    "mode": (lambda project, home: project.run("moon"), "train, inference, all"),
    "mode, mistyped": (lambda project, home: project.run("trian"), "did you mean 'train'"),
    "mode, none": (lambda project, home: project.run(None), "train, inference, all"),
    "kind": (lambda project, home: project.pipeline("moon"), "train, inference"),
    "train_id": (lambda project, home: project.pipeline("inference", train_id=3), "train_id is 3"),
    "train_id of train": (
        lambda project, home: project.pipeline("train", train_id="2026"),
        "model of an inference",
    ),
    "history": (lambda project, home: project.history("moon"), "train, inference"),
    "parameter_steps": (lambda project, home: project.history(parameter_steps=3), "names"),
    "data_id": (lambda project, home: project.train.history(data_id=3), "data_id is 3"),
    "2.x mode": (lambda project, home: alo.ALO(mode="moon", project=home), "train, inference, all"),
    "2.x loop": (lambda project, home: alo.ALO(loop="no", project=home), "True or False"),
    "2.x computing": (lambda project, home: alo.ALO(computing="moon"), "local"),
    "2.x system": (lambda project, home: alo.ALO(system=3), "system is 3"),
    "2.x config": (lambda project, home: alo.ALO(config=3), "config is 3"),
    "2.x project": (lambda project, home: alo.ALO(project=3), "project is 3"),
    "2.x pipeline": (lambda project, home: alo.ALO(project=home).pipeline("moon"), "train"),
}


@pytest.mark.parametrize("option", CALLS)
def test_a_value_that_an_option_cannot_have_is_refused_with_what_it_can_be(
    project: alo.Project, home: Path, option: str
) -> None:
    call, reported = CALLS[option]

    with pytest.raises(UsageError, match=f"(?s){reported}"):
        call(project, home)


def test_a_pipeline_may_be_named_as_the_plan_does(project: alo.Project) -> None:
    assert project.pipeline("train_pipeline").kind == "train"
    assert len(project.run("train_pipeline")) == 1
    assert len(project.history("train_pipeline")) == 1


def test_one_step_of_a_history_may_be_named_without_a_list(project: alo.Project) -> None:
    project.run("train")

    table = project.history(parameter_steps="train")

    assert [name for name in table.columns if "." in name] == ["train.factor"]
