"""Every problem of what is to run is reported at once, and none of what is not."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.engine.checks.preflight import check_plan, find_workspace
from alo.errors import UsageError
from alo.layout import Workspace
from alo.plan.load import load_plan

from .conftest import Make, refused

Alo = Callable[..., "subprocess.CompletedProcess[str]"]


def test_all_of_it_is_reported_at_once_with_the_other_problems_of_the_plan(
    make: Make, alo: Alo
) -> None:
    home = make(
        "{requirements: ['=nonsense', 'alo-x==1.0']}",
        "{code: ../nowhere, requirements: [requirements.txt, 'alo-x==2.0', '=other']}",
        "contrl:\n  - cache: yes\n",
    )

    said = refused(alo, home)

    assert [line.split("  ")[1] for line in said.splitlines()[1:]] == [
        "asset_source.train_pipeline[0].source.requirements[0]",
        "asset_source.train_pipeline[1].source.code",
        "asset_source.train_pipeline[1].source.requirements[1]",  # alo-x 1 and 2
        "asset_source.train_pipeline[1].source.requirements[2]",
        "contrl",
    ]


def test_of_a_pipeline_that_does_not_run_only_the_plan_is_looked_at(make: Make, alo: Alo) -> None:
    more = "  - inference_pipeline:\n    - step: two\n      source: {requirements: "
    home = make("{code: local}", more=f"{more}[requirements.txt, '=nonsense']}}\n")
    plan = home / "solution/experimental_plan.yaml"
    steps = "  - inference_pipeline:\n    - {step: two}\nasset_source:"
    plan.write_text(plan.read_text().replace("asset_source:", steps))

    done = alo("run", "--mode", "train", cwd=home)

    assert done.returncode == 2
    assert "source.requirements[1]  step 'two': '=nonsense' is no requirement" in done.stderr
    assert "there is no file" not in done.stderr


def test_a_project_that_is_no_folder_is_reported_from_one_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(UsageError, match="is not a folder"):
        find_workspace(tmp_path / "file")
    with pytest.raises(UsageError, match="does not exist") as caught:
        find_workspace(tmp_path / "nothing")

    assert "alo init" in caught.value.fix
    assert find_workspace(tmp_path).home == tmp_path


def test_an_unknown_mode_is_refused_with_those_there_are(make: Make) -> None:
    home = make("{code: local}")
    plan = load_plan(home / "solution/experimental_plan.yaml", home=home)

    with pytest.raises(UsageError, match="no mode 'test'") as caught:
        check_plan(plan, Workspace(home), "test")

    assert "train" in caught.value.fix
