"""A plan's file as a whole, and what it becomes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from alo.errors import PlanError
from alo.plan.load import load_plan, parse_plan
from alo.plan.model import Control, ExternalPaths, Plan, Resources, Source, UiArg

LoadText = Callable[[str | bytes], Plan]
Meaning = Callable[[Plan], Plan]
Told = Callable[[str | bytes], list[str]]

ONE_STEP = b"user_parameters:\n  - train_pipeline:\n    - step: a\n      args:\n"

LIST_FORM = """\
name: breast-cancer
version: 1.0.0
external_path:
  - load_train_data_path: ./sample_data/train/
  - load_inference_data_path: [./a/, ./b/]
  - save_train_artifacts_path:
  - save_inference_artifacts_path: ./out/
  - load_model_path:
external_path_permission:
  - aws_key_profile: me
user_parameters:
  - train_pipeline:
    - step: input
      args:
        - x_columns: [a, b]
      ui_args: [x_columns]
    - step: train
      args:
        - n_estimators: 100
        - depth: None
      cache: False
      isolation: process
      environment: isolated
      timeout: 60
      retries: 2
      resources: {cpu: 2, gpu: 1, memory: 1.5GB}
  - inference_pipeline:
    - step: input
      args:
    - step: inference
      args:
asset_source:
  - train_pipeline:
    - step: train
      source:
        code: https://example.com/train.git
        branch: v1
        path: sub/folder
        requirements: [pandas==2.2.3, requirements.txt]
    - step: input
      source:
control:
  - get_asset_source: every
  - backup_artifacts: no
  - backup_log: on
  - backup_size: 10.5
  - interface_mode: file
  - save_inference_format: zip
  - check_resource: True
ui_args_detail:
  - train_pipeline:
    - step: input
      args:
        - name: x_columns
          description: what to learn from
          type: multi_selection
          selectable: [a, b, c]
          selected: all
"""

MAPPING_FORM = """\
name: breast-cancer
version: 1.0.0
external_path:
  load_train_data_path: [./sample_data/train/]
  load_inference_data_path: [./a/, ./b/]
  save_inference_artifacts_path: ./out/
external_path_permission: {aws_key_profile: me}
user_parameters:
  train_pipeline:
    - {step: input, args: {x_columns: [a, b]}, ui_args: x_columns}
    - step: train
      args:
        n_estimators: 100
        depth: None
      cache: False
      isolation: process
      environment: isolated
      timeout: 60
      retries: 2
      resources: {cpu: 2, gpu: 1, memory: 1.5GB}
  inference_pipeline:
    - step: input
    - step: inference
      args: {}
asset_source:
  train_pipeline:
    - step: train
      source:
        - code: https://example.com/train.git
        - branch: v1
        - path: sub/folder
        - requirements: [pandas==2.2.3, requirements.txt]
    - step: input
control:
  get_asset_source: every
  backup_artifacts: false
  backup_log: true
  backup_size: 10.5
  interface_mode: file
  save_inference_format: zip
  check_resource: True
ui_args_detail:
  train_pipeline:
    - step: input
      args:
        - name: x_columns
          description: what to learn from
          type: multi_selection
          selectable: [a, b, c]
