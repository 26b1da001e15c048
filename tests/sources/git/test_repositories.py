"""Which repositories a plan names, and what is said of a folder that two pipelines share."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from alo.layout import Workspace
from alo.plan.load import parse_plan
from alo.plan.model import Plan
from alo.sources.git.repositories import (
    changing_steps,
    git_steps,
    repositories,
    source_problems,
    source_warnings,
)

PLAN = """\
user_parameters:
  - train_pipeline: [{step: input}, {step: train}]
  - inference_pipeline: [{step: input}]
asset_source:
  - train_pipeline:
    - step: input
      source:
        code: {train}
    - step: train
  - inference_pipeline:
    - step: input
      source:
        code: {inference}
"""
URL = "https://x:secret@a/b.git"


def plan_of(train: str, inference: str, home: Path = Path("/project")) -> Plan:
    text = PLAN.replace("{train}", train).replace("{inference}", inference)
    return parse_plan(dedent(text).encode(), path=home / "plan.yaml", home=home)


@pytest.mark.parametrize(
    "branches", [("branch: v1", "branch: v2"), ("path: a", "path: b"), ("", "branch: v1")]
)
def test_a_run_of_both_is_reported_of_a_folder_that_changes_between_them(
    branches: tuple[str, str],
) -> None:
    train, inference = (f"{URL}\n        {more}" for more in branches)
    plan = plan_of(train, inference)

    (warning,) = source_warnings(plan, plan.pipelines)

    assert changing_steps(plan.pipelines) == ["input"]
    assert len(repositories(plan.pipelines)) == 2
    assert warning.key == "asset_source.inference_pipeline[0].source.code"
    assert warning.line == (plan.text.decode().splitlines().index(f"        code: {URL}", 9) + 1)
    assert "(line 8)" in warning.what
    assert "secret" not in warning.what
    assert [*source_warnings(plan, [plan.pipelines[0]])] == []
    assert [*source_warnings(plan, [plan.pipelines[1]])] == []


@pytest.mark.parametrize("codes", [(URL, "local"), ("local", URL)])
def test_one_repository_serves_both_pipelines(codes: tuple[str, str]) -> None:
    plan = plan_of(*codes)

    assert changing_steps(plan.pipelines) == []
    (step,) = git_steps([step for pipeline in plan.pipelines for step in pipeline.steps])
    assert not step.source.is_shared
    assert repositories(plan.pipelines) == [step]
    assert [*source_warnings(plan, plan.pipelines)] == []


def test_a_work_tree_is_no_problem_of_the_pipeline_that_uses_it_as_it_is(tmp_path: Path) -> None:
    plan = plan_of(URL, "local", tmp_path)
    (tmp_path / "assets/input/.git").mkdir(parents=True)
    workspace = Workspace(tmp_path)

    (problem,) = source_problems(workspace, plan, plan.pipelines)

    assert problem.key == "asset_source.train_pipeline[0].source.code"
    assert (problem.line, problem.column) == (8, 15)
    assert "step 'input': assets/input/ is a git work tree of yours" in problem.what
    assert [*source_problems(workspace, plan, [plan.pipelines[1]])] == []
