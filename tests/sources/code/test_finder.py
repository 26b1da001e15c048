"""What is a project's code, what is installed, and which names a folder's modules have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alo.sources.code.finder import Roots, is_installed, module_names


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
