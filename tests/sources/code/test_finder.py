"""What is a project's code, what is installed, and which names a folder's modules have."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from alo.sources.code import finder
from alo.sources.code.finder import ModuleNames, Roots, is_installed, module_names


def test_a_project_holds_what_is_below_it_by_any_name(tmp_path: Path) -> None:
    (tmp_path / "real/sub").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    roots = Roots(tmp_path / "link")

    for name in ("link", "link/a.py", "real/sub", "real/sub/b.py"):
        assert roots.hold(str(tmp_path / name)), name
    for name in ("", "other.py", "realm/a.py"):
        assert not roots.hold(str(tmp_path / name)), name
    assert not roots.name(str(tmp_path / "elsewhere"))


@pytest.mark.parametrize("folder", ["site-packages", "dist-packages"])
def test_an_environment_inside_a_project_is_not_its_code(tmp_path: Path, folder: str) -> None:
    place = str(tmp_path / f".venv/lib/{folder}/a.py")

    assert is_installed(place)
    assert not Roots(tmp_path).hold(place)


def test_python_and_alo_are_installed() -> None:
    import alo

    assert is_installed(str(json.__file__))
    assert is_installed(str(alo.__file__))
    assert not is_installed("/p/assets/train/json.py")


def test_modules_are_files_and_folders_that_hold_some(tmp_path: Path) -> None:
    for name in ("a.py", "b.cpython-311-x86_64-linux-gnu.so", "json.py", "notes.txt", "x.y.py"):
        (tmp_path / name).touch()
    for name in ("package", "space", "data", "with.dot"):
        (tmp_path / name).mkdir()
    (tmp_path / "package/__init__.py").touch()
    (tmp_path / "space/m.py").touch()
    (tmp_path / "data/a.csv").touch()
    (tmp_path / "with.dot/m.py").touch()

    names = module_names(tmp_path)

    assert {"a", "package", "space"} <= names
    assert not names & {"json", "notes", "data", "with"}


def aged(folder: Path) -> None:
    """As it would be had nothing been put into it for a while."""
    long_ago = time.time() - 3600
    os.utime(folder, (long_ago, long_ago))


def test_a_folder_that_stays_as_it_is_is_not_listed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.py").touch()
    (tmp_path / "__pycache__").mkdir()
    aged(tmp_path)
    names = ModuleNames(tmp_path)
    assert names.now() == {"a"}
    listed: list[Path] = []
    monkeypatch.setattr(
        finder, "_names_and_folders", lambda folder: listed.append(folder) or (set(), False)
    )

    assert names.now() == {"a"}
    assert not listed

    (tmp_path / "b.py").touch()
    names.now()
    assert len(listed) == 1


@pytest.mark.parametrize("is_new", [True, False], ids=["just changed", "with folders in it"])
def test_a_folder_in_which_something_may_be_new_is_listed_each_time(
    tmp_path: Path, is_new: bool
) -> None:
    (tmp_path / "data").mkdir()
    if not is_new:
        aged(tmp_path)
    names = ModuleNames(tmp_path)
    assert names.now() == set()

    (tmp_path / "data/m.py").touch()

    assert names.now() == {"data"}


@pytest.mark.parametrize("is_there", [True, False])
def test_what_is_no_folder_has_no_modules(tmp_path: Path, is_there: bool) -> None:
    path = tmp_path / "file"
    if is_there:
        path.touch()

    assert ModuleNames(path).now() == set()
