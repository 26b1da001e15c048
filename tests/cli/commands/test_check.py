from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from alo.cli.main import main

if TYPE_CHECKING:
    from tests.conftest import MakeSolution


def test_a_good_project_is_reported_what_was_looked_at(
    make_solution: MakeSolution, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_solution({"input": "", "train": ""}, {"inference": ""})

    assert main(["check", "--project", str(home)]) == 0

    out = capsys.readouterr().out
    assert "ok  train      input, train" in out
    assert "ok  inference  inference" in out


def test_nothing_runs_and_nothing_changes(make_solution: MakeSolution) -> None:
    home = make_solution({"train": "raise RuntimeError"})
    before = sorted(home.rglob("*"))

    assert main(["check", "--project", str(home)]) == 0

    assert sorted(home.rglob("*")) == before


def test_all_problems_are_reported(
    make_solution: MakeSolution, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_solution(
        {"input": "", "train": "# no class"}, external={"load_model_path": "./nix"}
    )
    plan = home / "solution" / "experimental_plan.yaml"
    plan.write_text(plan.read_text().replace('"input"', '"inptu"'))

    assert main(["check", "--project", str(home)]) == 2

    reported = capsys.readouterr().err
    assert "2 problems" in reported
    assert "inptu" in reported
    assert "UserAsset" in reported


def test_json_lists_the_problems_and_nothing_else(
    make_solution: MakeSolution, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_solution({"train": ""}, control={"backup_sise": 5})

    assert main(["check", "--project", str(home), "--json"]) == 2

    captured = capsys.readouterr()
    (problem,) = json.loads(captured.out)
    assert problem["severity"] == "error"
    assert problem["file"].endswith("experimental_plan.yaml")
    assert problem["line"] > 1
    assert "backup_size" in problem["what"]
    assert captured.err == ""


def test_json_of_a_good_project_is_a_list_of_its_warnings(
    make_solution: MakeSolution, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_solution({"train": ""}, control={"reset_assets": True})

    assert main(["check", "--project", str(home), "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert found
    assert {each["severity"] for each in found} == {"warning"}


@pytest.mark.parametrize(
    ("words", "reported"),
    [
        (["--mode", "inference"], "no inference_pipeline"),
        (["--set", "trian.x=1"], "trian"),
        (["--config", "nix.yaml"], "nix.yaml"),
        (["--system", "nix.yaml"], "nix.yaml"),
    ],
)
def test_the_options_of_a_run_are_checked(
    words: list[str],
    reported: str,
    make_solution: MakeSolution,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    home = make_solution({"train": ""})

    assert main(["check", "--project", str(home), *words]) == 2

    assert reported in capsys.readouterr().err
