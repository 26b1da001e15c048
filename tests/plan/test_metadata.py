"""Solution metadata: how it is read, and what it changes in a plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.layout import KINDS
from alo.plan.metadata import apply_metadata, parse_metadata, read_metadata
from alo.plan.model import Plan

LoadText = Callable[[str | bytes], Plan]

PLAN = """\
external_path:
  - load_train_data_path: ./sample/train/
  - load_inference_data_path: ./sample/inference/
  - save_inference_artifacts_path: ./out/
  - load_model_path: ./model/
user_parameters:
  train_pipeline:
    - {step: input, args: }
    - {step: train, args: {n_estimators: 100, columns: [a]}}
  inference_pipeline:
    - {step: input, args: }
"""

WHOLE: dict[str, Any] = {
    "metadata_version": 1.2,
    "name": "sol",
    "description": {"unknown": "keys are ignored"},
    "pipeline": [
        {
            "type": "train",
            "dataset_uri": ["s3://bucket/a/", "s3://bucket/b/"],
            "artifact_uri": "s3://bucket/out/",
            "parameters": {
                "selected_user_parameters": [
                    {"step": "input", "args": {"columns": "x, y ,z"}},
                    {"step": "train", "args": [{"n_estimators": 5}, {"columns": ""}]},
                ]
            },
        },
        {"type": "inference", "dataset_uri": "/data/", "artifact_uri": "", "model_uri": "/m/"},
    ],
    "edgeapp_interface": {"redis_server_uri": "localhost:6379", "redis_db_number": 3},
    "edgeconductor_interface": {"inference_result_datatype": "table", "train_datatype": "image"},
}


def metadata_of(*pipelines: object) -> object:
    return {"pipeline": list(pipelines)}


def selecting(*selected: object) -> object:
    return metadata_of(
        {"type": "train", "parameters": {"selected_user_parameters": list(selected)}}
    )


def args(plan: Plan, kind: str, step: str) -> object:
    pipeline = plan.pipeline(kind)
    found = pipeline.step(step) if pipeline else None
    assert found is not None
    return found.args


def test_metadata_is_read_from_json_text() -> None:
    metadata = read_metadata(json.dumps(WHOLE))

    assert (metadata.version, metadata.name) == ("1.2", "sol")
    assert (metadata.redis_url, metadata.redis_db_number) == ("localhost:6379", 3)
    assert (metadata.inference_result_datatype, metadata.train_datatype) == ("table", "image")
    assert [pipeline.kind for pipeline in metadata.pipelines] == ["train", "inference"]


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_metadata_is_read_from_a_json_file(tmp_path: Path, indent: int | str | None) -> None:
    path = tmp_path / "metadata.json"
    path.write_text(json.dumps(WHOLE | {"name": "😀/"}, indent=indent).replace("/", "\\/"))

    assert read_metadata(str(path)).name == "😀/"


def test_metadata_is_read_from_a_yaml_file(tmp_path: Path) -> None:
    path = tmp_path / "metadata.yaml"
    path.write_text("metadata_version: 1\npipeline:\n  - type: train\n    dataset_uri: /d/\n")

    metadata = read_metadata(str(path))

    assert metadata.version == "1"
    assert metadata.pipelines[0].dataset_uri == ("/d/",)


def test_a_yaml_file_may_be_in_flow_style(tmp_path: Path) -> None:
    path = tmp_path / "metadata.yaml"
    path.write_text("{name: sol, pipeline: [{type: train}]}")

    assert read_metadata(str(path)).name == "sol"


def test_metadata_overrides_paths_and_args(load: LoadText) -> None:
    plan, changes = apply_metadata(load(PLAN), parse_metadata(WHOLE), KINDS)

    assert plan.external.load_train_data_path == ("s3://bucket/a/", "s3://bucket/b/")
    assert plan.external.save_train_artifacts_path == "s3://bucket/out/"
    assert plan.external.load_inference_data_path == ("/data/",)
    assert plan.external.save_inference_artifacts_path == ""
    assert plan.external.load_model_path == "/m/"
    assert args(plan, "train", "input") == {"columns": ["x", "y", "z"]}
    assert args(plan, "train", "train") == {"n_estimators": 5, "columns": ["a"]}
    assert args(plan, "inference", "input") == {}
    assert changes == (
        'external_path.load_train_data_path: ["./sample/train/"] -> '
        '["s3://bucket/a/", "s3://bucket/b/"]',
        'external_path.save_train_artifacts_path: empty -> "s3://bucket/out/"',
        'train_pipeline.input.columns: ["x", "y", "z"] (not in the plan)',
        "train_pipeline.train.n_estimators: 100 -> 5",
        'external_path.load_inference_data_path: ["./sample/inference/"] -> ["/data/"]',
        'external_path.save_inference_artifacts_path: "./out/" -> empty',
        'external_path.load_model_path: "./model/" -> "/m/"',
    )


def test_the_labels_column_is_taken_where_the_plan_names_none(load: LoadText) -> None:
    said = {**WHOLE, "edgeconductor_interface": {"labeling_column_name": "diagnosis"}}

    plan, changes = apply_metadata(load(PLAN), parse_metadata(said), KINDS)
    named, unchanged = apply_metadata(
        load(f"{PLAN}\nreview: {{label: own}}"), parse_metadata(said), KINDS
    )

    assert plan.review is not None
    assert plan.review.label == "diagnosis"
    assert changes[0] == 'review.label: empty -> "diagnosis"'
    assert named.review is not None
    assert named.review.label == "own"
    assert not any("review" in line for line in unchanged)


def test_only_the_pipelines_that_run_are_changed(load: LoadText) -> None:
    before = load(PLAN)

    plan, _ = apply_metadata(before, parse_metadata(WHOLE), ["inference"])

    assert plan.train == before.train
    assert plan.external.load_train_data_path == before.external.load_train_data_path
    assert plan.external.load_inference_data_path == ("/data/",)


def test_a_pipeline_that_the_metadata_does_not_list_stays_as_planned(load: LoadText) -> None:
    before = load(PLAN)

    plan, changes = apply_metadata(before, parse_metadata(metadata_of({"type": "train"})), KINDS)

    assert (plan, changes) == (before, ())


@pytest.mark.parametrize("empty", ["", None, []])
def test_a_uri_that_is_given_empty_empties_the_path(load: LoadText, empty: object) -> None:
    given = metadata_of({"type": "inference", "dataset_uri": empty, "artifact_uri": empty or ""})

    plan, _ = apply_metadata(load(PLAN), parse_metadata(given), KINDS)

    assert plan.external.load_inference_data_path == ()
    assert plan.external.save_inference_artifacts_path == ""
    assert plan.external.load_model_path == "./model/"


def test_the_model_of_a_train_entry_is_none_of_inference(load: LoadText) -> None:
    given = metadata_of({"type": "train", "model_uri": ""})

    plan, _ = apply_metadata(load(PLAN), parse_metadata(given), KINDS)

    assert plan.external.load_model_path == "./model/"


@pytest.mark.parametrize("empty", ["", " ", None, [], {}])
def test_empty_args_are_skipped(load: LoadText, empty: object) -> None:
    given = selecting({"step": "train", "args": {"columns": empty}})

    plan, changes = apply_metadata(load(PLAN), parse_metadata(given), KINDS)

    assert args(plan, "train", "train") == {"n_estimators": 100, "columns": ["a"]}
    assert changes == ()


@pytest.mark.parametrize("value", [0, False, 0.0, "0"])
def test_zero_and_false_are_not_empty(load: LoadText, value: object) -> None:
    given = selecting({"step": "train", "args": {"n_estimators": value}})

    plan, _ = apply_metadata(load(PLAN), parse_metadata(given), KINDS)

    changed = args(plan, "train", "train")
    assert isinstance(changed, dict)
    assert repr(changed["n_estimators"]) == repr(value)


@pytest.mark.parametrize("nothing", [{"step": "train"}, {"step": "train", "args": []}])
def test_a_step_may_have_no_selected_args(load: LoadText, nothing: object) -> None:
    before = load(PLAN)

    assert apply_metadata(before, parse_metadata(selecting(nothing)), KINDS) == (before, ())


def test_what_came_from_metadata_has_no_line_in_the_plan(load: LoadText) -> None:
    plan, _ = apply_metadata(load(PLAN), parse_metadata(WHOLE), KINDS)

    assert plan.problem("external_path.load_model_path", "x").line == 0
