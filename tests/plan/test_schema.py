"""The JSON Schema: what editors accept is what ``load_plan`` accepts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from alo.plan.keys.plan import every_key
from alo.plan.schema import plan_schema

ROOT = Path(__file__).parents[2]
PLANS = [
    *sorted(ROOT.glob("examples/*/solution/experimental_plan.yaml")),
    *sorted(ROOT.glob("src/alo/templates/*/solution/experimental_plan.yaml")),
]


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    return Draft202012Validator(plan_schema())


def keys_told(validator: Draft202012Validator, text: str) -> list[str]:
    """The keys that a plan's text is wrong at."""
    errors = validator.iter_errors(yaml.safe_load(text))
    return sorted({".".join(map(str, error.absolute_path)) for error in errors})


def test_the_schema_is_a_json_schema() -> None:
    schema = plan_schema()

    Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.parts[-3])
def test_our_own_plans_are_accepted(validator: Draft202012Validator, path: Path) -> None:
    assert keys_told(validator, path.read_text("utf-8")) == []


ACCEPTED = {
    "lists": """
        name: 1
        version: 1.0
        external_path:
          - load_train_data_path:
          - load_inference_data_path: [a, b]
          - load_s3_key_path: x
        external_path_permission: [{aws_key_profile: }]
        user_parameters:
          - train_pipeline:
            - step: 학습
              args:
                - n: 1
                -
              ui_args: n
              timeout: 1.5
              retries: 0
              cache: no
              isolation:
          - inference_pipeline:
        asset_source:
          - train_pipeline:
            - step: 학습
              source:
                - code: git@host:group/asset.git
                - requirements: [pandas]
        control: [{backup_log: on}, {reset_assets: False}, {backup_size: 10}]
        ui_args_detail:
          - train_pipeline:
            - step: 학습
              args:
                - {name: n, type: int, range: [1, 2], default: 1, selected: 1}
        """,
    "mappings": """
        external_path: {load_train_data_path: a}
        external_path_permission:
        user_parameters:
          train_pipeline: [{step: 2, args: {n: [1]}}]
        asset_source: {train_pipeline: [{step: 2, source: }]}
        control: {interface_mode: file, check_resource: "yes"}
        """,
}


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_both_forms_are_accepted(validator: Draft202012Validator, text: str) -> None:
    assert keys_told(validator, text) == []


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("nme: x", ""),
        ("name: [x]", "name"),
        ("control: {backup_sise: 1}", "control"),
        ("control: [{backup_sise: 1}]", "control.0"),
        ("control: {interface_mode: memry}", "control.interface_mode"),
        ("control: [{backup_log: perhaps}]", "control.0.backup_log"),
        ("control: {backup_size: -1}", "control.backup_size"),
        (
            "external_path: {save_train_artifacts_path: [a]}",
            "external_path.save_train_artifacts_path",
        ),
        ("user_parameters: {train_pipeline: {step: a}}", "user_parameters.train_pipeline"),
        ("user_parameters: {train_pipeline: [{args: }]}", "user_parameters.train_pipeline.0"),
        (
            "user_parameters: [{train_pipeline: [{step: a/b}]}]",
            "user_parameters.0.train_pipeline.0.step",
        ),
        (
            "user_parameters: {train_pipeline: [{step: a, timeout: 0}]}",
            "user_parameters.train_pipeline.0.timeout",
        ),
        (
            "user_parameters: {train_pipeline: [{step: a, args: 5}]}",
            "user_parameters.train_pipeline.0.args",
        ),
        (
            "asset_source: {train_pipeline: [{step: a, source: {code: example.com}}]}",
            "asset_source.train_pipeline.0.source.code",
        ),
        (
            "ui_args_detail: {train_pipeline: [{step: a, args: [{name: x, type: itn}]}]}",
            "ui_args_detail.train_pipeline.0.args.0.type",
        ),
    ],
)
def test_a_mistake_is_reported_at_its_key(
    validator: Draft202012Validator, text: str, key: str
) -> None:
    assert keys_told(validator, text) == [key]


def test_every_key_has_a_description() -> None:
    text = json.dumps(plan_schema())

    assert [key for key in every_key() if f'"{key}": {{"description": ' not in text] == []


def test_editors_can_offer_choices_and_defaults() -> None:
    control = plan_schema()["properties"]["control"]["properties"]

    assert control["get_asset_source"]["enum"] == ["once", "every", None]
    assert control["backup_size"]["default"] == 1000
    assert control["process_log"]["deprecated"] is True