"""


def test_every_key_reaches_the_plan(load: LoadText) -> None:
    plan = load(LIST_FORM)

    assert (plan.name, plan.version, plan.aws_key_profile) == ("breast-cancer", "1.0.0", "me")
    assert plan.external == ExternalPaths(("./sample_data/train/",), ("./a/", "./b/"), "", "./out/")
    assert plan.control == Control("every", False, True, 10.5, "file", "zip", True)
    assert plan.train is not None
    train, first = plan.train.steps
    assert (train.name, first.name) == ("train", "input")
    assert train.args == {"n_estimators": 100, "depth": "None"}
    assert train.source == Source(
        "https://example.com/train.git", "v1", "sub/folder", ("pandas==2.2.3", "requirements.txt")
    )
    options = (train.cache, train.isolation, train.environment, train.timeout_s, train.retries)
    assert options == (False, "process", "isolated", 60, 2)
    assert train.resources == Resources(2, 1, 1_500_000_000)
    assert plan.train.resources == train.resources
    assert (first.args, first.ui_args, first.line) == (
        {"x_columns": ["a", "b"]},
        ("x_columns",),
        13,
    )
    detail = UiArg("x_columns", "multi_selection", "what to learn from", None, ("a", "b", "c"))
    assert plan.ui_args_detail == {"train": {"input": (detail,)}}
    assert plan.warnings == ()


def test_both_forms_say_the_same_plan(load: LoadText, meaning: Meaning) -> None:
    assert meaning(load(LIST_FORM)) == meaning(load(MAPPING_FORM))


@pytest.mark.parametrize("flow_style", [True, False, None])
@pytest.mark.parametrize("sort_keys", [True, False])
def test_a_plan_that_a_yaml_library_wrote_anew_says_the_same(
    load: LoadText, flow_style: bool | None, sort_keys: bool, meaning: Meaning
) -> None:
    again = yaml.safe_dump(
        yaml.safe_load(LIST_FORM), default_flow_style=flow_style, sort_keys=sort_keys
    )

    assert meaning(load(again)) == meaning(load(LIST_FORM))


def test_a_client_may_turn_a_one_item_list_of_args_into_a_mapping(load: LoadText) -> None:
    document = yaml.safe_load(LIST_FORM)
    step = document["user_parameters"][1]["inference_pipeline"][1]
    step["args"] = {"threshold": 0.5}

    plan = load(yaml.safe_dump(document))

    assert plan.inference is not None
    assert plan.inference.steps[1].args == {"threshold": 0.5}


@pytest.mark.parametrize(
    ("source", "order"),
    [
        ("", ["b", "a"]),
        ("asset_source:\n", ["b", "a"]),
        ("asset_source:\n  - train_pipeline:\n", ["b", "a"]),
        ("asset_source:\n  train_pipeline: [{step: a}, {step: b, source: }]\n", ["a", "b"]),
    ],
)
def test_steps_run_in_the_order_of_asset_source_or_else_of_user_parameters(
    load: LoadText, source: str, order: list[str]
) -> None:
    plan = load("user_parameters:\n  train_pipeline: [{step: b}, {step: a}]\n" + source)

    assert plan.train is not None
    assert [step.name for step in plan.train.steps] == order
    assert all(step.source == Source() for step in plan.train.steps)


def test_a_plan_with_one_pipeline_has_defaults_for_the_rest(load: LoadText) -> None:
    plan = load("user_parameters: [{inference_pipeline: [{step: inference}]}]")

    assert (plan.name, plan.version) == ("project", "")
    assert plan.train is None
    assert plan.pipelines == (plan.inference,)
    assert (plan.control, plan.external) == (Control(), ExternalPaths())


def test_numbers_and_dates_count_as_text_where_text_is_wanted(load: LoadText) -> None:
    plan = load(
        """\
        name: 007
        version: 1.10
        external_path: {load_train_data_path: 2024-05-05}
        user_parameters: {train_pipeline: [{step: 1}]}
        """
    )

    assert (plan.name, plan.version) == ("007", "1.10")
    assert plan.external.load_train_data_path == ("2024-05-05",)
    assert plan.train is not None
    assert plan.train.steps[0].name == "1"


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + ONE_STEP,
        ONE_STEP.replace(b"\n", b"\r\n"),
        ONE_STEP.decode().encode("utf-16"),
        b"---\n" + ONE_STEP + b"...\n",
        b"%YAML 1.1\n---\n" + ONE_STEP,
    ],
    ids=["BOM", "CRLF", "UTF-16", "marks", "directive"],
)
def test_what_editors_add_to_a_file_changes_nothing(
    load: LoadText, text: bytes, meaning: Meaning
) -> None:
    assert meaning(load(text)) == meaning(load(ONE_STEP))


def test_the_columns_after_a_byte_order_mark_are_those_of_the_editor(reported: Told) -> None:
    assert reported("\ufeffnames: x\nuser_parameters: {train_pipeline: [{step: a}]}")[0].startswith(
        "1:1 "
    )


def test_a_plan_is_named_as_seen_from_the_project(tmp_path: Path) -> None:
    inside, outside = tmp_path / "home" / "solution" / "plan.yaml", tmp_path / "plan.yaml"
    shown = []
    for path in (inside, outside):
        with pytest.raises(PlanError) as caught:
            parse_plan(b"nme: x", path=path, home=tmp_path / "home")
        shown.append(caught.value.problems[0].file)

    assert shown == ["solution/plan.yaml", str(outside)]


def test_a_plan_knows_the_places_of_its_keys(load: LoadText) -> None:
    plan = load(LIST_FORM)

    problem = plan.problem("external_path.load_train_data_path", "is not there")

    place = "experimental_plan.yaml:4:27  external_path.load_train_data_path"
    assert str(problem) == f"{place}  is not there"


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(ONE_STEP)

    plan = load_plan(path, home=tmp_path)

    assert (plan.path, plan.text) == (path, ONE_STEP)
