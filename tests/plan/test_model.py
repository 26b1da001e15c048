"""A plan as typed values: what is found in it by name, and where its problems are."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from alo.plan.model import ExternalPaths, PipelinePlan, Plan

PLAN = """
    name: t
    user_parameters:
      inference_pipeline:
        - step: a
        - step: b
    asset_source:
      inference_pipeline:
        - step: a
          source: {code: ../x, requirements: [pandas]}
        - step: b
          source: {code: local}
"""


@pytest.fixture
def plan(load: Callable[[str], Plan]) -> Plan:
    return load(PLAN)


def test_steps_and_pipelines_are_found_by_name(plan: Plan) -> None:
    pipeline = plan.pipeline("inference")

    assert pipeline is not None
    assert pipeline.name == "inference_pipeline"
    assert [step.name for step in pipeline.steps] == ["a", "b"]
    assert pipeline.step("b") == pipeline.steps[1]
    assert pipeline.step("c") is None
    assert plan.pipeline("train") is None
    assert plan.pipelines == (pipeline,)


def test_a_pipeline_takes_the_place_of_its_own_kind(plan: Plan) -> None:
    train, inference = PipelinePlan("train", ()), PipelinePlan("inference", ())

    changed = plan.with_pipeline(train).with_pipeline(inference)

    assert changed.pipelines == (train, inference)


def test_paths_are_those_of_their_pipeline() -> None:
    paths = ExternalPaths(("t",), ("i",), "st", "si")

    assert [paths.load_data(kind) for kind in ("train", "inference")] == [("t",), ("i",)]
    assert [paths.save_artifacts(kind) for kind in ("train", "inference")] == ["st", "si"]


def test_a_problem_has_the_line_of_its_key_or_none(plan: Plan) -> None:
    assert plan.problem("name", "x").line == 2
    elsewhere = plan.problem("external_path.load_model_path", "x")
    assert (elsewhere.line, elsewhere.key) == (0, "external_path.load_model_path")


def test_a_problem_of_a_source_has_the_nearest_place_that_the_plan_says(plan: Plan) -> None:
    assert plan.inference is not None
    first, second = plan.inference.steps

    reported = [plan.source_problem(first, "x", name) for name in ("requirements[0]", "path")]

    assert [each.key.rpartition(".")[2] for each in reported] == ["requirements[0]", "code"]
    assert {each.line for each in reported} == {10}
    assert reported[0].what == "step 'a': x"
    without = plan.source_problem(second._replace(source_key=""), "x")
    assert (without.key, without.line) == ("step b", 6)
