"""Each example, run from train to inference in a copy of its folder."""

from __future__ import annotations

import csv
import math
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from alo.datasets.split import TEST_SHARE
from alo.estimates.paired import Paired, tango_lower
from alo.plan.load import load_plan

EXAMPLES = Path(__file__).parents[2] / "examples"
PARTS = ("assets", "sample_data", "solution")  # what is not there after a fresh clone is left out
MOST_LINES = 40

Copy = Callable[[str], Path]
Run = Callable[[str], tuple[Path, "subprocess.CompletedProcess[str]"]]

pytest.importorskip("sklearn", reason="the examples need the extra 'examples'")


@pytest.fixture
def copy_example(tmp_path: Path) -> Copy:
    """Call it with an example's name; returns the folder of its copy."""

    def copy(name: str) -> Path:
        home = tmp_path / name
        for part in PARTS:
            shutil.copytree(EXAMPLES / name / part, home / part)
        return home

    return copy


@pytest.fixture
def run_example(copy_example: Copy, alo: Callable[..., subprocess.CompletedProcess[str]]) -> Run:
    """Call it with an example's name; returns where it ran, and what the command line said."""

    def run(name: str) -> tuple[Path, subprocess.CompletedProcess[str]]:
        home = copy_example(name)
        return home, alo("run", "--project", str(home))

    return run


def summary_of(home: Path, kind: str) -> dict[str, Any]:
    path = home / f"{kind}_artifacts" / "score" / f"{kind}_summary.yaml"
    summary: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return summary


def read_rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def share_of_right(home: Path, key: str, said: str, truth: str) -> float:
    """How many predictions in output.csv agree with the truth, which no pipeline reads."""
    truths = {row[key]: row[truth] for row in read_rows(home / "sample_data/inference_truth.csv")}
    rows = read_rows(home / "inference_artifacts" / "output" / "output.csv")
    assert len(rows) == len(truths)
    return sum(truths[row[key]] == row[said] for row in rows) / len(rows)


def test_breast_cancer(run_example: Run) -> None:
    home, done = run_example("breast_cancer")

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.count("\n") < MOST_LINES
    assert share_of_right(home, "patient", "prediction", "diagnosis") > 0.9
    assert set(summary_of(home, "inference")["probability"]) == {"malignant", "benign"}
    report = home / "train_artifacts" / "report"
    assert any(path.suffix == ".png" for path in report.iterdir())


def test_the_plan_of_breast_cancer_can_be_swept(
    copy_example: Copy, alo: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    home = copy_example("breast_cancer")

    done = alo("sweep", "best", "--jobs", "1", "--project", str(home))

    assert done.returncode == 0, done.stderr
    assert "sweep best: 4 complete" in done.stdout
    assert alo("sweep", "apply", "best", "--project", str(home)).returncode == 0


def test_digits(run_example: Run) -> None:
    home, done = run_example("digits")

    assert done.returncode == 0, done.stderr
    assert share_of_right(home, "file", "digit", "digit") > 0.9
    output = home / "inference_artifacts" / "output"
    assert sorted(path.name for path in output.iterdir()) == ["output.csv", "output.png"]
    assert summary_of(home, "train")["score"] > 0.9


@pytest.mark.parametrize("name", ["breast_cancer", "digits"])
def test_sixty_reviews_as_the_readme_has_them_pass_a_candidate_that_is_as_good(name: str) -> None:
    home = EXAMPLES / name
    review = load_plan(home / "solution/experimental_plan.yaml", home=home).review
    assert review is not None
    gate = review.gate
    few = range(gate.min_rows)
    chances = (math.comb(60, n) * TEST_SHARE**n * (1 - TEST_SHARE) ** (60 - n) for n in few)

    assert sum(chances) < 0.01
    assert tango_lower(Paired(gate.min_rows, 0, 0)) >= -gate.max_loss
