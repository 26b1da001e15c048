"""Plans of ALO 2.x are understood, and those of ALO 3 are recognised."""

from __future__ import annotations

from collections.abc import Callable

from alo.plan.model import Plan

LoadText = Callable[[str | bytes], Plan]
Told = Callable[[str | bytes], list[str]]


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


def test_a_plan_of_alo_3_is_recognised(reported: Told) -> None:
    assert reported("name: x\nsolution:\n  pip: true\n  function: {train: {def: a.b}}\n") == [
        "2:1  solution  a plan of ALO 3 ('solution' with 'function'), which this ALO does not run: "
        "docs/reference/plan.md has its keys, and `alo init NAME` makes a project with a plan"
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
