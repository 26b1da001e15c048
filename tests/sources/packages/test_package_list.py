"""``.package_list/``: a text file for each step that requires something, as ALO 2.x writes it."""

from __future__ import annotations

from pathlib import Path

from alo.sources.packages.package_list import FOLDER, write_package_lists
from alo.sources.packages.requirements import Requirement


def needs(*texts: str, step: str = "a") -> list[Requirement]:
    return [Requirement(text, text, step, "plan.yaml:1") for text in texts]


def files(home: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in (home / FOLDER).iterdir()}


def test_steps_are_counted_as_far_as_they_require_something(tmp_path: Path) -> None:
    required = [*needs("pandas", "numpy"), *needs("torch", step="c")]

    write_package_lists(tmp_path, {"train_pipeline": required, "inference_pipeline": []})

    assert files(tmp_path) == {
        "train_pipeline_step_0.txt": "pandas\nnumpy\n",
        "train_pipeline_step_1.txt": "torch\n",
    }


def test_lists_of_steps_that_are_no_more_go_and_a_users_file_stays(tmp_path: Path) -> None:
    write_package_lists(tmp_path, {"train_pipeline": [*needs("a"), *needs("b", step="c")]})
    (tmp_path / FOLDER / "notes.txt").write_text("mine")

    write_package_lists(tmp_path, {"train_pipeline": needs("a")})

    assert files(tmp_path) == {"train_pipeline_step_0.txt": "a\n", "notes.txt": "mine"}


def test_what_is_the_same_is_not_written_again(tmp_path: Path) -> None:
    write_package_lists(tmp_path, {"train_pipeline": needs("a")})
    before = (tmp_path / FOLDER / "train_pipeline_step_0.txt").stat()

    write_package_lists(tmp_path, {"train_pipeline": needs("a")})

    assert (tmp_path / FOLDER / "train_pipeline_step_0.txt").stat().st_ino == before.st_ino


def test_a_plan_that_requires_nothing_makes_no_folder(tmp_path: Path) -> None:
    write_package_lists(tmp_path, {"train_pipeline": []})

    assert not (tmp_path / FOLDER).exists()


def test_a_password_is_not_written(tmp_path: Path) -> None:
    write_package_lists(tmp_path, {"train_pipeline": needs("a @ https://me:secret@host/a.whl")})

    assert "secret" not in str(files(tmp_path))
