"""Each template of ``alo init``, run as its new owner would."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from alo.cli.commands.init import TEMPLATE_HOME, TEMPLATES, make_project
from alo.cli.main import main
from alo.engine.checks.results import check_results

MakeProject = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path) -> MakeProject:
    """Call it with a template's name; the folder has a space and Korean letters in its name."""

    def make(template: str) -> Path:
        home = tmp_path / "내 프로젝트"
        make_project(home, template)
        return home

    return make


def summary_of(home: Path, kind: str) -> dict[str, Any]:
    path = home / f"{kind}_artifacts" / "score" / f"{kind}_summary.yaml"
    summary: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return summary


def output_rows(home: Path) -> list[dict[str, str]]:
    path = home / "inference_artifacts" / "output" / "output.csv"
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_new_project_passes_its_check_and_runs_at_once(
    template: str, project: MakeProject, capsys: pytest.CaptureFixture[str]
) -> None:
    home = project(template)

    assert main(["check", "--project", str(home)]) == 0
    assert main(["run", "--project", str(home)]) == 0

    check_results(home / "inference_artifacts")
    captured = capsys.readouterr()
    assert captured.out.count("\n") < 40
    assert captured.err == ""
    assert "warning" not in captured.out


def test_tabular_tells_the_flowers_apart(project: MakeProject) -> None:
    home = project("tabular")

    main(["run", "--project", str(home), "--quiet"])

    assert summary_of(home, "train")["score"] >= 0.9
    rows = output_rows(home)
    assert len(rows) == 30
    assert {row["prediction"] for row in rows} == {"setosa", "versicolor", "virginica"}
    assert sum(summary_of(home, "inference")["probability"].values()) == pytest.approx(1)


def test_tabular_learns_from_the_columns_that_are_asked_for(project: MakeProject) -> None:
    home = project("tabular")

    main(["run", "--project", str(home), "--quiet", "--set", "train.x_columns=[petal_length]"])

    model = json.loads((home / "train_artifacts" / "models" / "train" / "model.json").read_text())
    assert model["columns"] == ["petal_length"]


def test_image_tells_the_shapes_apart_and_draws_them(project: MakeProject) -> None:
    home = project("image")

    main(["run", "--project", str(home), "--quiet"])

    assert summary_of(home, "train")["score"] >= 0.9
    rows = output_rows(home)
    assert {row["shows"] for row in rows} == {"cross", "ring", "square"}
    with Image.open(home / "inference_artifacts" / "output" / "output.png") as sheet:
        sheet.load()  # whole, with right checksums
        assert sheet.mode == "L"
        assert sheet.width > sheet.height > 0


def test_minimal_finds_the_odd_numbers(project: MakeProject) -> None:
    home = project("minimal")

    main(["run", "--project", str(home), "--quiet"])

    odd = [row["number"] for row in output_rows(home) if row["is_odd"] == "True"]
    assert odd == ["31.4", "8.9"]


@pytest.mark.parametrize(
    ("template", "module"), [("tabular", "bayes.py"), ("image", "neighbours.py")]
)
def test_a_module_that_two_steps_have_is_the_same_in_both(template: str, module: str) -> None:
    assets = TEMPLATE_HOME / template / "assets"

    in_train, in_inference = (assets / step / module for step in ("train", "inference"))

    assert in_train.read_bytes() == in_inference.read_bytes()


def test_the_notebook_runs_from_top_to_bottom(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = project("minimal")
    monkeypatch.chdir(home)
    notebook = json.loads((home / "register-ai-solution.ipynb").read_text(encoding="utf-8"))
    names: dict[str, Any] = {}

    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)  # noqa: S102 - as Jupyter does

    assert names["outcome"].status == "success"
    assert len(names["project"].history()) == 2
