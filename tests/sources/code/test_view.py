"""Code is read as it was when the run began, whatever is edited meanwhile."""

from __future__ import annotations

import os
import pickle
import shutil
from pathlib import Path

import pytest

from alo.sources.code.view import CodeView, real


@pytest.fixture
def file(home: Path) -> Path:
    (home / "a.py").write_text("before")
    return home / "a.py"


@pytest.fixture
def frozen(home: Path, file: Path, tmp_path: Path) -> CodeView:
    """A view whose run has a copy of ``a.py``, which has been edited since."""
    view = CodeView(str(home))
    shutil.copy2(file, tmp_path / "copy")
    view.freeze("a.py", tmp_path / "copy")
    file.write_text("edited since")
    return view


def test_what_the_run_has_is_read_whatever_the_file_is_now(frozen: CodeView, file: Path) -> None:
    assert frozen.content(str(file)) == b"before"
    assert frozen.read == {}
    assert not frozen.takes_compiled(str(file))

    frozen.thaw("a.py")

    assert frozen.content(str(file)) == b"edited since"


def test_another_process_reads_the_same(frozen: CodeView, file: Path) -> None:
    there = pickle.loads(pickle.dumps(frozen))  # noqa: S301 - our own

    assert there.content(str(file)) == b"before"


def test_what_else_is_read_is_noted_by_its_name_in_the_project(home: Path, file: Path) -> None:
    view = CodeView(str(home))

    assert view.content(str(file)) == b"before"

    assert view.read_by_name() == {"a.py": b"before"}
    assert view.note(str(home / "not there.py")) == "not there.py"
    assert view.note("/elsewhere/b.py") is None


def test_of_a_file_that_is_as_it_was_what_python_has_compiled_will_do(
    home: Path, file: Path, tmp_path: Path
) -> None:
    shutil.copy2(file, tmp_path / "copy")
    for shown, will_do in (("", True), ("history/train/r", False)):
        view = CodeView(str(home), shown=shown)
        view.freeze("a.py", tmp_path / "copy")
        assert view.takes_compiled(str(file)) is will_do


def test_modules_of_the_workspace_are_looked_for_in_the_home_of_the_code(
    home: Path, tmp_path: Path
) -> None:
    workspace = tmp_path / "workspace"
    view = CodeView(str(home), workspace=str(workspace))

    assert view.other_place(str(workspace / "lib")) == str(home / "lib")
    assert view.other_place(str(workspace / "train_artifacts/x")) == ""
    assert view.other_place(str(home / "lib")) == ""
    assert view.other_place(f"{tmp_path}{os.sep}other") == ""
    assert list(view.roots) == [str(home), str(workspace)]


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file.py").touch()
    (tmp_path / "to_a").symlink_to("a")
    (tmp_path / "a" / "to_file.py").symlink_to(tmp_path / "a" / "b" / "file.py")
    (tmp_path / "a" / "circle").symlink_to("circle")
    return tmp_path


@pytest.mark.parametrize(
    "name",
    [
        *("a", "a/b", "a/b/file.py", "a/b/", "a//b", "none/at/all", "a/none.py"),
        *("to_a", "to_a/b/file.py", "to_a/to_file.py", "a/to_file.py", "to_a/none.py"),
        *("to_a/..", "to_a/../a/b", "a/./b", "a/b/..", "a/b/.", "a/circle", "a/circle/b"),
    ],
)
def test_a_path_without_links_is_what_python_says(linked: Path, name: str) -> None:
    path = os.path.join(linked, name)

    assert real(path) == os.path.realpath(path)


@pytest.mark.parametrize("name", ["to_a/b", "a", ".", "", "..", "to_a"])
def test_so_is_a_path_from_the_working_folder(
    linked: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(linked)

    assert real.__wrapped__(name) == os.path.realpath(name)


def test_the_roots_have_no_other_name() -> None:
    assert real("/") == "/"
