from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alo.layout import PLAN_NAME, TRASH_PREFIX, Workspace, find_plan, slug, without_digits


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("breast-cancer", "breast-cancer"),
        ("유방암 예측 2", "유방암-예측-2"),
        ("a/b\\c:d", "a-b-c-d"),
        ("../../etc/passwd", "-..-etc-passwd"),
        ("..", "solution"),
        (".hidden", "hidden"),
        ("", "solution"),
        ("  ", "solution"),
        ("two\nlines", "two-lines"),
        ("v1.2_x", "v1.2_x"),
    ],
)
def test_a_name_becomes_a_part_of_a_path(text: str, safe: str) -> None:
    assert slug(text) == safe


@given(st.text(max_size=60))
@example("./.")
@example("\0")
@example("\u2028")
def test_whatever_the_name_it_stays_in_its_folder(text: str) -> None:
    name = slug(text)

    assert name not in ("", ".", "..")
    assert not name.startswith(".")
    assert not any(char in name for char in "/\\\0\n\r:")
    assert slug(name) == name


@pytest.mark.parametrize(
    ("step", "without"),
    [("train2", "train"), ("2a3b", "ab"), ("train", "train"), ("학습1", "학습"), ("42", "")],
)
def test_digits_in_a_steps_name_are_dropped(step: str, without: str) -> None:
    assert without_digits(step) == without


@given(st.text(max_size=40))
def test_nothing_but_digits_is_dropped(text: str) -> None:
    kept = without_digits(text)

    assert not any(char.isdecimal() for char in kept)
    assert kept == "".join(char for char in text if not char.isdecimal())


def test_the_folders_are_where_the_contract_has_them(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)

    assert workspace.asset("train") == tmp_path / "assets/train"
    assert workspace.input("train") == tmp_path / "input/train"
    assert workspace.artifacts("inference") == tmp_path / "inference_artifacts"
    assert workspace.models == tmp_path / "train_artifacts/models"
    assert workspace.history == tmp_path / "history"
    assert workspace.interface == tmp_path / ".asset_interface"


def test_what_is_internal_can_be_deleted_and_the_last_model_of_a_killed_run_is_not_there(
    tmp_path: Path,
) -> None:
    workspace = Workspace(tmp_path)
    internal = (workspace.lock, workspace.index, workspace.scratch())

    assert all(path.parent == workspace.internal for path in internal)
    # What is renamed there has to be on the disk of the artifacts, whichever .alo/ is on.
    for path in (workspace.unfinished, workspace.trash()):
        assert path.parent == workspace.home
    assert workspace.journal.parent == workspace.unfinished
    assert workspace.run_lock.parent == workspace.unfinished


def test_a_workspace_has_an_absolute_path_and_makes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    workspace = Workspace(Path("new"))

    assert workspace.home == tmp_path / "new"
    assert not workspace.home.exists()


def test_each_piece_of_trash_has_a_name_of_its_own(tmp_path: Path) -> None:
    names = {Workspace(tmp_path).trash().name for _ in range(20)}

    assert len(names) == 20
    assert all(name.startswith(TRASH_PREFIX) for name in names)


@pytest.mark.parametrize(
    ("there", "found"),
    [
        ([], f"solution/{PLAN_NAME}"),
        ([f"solution/{PLAN_NAME}"], f"solution/{PLAN_NAME}"),
        ([PLAN_NAME], PLAN_NAME),
        ([PLAN_NAME, f"solution/{PLAN_NAME}"], f"solution/{PLAN_NAME}"),
    ],
)
def test_the_plan_is_in_solution_or_else_beside_it(
    there: list[str], found: str, tmp_path: Path
) -> None:
    (tmp_path / "solution").mkdir()
    for name in there:
        (tmp_path / name).touch()

    assert find_plan(tmp_path) == tmp_path / found
