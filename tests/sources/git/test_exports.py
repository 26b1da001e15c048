"""Files of a commit come out the same on every machine, whatever their names."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.errors import SourceError
from alo.sources.git.clones import Clone
from alo.sources.git.exports import Export

from ..repositories import Repository
from .conftest import exported


def test_attributes_above_a_folder_hold_in_it(
    clone: Clone, repository: Repository, tmp_path: Path
) -> None:
    attributes = "*.txt text eol=crlf\n*.py ident\ntests export-ignore\n"
    files = {"s/t/a.txt": "1\n2\n", "s/t/b.py": "# $Id$\n", "s/t/tests/c.py": ""}
    repository.commit({".gitattributes": attributes, **files})

    folder = exported(clone, tmp_path, path="s/t")

    assert (folder / "a.txt").read_bytes() == b"1\r\n2\r\n"
    assert (folder / "b.py").read_text().startswith("# $Id: ")
    assert (folder / "tests/c.py").exists()
    assert sorted(os.listdir(folder)) == ["a.txt", "b.py", "tests"]
    assert not list(tmp_path.glob("*.whole"))


def test_files_are_the_same_whatever_the_users_settings(
    clone: Clone, repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "gitconfig"
    settings.write_text("[core]\n autocrlf = true\n eol = crlf\n[init]\n defaultBranch = x\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    repository.commit({".gitattributes": "* text=auto\n", "a.txt": "1\n"})

    assert (exported(clone, tmp_path) / "a.txt").read_bytes() == b"1\n"


@pytest.mark.parametrize(
    ("path", "what"),
    [("helper.py", "that is a file"), ("link", "that is a link"), ("stesp", "'steps'")],
)
def test_what_is_no_folder_is_reported(
    clone: Clone, repository: Repository, tmp_path: Path, path: str, what: str
) -> None:
    os.symlink("steps", repository.folder / "link")
    repository.commit({"steps/a": ""})

    with pytest.raises(SourceError, match=f"has no folder '{path}'.*{what}") as caught:
        exported(clone, tmp_path, path=path)

    assert caught.value.key == "path"


def test_names_that_are_one_on_this_file_system_are_reported(tmp_path: Path) -> None:
    """Where README and readme are one file, one of them would be lost without a word."""
    target = tmp_path / "target"
    target.mkdir()
    (target / "README").touch()
    os.link(target / "README", target / "readme")
    export = Export("https://host/x", tmp_path, "c", "", target, lambda *words: "")

    with pytest.raises(SourceError, match="has 'README' and 'readme', which are one file on"):
        export._refuse_clashes(["README", "readme"])
    with pytest.raises(SourceError, match="has 'gone', which is no name of a file on this"):
        export._refuse_clashes(["README", "gone"])


def test_names_of_any_kind_are_checked_out(
    clone: Clone, repository: Repository, tmp_path: Path
) -> None:
    names = [
        b"\xff\xfe.txt",
        "한국어.txt".encode(),
        "a\u0308.txt".encode(),
        b"new\nline",
        b"README",
    ]
    for name in (*names, b"readme"):
        path = os.path.join(os.fsencode(repository.folder), name)
        with open(path, "wb") as file:
            file.write(name)
    repository.commit({})

    folder = exported(clone, tmp_path)

    assert set(names) < set(os.listdir(os.fsencode(folder)))


def without(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    damage.__name__ = f"without_{name}"
    return damage
