"""What of a project nodes are sent."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.engine.checks.preflight import check_solution
from alo.engine.request import RunRequest
from alo.errors import ExecutorError
from alo.executors.listing import list_folder
from alo.executors.node.snapshot import take_snapshot


@pytest.fixture
def home(make_solution: Callable[..., Path]) -> Path:
    home = make_solution({"train": ""}, external={"load_train_data_path": "data/"})
    for name in (
        "data/rows.csv", "data/notes.md", ".git/config", ".venv/bin/python", "history/train/x/y",
        "train_artifacts/models/m", "input/train/rows.csv", "lib/__pycache__/a.pyc", "lib/a.py",
        "solution/alo.lock", "big/one.bin", ".unfinished_run/run.json", ".alo-trash-1/x",
    ):  # fmt: skip
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(name)
    return home


def jobs_of(home: Path) -> dict[str, Any]:
    return {job.pipeline.kind: job for job in check_solution(RunRequest(home)).jobs}


def names_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_it_has_what_runs_need_and_nothing_else(home: Path, tmp_path: Path) -> None:
    (home / ".aloignore").write_text("big/\n*.tmp\n")
    (home / "assets/train/a.tmp").touch()

    assert take_snapshot(jobs_of(home), tmp_path / "taken") == ()

    assert names_in(tmp_path / "taken") == {
        ".aloignore", "assets/train/asset_train.py", "lib/a.py", "solution/alo.lock",
        "solution/experimental_plan.yaml",
    }  # fmt: skip


def test_a_step_or_module_may_have_the_name_of_a_folder_of_the_project(
    home: Path, tmp_path: Path
) -> None:
    names = {"assets/input/asset_input.py", "assets/train/datasets/load.py", "lib/history/a.py"}
    for name in names | {"studio/studio.sqlite", "datasets/patients/v1/manifest.json"}:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).touch()
    take_snapshot(jobs_of(home), tmp_path / "taken")
    taken = names_in(tmp_path / "taken")
    assert names <= taken
    assert not [name for name in taken if name.startswith(("studio/", "datasets/", "input/"))]


def test_the_same_project_has_the_same_digest(home: Path, tmp_path: Path) -> None:
    take_snapshot(jobs_of(home), tmp_path / "one")
    os.utime(home / "lib/a.py", (1, 1))
    take_snapshot(jobs_of(home), tmp_path / "other")
    assert list_folder(tmp_path / "one").digest == list_folder(tmp_path / "other").digest


def test_links_are_followed_but_not_in_a_circle(home: Path, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/b.py").write_text("b")
    (home / "shared").symlink_to(tmp_path / "shared")
    (home / "lib/circle").symlink_to(home / "lib")
    (home / "lib/nowhere").symlink_to("gone")
    take_snapshot(jobs_of(home), tmp_path / "taken")
    assert (tmp_path / "taken/shared/b.py").read_text() == "b"
    assert not (tmp_path / "taken/lib/circle/circle").exists()


def test_much_is_told_and_too_much_refused_with_the_largest_files(
    home: Path, tmp_path: Path
) -> None:
    sizes = {f"big/{number}.bin": 13_000_000 + number * 1_000_000 for number in range(6)}
    for name, size in sizes.items():
        with (home / name).open("wb") as file:
            file.truncate(size)
    (warning,) = take_snapshot(jobs_of(home), tmp_path / "taken")
    listed = [line.split()[-1] for line in warning.splitlines() if " MB  " in line]
    assert listed == [f"big/{number}.bin" for number in (5, 4, 3, 2, 1)]
    assert ".aloignore" in warning

    with (home / "big/0.bin").open("wb") as file:
        file.truncate(600_000_000)
    with pytest.raises(ExecutorError, match=r"600\.0 MB  big/0\.bin"):
        take_snapshot(jobs_of(home), tmp_path / "other")
    assert not (tmp_path / "other").exists()
