"""What the check says of a project's folders: what stands in the way of a run, or would be lost."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from alo.engine.checks.preflight import check_plan
from alo.engine.spec import Job, JobInputs
from alo.engine.workspace import places
from alo.engine.workspace.places import SPARE_BYTES, place_problems, place_warnings
from alo.layout import Workspace
from alo.plan.load import load_plan

from .conftest import TRAIN

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]
Mount = Callable[..., Path]
PutVolume = Callable[[Path], Path]


# What is said of folders, by the function itself


def jobs_of(home: Path, mode: str = "train") -> Sequence[Job]:
    """What is to run, as the check gives it while nothing is in the way."""
    plan = load_plan(home / "solution/experimental_plan.yaml", home=home)
    return check_plan(plan, Workspace(home), mode).jobs


def problems_of(home: Path, jobs: Sequence[Job], *, serves: bool = False) -> list[str]:
    """The folders that stand in the way of a run, by their names in the project."""
    found = place_problems(Workspace(home), jobs, serves=serves)
    return [os.path.relpath(each.file, home) for each in found]


def test_a_project_as_it_should_be_has_no_problem(home: Path) -> None:
    jobs = jobs_of(home)

    assert problems_of(home, jobs) == problems_of(home, jobs, serves=True) == []


@pytest.mark.parametrize("name", ["train_artifacts", "history", "input/train", "history/train"])
def test_a_file_where_a_folder_belongs_is_reported(home: Path, name: str) -> None:
    jobs = jobs_of(home)
    (home / name).parent.mkdir(exist_ok=True)
    (home / name).touch()

    (problem,) = place_problems(Workspace(home), jobs, serves=False)

    assert problem.file == str(home / name)
    assert "where a folder belongs" in problem.what


@pytest.fixture
def may_not_write(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``may_not_write(folder, ...)``: as for a user who is not root."""

    def make(*folders: Path) -> None:
        def access(path: Any, mode: int, **options: Any) -> bool:
            return Path(path) not in folders

        monkeypatch.setattr(places.os, "access", access)

    return make


@pytest.mark.parametrize(
    ("name", "mode", "serves", "reported"),
    [
        (".", "train", False, True),
        ("history", "train", False, True),
        ("input/train", "train", False, True),
        ("input/inference", "train", False, False),
        ("train_artifacts", "train", False, True),
        ("train_artifacts", "inference", False, False),
        ("inference_artifacts", "inference", False, True),
        ("inference_artifacts", "train", False, False),
        ("train_artifacts", "inference", True, False),
        ("input/inference", "inference", True, False),
        ("input", "inference", True, False),
    ],
)
def test_only_folders_that_are_written_to_have_to_be_writable(
    home: Path,
    may_not_write: Callable[..., None],
    name: str,
    mode: str,
    serves: bool,
    reported: bool,
) -> None:
    (home / name).mkdir(parents=True, exist_ok=True)
    jobs = jobs_of(home, mode)
    may_not_write(home / name)

    assert problems_of(home, jobs, serves=serves) == [name] * reported


def bringing_models(jobs: Sequence[Job]) -> Sequence[Job]:
    """The same, with the models of an earlier run."""
    return [job._replace(inputs=JobInputs(train_id="earlier")) for job in jobs]


def test_an_inference_has_to_write_to_the_models_only_where_it_brings_its_own(
    home: Path, may_not_write: Callable[..., None]
) -> None:
    (home / "train_artifacts").mkdir()
    jobs = jobs_of(home, "inference")
    may_not_write(home / "train_artifacts")

    assert problems_of(home, jobs) == []
    assert problems_of(home, bringing_models(jobs)) == ["train_artifacts"]


def test_models_are_brought_only_to_the_disk_that_the_project_is_on(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = bringing_models(jobs_of(home, "inference"))
    monkeypatch.setattr(places, "mount_point", lambda folder: folder.name)  # each is on its own

    assert problems_of(home, jobs) == []  # the run makes the folder
    (home / "train_artifacts").mkdir()
    assert problems_of(home, jobs) == ["train_artifacts"]
    monkeypatch.setattr(places, "mount_point", lambda folder: "/")
    assert problems_of(home, jobs) == []


def test_the_fix_for_a_volume_says_which_keys_of_the_plan_name_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "mounted_in", lambda folder: [str(folder)])
    fixes = {}
    for kind in ("train", "inference"):
        jobs = jobs_of(home, kind)
        (home / f"{kind}_artifacts").mkdir()
        (problem,) = place_problems(Workspace(home), jobs, serves=False)
        fixes[kind] = problem.what

    assert "name that in save_train_artifacts_path (load_model_path reads" in fixes["train"]
    assert fixes["inference"].endswith("name that in save_inference_artifacts_path")


@pytest.mark.parametrize(
    ("name", "reported"), [("data", True), ("data/deeper", True), ("own", False)]
)
def test_of_volumes_in_the_input_folder_only_one_where_data_is_copied_to_is_reported(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, reported: bool
) -> None:
    jobs = jobs_of(home)
    (home / "input/train").mkdir(parents=True)
    monkeypatch.setattr(places, "mounted_in", lambda folder: [f"{home}/input/train/{name}"])

    assert problems_of(home, jobs) == [f"input/train/{name}"] * reported


def test_data_that_is_in_its_place_already_needs_no_permission(
    make_solution: MakeSolution, may_not_write: Callable[..., None]
) -> None:
    home = make_solution({"train": TRAIN})
    (home / "input/train").mkdir(parents=True)
    jobs = jobs_of(home)
    may_not_write(home / "input", home / "input/train")

    assert problems_of(home, jobs) == []


@pytest.mark.parametrize(("missing", "reported"), [(1, True), (0, False)])
def test_the_room_that_is_needed_is_for_what_is_not_there_yet(
    home: Path, monkeypatch: pytest.MonkeyPatch, missing: int, reported: bool
) -> None:
    jobs = jobs_of(home)
    size = (home.parent / "data/a.csv").stat().st_size
    monkeypatch.setattr(places, "free_bytes", lambda _: SPARE_BYTES + size - missing)

    assert problems_of(home, jobs) == ["."] * reported
    monkeypatch.setattr(places, "free_bytes", lambda _: None)
    assert problems_of(home, jobs) == []


def test_room_for_data_that_is_there_is_not_asked_for_again(
    home: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(home, "train")
    jobs = jobs_of(home)
    monkeypatch.setattr(places, "free_bytes", lambda _: SPARE_BYTES)

    assert problems_of(home, jobs) == []


def test_links_that_a_run_replaces_are_warned_of(home: Path, tmp_path: Path) -> None:
    jobs = jobs_of(home)
    (tmp_path / "elsewhere").mkdir()
    (home / "train_artifacts").mkdir()
    (home / "train_artifacts/models").symlink_to(tmp_path / "elsewhere")

    (warned,) = place_warnings(jobs)

    assert warned.file == str(home / "train_artifacts/models")


def test_a_link_where_the_models_are_is_warned_of_by_an_inference_that_brings_its_own(
    home: Path, tmp_path: Path
) -> None:
    jobs = jobs_of(home, "inference")
    (tmp_path / "elsewhere").mkdir()
    (home / "train_artifacts").mkdir()
    (home / "train_artifacts/models").symlink_to(tmp_path / "elsewhere")

    assert list(place_warnings(jobs)) == []  # it is read, and stays
    (warned,) = place_warnings(bringing_models(jobs))

    assert warned.file == str(home / "train_artifacts/models")
