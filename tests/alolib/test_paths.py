"""Every folder of a step, in both pipelines."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alolib.errors import PathError

TRAIN = {
    "get_input_path": "input/train/",
    "get_model_path": "train_artifacts/models/fit/",
    "get_output_path": "train_artifacts/output/",
    "get_extra_output_path": "train_artifacts/extra_output/fit/",
    "get_report_path": "train_artifacts/report/",
}
INFERENCE = {
    "get_input_path": "input/inference/",
    "get_model_path": "train_artifacts/models/fit/",
    "get_output_path": "inference_artifacts/output/",
    "get_extra_output_path": "inference_artifacts/extra_output/fit/",
}
ALL = [("train", *item) for item in TRAIN.items()] + [
    ("inference", *item) for item in INFERENCE.items()
]


def put_model(home: Path, name: str) -> None:
    folder = home / "train_artifacts/models" / name
    folder.mkdir(parents=True)
    (folder / "model").write_text("")


@pytest.mark.parametrize(("pipeline", "call", "expected"), ALL)
def test_each_path_is_absolute_text_that_ends_with_a_slash(
    pipeline: str, call: str, expected: str, make: Callable[..., Any], tmp_path: Path
) -> None:
    put_model(tmp_path, "fit")

    path = getattr(make(pipeline, "fit").asset, call)()

    assert path == f"{tmp_path}/{expected}"


@pytest.mark.parametrize("call", [call for call in TRAIN if call != "get_input_path"])
def test_folders_to_write_to_are_made(call: str, make: Callable[..., Any]) -> None:
    assert os.path.isdir(getattr(make("train", "fit").asset, call)())


# pipeline, step, steps, train steps, folders that hold a model → the folder
MODELS = [
    ("train", "train", (), (), [], "train"),
    ("train", "train2", ("input", "train2"), (), [], "train"),
    ("train", "train2", ("train1", "train2"), (), [], "train2"),
    ("inference", "inference", (), ("train",), ["train"], "train"),
    ("inference", "inference2", ("inference2",), ("train",), ["train"], "train"),
    ("inference", "inference2", ("inference1", "inference2"), ("train",), ["train"], "train"),
    ("inference", "inference2", ("inference1", "inference2"), (), ["train", "train2"], "train2"),
    ("inference", "inference2", (), ("train1", "train2"), ["train1", "train2"], "train2"),
    ("inference", "clean1", ("clean1", "clean2"), (), ["clean1", "clean2"], "clean1"),
    ("inference", "clean1", ("clean1",), (), ["clean"], "clean"),
    ("inference", "train", (), (), ["train"], "train"),
]


@pytest.mark.parametrize(("pipeline", "step", "steps", "train", "there", "expected"), MODELS)
def test_digits_of_a_step_count_only_where_they_tell_two_apart(
    pipeline: str,
    step: str,
    steps: tuple[str, ...],
    train: tuple[str, ...],
    there: list[str],
    expected: str,
    make: Callable[..., Any],
    tmp_path: Path,
) -> None:
    for name in there:
        put_model(tmp_path, name)

    asset = make(pipeline, step, steps=steps or (step,), train_steps=train).asset

    assert asset.get_model_path() == f"{tmp_path}/train_artifacts/models/{expected}/"


@pytest.mark.parametrize("is_there", [True, False])
def test_no_model_says_to_train_first_and_names_the_folder(
    is_there: bool, make: Callable[..., Any], tmp_path: Path
) -> None:
    if is_there:
        (tmp_path / "train_artifacts/models/train").mkdir(parents=True)

    with pytest.raises(PathError) as caught:
        make("inference", "inference").asset.get_model_path()

    assert f"{tmp_path}/train_artifacts/models/train/" in str(caught.value)
    assert "run the train pipeline first" in str(caught.value)


def test_an_inference_may_make_a_model_of_its_own(make: Callable[..., Any], tmp_path: Path) -> None:
    path = make("inference", "inference").asset.get_model_path(use_inference_path=True)

    assert path == f"{tmp_path}/inference_artifacts/models/inference/"
    assert os.path.isdir(path)


def test_what_does_not_fit_the_pipeline_is_an_error(make: Callable[..., Any]) -> None:
    with pytest.raises(PathError, match="inference pipeline"):
        make("train").asset.get_model_path(use_inference_path=True)
    for value in ("yes", 1, None):
        with pytest.raises(PathError, match=r"(?s)True or False.*test_paths\.py:\d+"):
            make("inference").asset.get_model_path(use_inference_path=value)
    with pytest.raises(PathError, match="train pipeline"):
        make("inference").asset.get_report_path()
