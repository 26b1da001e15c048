"""What was checked out is known again, also where the note about it is not there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from alo.errors import SourceError
from alo.layout import Workspace
from alo.sources.git.checkout import (
    edited_files,
)

from ..repositories import Repository
from .conftest import Bring, step

pytestmark = pytest.mark.usefixtures("cache")


def test_once_asks_git_for_nothing_when_it_is_there(
    workspace: Workspace, repository: Repository, bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(step(repository.folder))
    repository.commit({"helper.py": "X = 2\n"})
    monkeypatch.setenv("PATH", "")

    assert bring(step(repository.folder)) == []
    assert (workspace.asset("train") / "helper.py").read_text() == "X = 1\n"


def test_a_changed_branch_or_url_is_noticed(
    workspace: Workspace, repository: Repository, bring: Bring, tmp_path: Path
) -> None:
    bring(step(repository.folder))
    repository.git("checkout", "--quiet", "-b", "other")
    repository.commit({"helper.py": "X = 2\n"})

    (reported,) = bring(step(repository.folder, "other"))

    assert "branch changed: none → other" in reported
    assert (workspace.asset("train") / "helper.py").read_text() == "X = 2\n"
    moved = tmp_path / "moved"
    shutil.move(repository.folder, moved)
    (reported,) = bring(step(moved, "other"))
    assert f"URL changed: {repository.folder} → {moved}" in reported


def test_edited_files_are_named_and_stay_unless_forced(
    workspace: Workspace, repository: Repository, bring: Bring
) -> None:
    bring(step(repository.folder))
    folder = workspace.asset("train")
    (folder / "helper.py").write_text("mine")
    (folder / "new.py").write_text("mine")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__/x.pyc").touch()
    assert edited_files(workspace, "train") == ["helper.py", "new.py"]
    assert (
        "edited files are used as they are: helper.py, new.py" in bring(step(repository.folder))[0]
    )
    repository.git("tag", "v2")

    with pytest.raises(SourceError, match=r"have been edited: helper.py, new.py") as caught:
        bring(step(repository.folder, "v2"))
    assert "--force" in caught.value.fix
    assert (folder / "helper.py").read_text() == "mine"

    reported = bring(step(repository.folder, "v2"), force=True)
    assert (folder / "helper.py").read_text() == "X = 1\n"
    assert not (folder / "new.py").exists()
    (kept,) = (workspace.internal / "replaced").iterdir()
    assert (kept / "new.py").read_text() == "mine"
    assert str(kept) in reported[0]


def test_without_its_note_a_folder_is_compared_with_the_commit(
    workspace: Workspace, repository: Repository, bring: Bring
) -> None:
    bring(step(repository.folder))
    shutil.rmtree(workspace.internal)
    bring(step(repository.folder))  # the same: nothing is lost

    shutil.rmtree(workspace.internal)
    (workspace.asset("train") / "helper.py").write_text("mine")
    with pytest.raises(SourceError, match=r"have been edited: helper.py"):
        bring(step(repository.folder))


def test_a_kill_before_the_note_is_no_edit(
    workspace: Workspace, repository: Repository, bring: Bring
) -> None:
    bring(step(repository.folder))
    note = (workspace.internal / "sources/train.json").read_bytes()
    repository.git("tag", "v2")
    repository.commit({"helper.py": "X = 2\n"})
    bring(step(repository.folder, "main"))
    (workspace.internal / "sources/train.json").write_bytes(note)

    bring(step(repository.folder, "main"))

    assert edited_files(workspace, "train") == []
    assert (workspace.asset("train") / "helper.py").read_text() == "X = 2\n"
