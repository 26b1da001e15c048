"""A plan's file as a whole: what it becomes, and which files are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from alo.errors import PlanError, Problem
from alo.plan.load import load_plan, parse_plan
from alo.plan.model import Control, ExternalPaths, Plan, Source, UiArg

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


def test_old_keys_are_ignored_with_what_replaced_them(load: LoadText) -> None:
    plan = load(
        """\
        external_path:
          - load_s3_key_path: ./key
        external_path_permission:
          - s3_private_key_file: ./key
        user_parameters: {train_pipeline: [{step: a}]}
        control:
          - get_external_data: once
          - check_asset_source: once
          - reset_assets: False
          - process_log: True
        """
    )

    lines = [str(warning) for warning in plan.warnings]
    assert [line.split("  ")[:2] for line in lines] == [
        ["experimental_plan.yaml:2:5", "external_path.load_s3_key_path"],
        ["experimental_plan.yaml:4:5", "external_path_permission.s3_private_key_file"],
        ["experimental_plan.yaml:7:5", "control.get_external_data"],
        ["experimental_plan.yaml:8:5", "control.check_asset_source"],
        ["experimental_plan.yaml:9:5", "control.reset_assets"],
        ["experimental_plan.yaml:10:5", "control.process_log"],
    ]
    assert all("older ALO versions" in line for line in lines)
    assert "aws_key_profile" in lines[0]
    assert "get_asset_source" in lines[3]


def test_a_plan_of_alo_3_is_recognised(told: Told) -> None:
    assert told("name: x\nsolution:\n  pip: true\n  function: {train: {def: a.b}}\n") == [
        "2:1  solution  a plan of ALO 3 ('solution' with 'function'), which this ALO does not run: "
        "docs/reference/plan.md has its keys, and `alo init NAME` makes a project with a plan"
    ]


def test_solution_metadata_is_no_plan(told: Told) -> None:
    assert told("metadata_version: 1\nname: x\npipeline: [{type: train}]\n") == [
        "1:1  metadata_version  solution metadata, and no plan: give it to --system, next to the "
        "plan"
    ]


def test_a_plan_has_what_public_plans_of_2x_have(load: LoadText) -> None:
    """Oddities that the plans of ALO 2.x come with, all in one; none of them is an error."""
    plan = load(
        """\
        name : Some Vision
        external_path:
            - load_train_data_path: ./solution/sample_data/train/
            - load_inference_data_path:
            - load_model_path:

        version: develop
        external_path_permission:
            - s3_private_key_file:

        user_parameters:
            - train_pipeline:
                - step: input  ## needed
                  args:
                    - x_columns: [a,b]
                      y_column: #"label"
                      range: {
                        lgb: {depth:[5, 9], trees:[300, 500]},
                      } # min, max
                      ratio: 1.
                      counts: {1: 1, 0: 25}
                      shape: [28, 28, 1]
                      when: 2022-08-22
                      threshold: None
                  ui_args:
                    - x_columns
                      y_column
                - step: train
                  args:
                  ui_args:
            - inference_pipeline:
              - step: input
                args:
                  - none:
        asset_source:
            - train_pipeline:
                - step: input
                  source:  ## git, local
                    code: http://git.example.com/group/input.git
                    branch: vision_3.2
                    requirements:
                      - pandas==1.5.3
                      - numpy==1.25.2 --force-reinstall
                      - torch==2.1.2 --index-url https://index.example.com/whl/cu118
                - step: train
                  source:
                    code: local
                    branch:
                    requirements:
            - inference_pipeline:
                - step: input
                  source:
                    code: local # git, local
                    branch: vision_3.2
                    requirements:
        control:
            - get_asset_source: every # (str), once(default) | every
            - get_external_data: once ## once, every
            - backup_size: 1000
        ui_args_detail:
            - train_pipeline:
                - step: input
                  args:
                      - name: x_columns
                        description: columns, separated by ','. ex) a, b
                        type: string
                        default: ''
                        range:
                          - 1
                          - 1000000
                      - name: drop_columns
                        type: multi_selection
                        selected:
                          - a
                          - b
                        default:
                          - a
                      - name: model
                        type: single_selection
                        default: 'label'
                        selectable:
                          - True
                          - False
                        default:
                          - False
                - step: readiness
                  args:
                      - name: cores
                        type: int
                        default:
                          - 3
            - inference_pipeline:
        """
    )

    assert plan.train is not None
    assert plan.train.steps[0].args["range"] == {"lgb": {"depth": [5, 9], "trees": [300, 500]}}
    assert plan.train.steps[0].args["threshold"] == "None"
    assert plan.ui_args_detail["train"]["input"][2].default == [False]
    assert [warning.key.split(".")[0] for warning in plan.warnings] == [
        "external_path_permission",
        "user_parameters",
        "asset_source",
        "asset_source",
        "control",
        "ui_args_detail",
        "ui_args_detail",
        "ui_args_detail",
        "ui_args_detail",
    ]


def test_every_problem_is_reported_at_once_in_the_order_of_lines(told: Told) -> None:
    lines = told(
        """\
        control: {backup_size: much}
        versoin: 1
        user_parameters:
          train_pipeline:
            - step: a b
              args: {x: 1, x: 2}
              timeout: 0
        """
    )

    assert [line.split("  ")[0] for line in lines] == ["1:24", "2:1", "5:13", "6:20", "7:16"]


def test_the_first_fifty_problems_are_shown_and_the_rest_counted(load: LoadText) -> None:
    with pytest.raises(PlanError) as caught:
        load("".join(f"key{n}: 1\n" for n in range(60)))

    assert len(caught.value.problems) == 60
    assert str(caught.value).endswith("\n... and 10 more problems")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"", "the plan is empty"),
        (b"# nothing yet\n", "the plan is empty"),
        (b"- a\n- b\n", "1:1  expected a plan, which is a mapping of keys, found a list"),
        (b"hello\n", "1:1  expected a plan, which is a mapping of keys, found the text 'hello'"),
        (b"{}\n", "1:1  no pipeline: list the steps of train_pipeline, of inference_pipeline"),
        (b"user_parameters:\n", "1:17  user_parameters  no pipeline"),
        (b"user_parameters:\n  - train_pipeline:\n", "2:3  user_parameters  no pipeline"),
    ],
)
def test_a_file_that_says_no_plan_is_refused(told: Told, text: bytes, what: str) -> None:
    assert what in told(text)[0]


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


def test_the_columns_after_a_byte_order_mark_are_those_of_the_editor(told: Told) -> None:
    assert told("\ufeffnames: x\nuser_parameters: {train_pipeline: [{step: a}]}")[0].startswith(
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


def test_a_plan_that_is_not_there_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PlanError) as caught:
        load_plan(tmp_path / "plan.yaml", home=tmp_path)

    assert "plan.yaml  there is no plan here" in str(caught.value)
    assert "alo init" in str(caught.value)


def test_a_folder_is_no_plan(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="a folder, not a plan"):
        load_plan(tmp_path, home=tmp_path)


def test_a_plan_without_permission_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)  # root, who runs many a CI, may read every file

    with pytest.raises(PlanError, match="cannot be read: Permission denied"):
        load_plan(tmp_path / "plan.yaml", home=tmp_path)


def test_a_path_that_no_file_can_have_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="cannot be read"):
        load_plan(tmp_path / "a\0b", home=tmp_path)


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(ONE_STEP)

    plan = load_plan(path, home=tmp_path)

    assert (plan.path, plan.text) == (path, ONE_STEP)


WORDS = st.sampled_from(
    [
        *("name", "version", "external_path", "load_train_data_path", "user_parameters", "step"),
        *("train_pipeline", "inference_pipeline", "asset_source", "source", "code", "control"),
        *("args", "ui_args", "ui_args_detail", "type", "range", "backup_size", "timeout"),
        *(
            ": ",
            "- ",
            "\n",
            "\n  ",
            "\n    - ",
            "[",
            "]",
            "{",
            "}",
            ", ",
            "<<: ",
            "*a",
            "&a ",
            "\t",
        ),
        *("!!python/name:os.system ", "!!set ", "!!pairs ", "'", '"', "#", "|\n ", "2024-13-01"),
        *("True", "None", "~", "1", "-1.5", ".nan", "1:30", "\ud55c\uae00", "\ufeff", "\x00"),
    ]
)


def plan_or_problems(text: bytes) -> Plan | tuple[Problem, ...]:
    home = Path("project")
    try:
        return parse_plan(text, path=home / "plan.yaml", home=home)
    except PlanError as error:
        return error.problems


@given(st.binary(max_size=200) | st.lists(WORDS, max_size=60).map("".join).map(str.encode))
def test_any_bytes_are_a_plan_or_a_plan_error(text: bytes) -> None:
    assert plan_or_problems(text)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab:#'\"\n \u00e9", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("xyz"), inner, max_size=3),
    max_leaves=8,
)


@given(PLAIN)
def test_any_value_in_any_place_is_a_plan_or_a_plan_error(value: object) -> None:
    for outline in (
        {"user_parameters": value},
        {"user_parameters": {"train_pipeline": value}},
        {"user_parameters": {"train_pipeline": [value]}},
        {"user_parameters": {"train_pipeline": [{"step": value}]}, "ui_args_detail": value},
        {"user_parameters": {"train_pipeline": [{"step": "a", "args": value, "ui_args": value}]}},
        {"control": value, "external_path": value, "asset_source": {"train_pipeline": value}},
    ):
        assert plan_or_problems(yaml.safe_dump(outline).encode())


@given(args=st.dictionaries(st.text("abc_1", min_size=1, max_size=4), PLAIN, max_size=4))
def test_args_mean_the_same_in_both_forms(args: dict[str, object], meaning: Meaning) -> None:
    plans = []
    for form in (args, [{name: value} for name, value in args.items()]):
        outline = {"user_parameters": {"train_pipeline": [{"step": "a", "args": form}]}}
        plans.append(plan_or_problems(yaml.safe_dump(outline).encode()))

    one, other = plans
    assert isinstance(one, Plan)
    assert isinstance(other, Plan)
    assert meaning(one) == meaning(other)
    assert one.train is not None
    assert one.train.steps[0].args == args
