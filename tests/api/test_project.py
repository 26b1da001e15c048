"""A project opened from Python, run whole, and its history."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import alo
from alo.errors import AloError

MakeSolution = Callable[..., Path]
Model = Callable[[], str]


def test_a_project_lists_its_steps_and_shows_itself(project: alo.Project) -> None:
    assert project.train.steps == ["input", "train"]
    assert "train_pipeline: input → train" in repr(project)
    assert "factor=1" in repr(project.train["train"])
    assert "input" in repr(project.train)


def test_an_inference_can_use_the_model_of_a_past_run(
    project: alo.Project, home: Path, model: Model
) -> None:
    (first,) = project.run("train")
    pipeline = project.pipeline("train")
    pipeline["train"].args["factor"] = 2
    pipeline.run().save()

    outcome = project.pipeline("inference", train_id=first.run_id).run().save()

    assert outcome.summary is not None
    assert outcome.summary["result"] == "6"
    record = json.loads((outcome.history / "log/experimental_history.json").read_text())
    assert record["train_id"] == first.run_id
    assert model() == "12"


def test_a_project_is_the_same_from_any_working_folder(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    (home / "other.yaml").write_bytes((home / "solution/experimental_plan.yaml").read_bytes())
    metadata = {"metadata_version": "1.2", "name": "x", "pipeline": [{"type": "train"}]}
    (home / "metadata.json").write_text(json.dumps(metadata))
    project = alo.Project(".", config="other.yaml", system="metadata.json")
    monkeypatch.chdir(tmp_path)

    (outcome,) = project.run("train")

    assert outcome.history.parent.parent.parent == home


def test_the_python_api_has_these_names_and_no_others() -> None:
    assert set(alo.__all__) == {"ALO", "Pipeline", "Project", "__version__"}
    assert all(getattr(alo, name) for name in alo.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Projekt'"):
        _ = alo.Projekt


@pytest.mark.parametrize(
    ("options", "advice"),
    [({"config": "none.yaml"}, "config="), ({"system": "{"}, "system="), ({}, "config=")],
)
def test_advice_names_the_options_of_python(
    home: Path, tmp_path: Path, options: dict[str, str], advice: str
) -> None:
    folder = home if options else tmp_path / "empty"
    folder.mkdir(exist_ok=True)

    with pytest.raises(AloError) as caught:
        alo.Project(folder, **options)

    assert advice in caught.value.fix
    assert "--" not in caught.value.fix
