"""The plan that a notebook has read, and its changes on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import alo
from alo.engine.workspace.lock import hold_workspace
from alo.errors import AloError
from alo.events.types import LogLine
from alo.layout import Workspace

MakeSolution = Callable[..., Path]


Model = Callable[[], str]


def test_an_inference_is_not_continued_with_another_model(
    make_solution: MakeSolution,
) -> None:
    home = make_solution(
        {"train": "Path(self.asset.get_model_path(), 'm').write_text('1')"},
        {
            "prepare": "",
            "inference": "self.asset.save_summary('x', 1)\n"
            "Path(self.asset.get_output_path(), 'a.csv').write_text('1')",
        },
    )
    project = alo.Project(home, listener=lambda event: None)
    project.run("train")
    pipeline = project.inference.run()
    pipeline.save()
    project.run("train")

    with pytest.raises(AloError, match="the model is not that of run"):
        pipeline.run("inference")

    assert_free(home)


def test_a_plan_that_changes_meanwhile_is_said_to_and_taken_by_the_next_run_of_the_project(
    home: Path, heard: Any, model: Model
) -> None:
    project = alo.Project(home, listener=heard)
    pipeline = project.train
    plan = home / "solution/experimental_plan.yaml"
    plan.write_text(plan.read_text().replace('"factor": 1', '"factor": 7'))

    pipeline.run().save()

    assert model() == "6"
    assert any("plan has changed since" in line.text for line in heard.of(LogLine))
    project.run("train")
    assert model() == "42"
    assert project.pipeline("train")["train"].args == {"factor": 7}


def test_warnings_of_the_check_are_reported_once(home: Path, heard: Any) -> None:
    with alo.Project(home, listener=heard).train as pipeline:
        pipeline["train"].args["facotr"] = 2
        pipeline.run()

    warnings = [line.text for line in heard.of(LogLine) if line.level == "WARNING"]
    assert len([text for text in warnings if "did you mean 'factor'" in text]) == 1
    assert len([text for text in warnings if "what is in input/train/ is used" in text]) == 1


def assert_free(home: Path) -> None:
    """No one has the workspace, and nothing unfinished is in it."""
    with hold_workspace(Workspace(home), wait=False, listener=lambda event: None, what="test"):
        assert not (home / ".unfinished_run").exists()
