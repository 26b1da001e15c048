"""What the pages on assets say works as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alolib.asset import Asset, AssetApi, AssetStructure

DOCS = Path(__file__).parents[2] / "docs"
WRITING = (DOCS / "guides/assets/writing-an-asset.md").read_text(encoding="utf-8")
TESTING = (DOCS / "guides/assets/testing-an-asset.md").read_text(encoding="utf-8")
REFERENCE = (DOCS / "reference/asset-api.md").read_text(encoding="utf-8")
NAMED_BLOCK = re.compile(r"`([\w/]+\.(?:py|yaml))`:\n\n```\w+\n(.*?)```", re.DOTALL)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The project of the guides."""
    for name, text in NAMED_BLOCK.findall(WRITING + TESTING):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name, rows in (("train", "20\n21\n22\n"), ("inference", "21\n90\n")):
        folder = tmp_path / "sample_data" / name
        folder.mkdir(parents=True)
        (folder / "oven.csv").write_text(f"temperature\n{rows}")
    return tmp_path


def test_the_solution_of_the_guide_runs(home: Path, run: Callable[..., Any]) -> None:
    train, inference = run(home)

    assert train.summary["result"] == "18.0 to 24.0"
    assert inference.summary["result"] == "1 unusual"
    assert inference.summary["probability"] == {"usual": 0.5, "unusual": 0.5}


def test_the_tests_of_the_guide_pass(home: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]

    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)

    assert "5 passed" in done.stdout, done.stdout


def test_an_asset_can_be_used_by_hand() -> None:
    (code,) = re.findall(r"## By hand.*?```python\n(.*?)```", TESTING, re.DOTALL)

    exec(code, {})  # noqa: S102 - our own page


def test_the_error_of_the_guide_is_the_one_that_comes(home: Path, alo: Callable[..., Any]) -> None:
    done = alo("run", "--mode", "train", "--set", "train.sigmas=three", cwd=home)

    assert done.returncode == 1
    assert done.stderr.startswith("error: step 'train' failed: the arg 'sigmas'")
    assert done.stderr in WRITING


def test_the_reference_names_every_call_and_attribute(tmp_path: Path) -> None:
    envs = {"project_home": f"{tmp_path}/", "pipeline": "train_pipeline", "step": "train"}
    api = Asset(AssetStructure(envs)).asset
    names = [name for name in (*vars(AssetApi), *vars(api)) if not name.startswith("_")]

    assert [name for name in names if f"`{name}" not in REFERENCE] == []


@pytest.mark.parametrize("page", ["from-alo-2.md", "from-alo-2.ko.md"])
@pytest.mark.parametrize("name", ["register(", "sagemaker", "alolib.logger", "alolib.common"])
def test_who_comes_from_another_version_reads_what_is_not_here(name: str, page: str) -> None:
    assert name in (DOCS / "getting-started" / page).read_text(encoding="utf-8")
