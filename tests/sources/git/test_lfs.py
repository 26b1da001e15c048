"""Files that a repository keeps in Git LFS come, or the checkout is refused; pointers never do."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.errors import SourceError
from alo.sources.git.clones import Clone
from alo.sources.git.command import Git
from alo.sources.git.lfs import pointers

from ..repositories import ASSET, Repository

CONTENT = b"weights\x00" * 1000
OID = hashlib.sha256(CONTENT).hexdigest()
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{OID}\nsize {len(CONTENT)}\n"

# As git-lfs does: brings contents into the storage that it is told of.
FAKE = """\
#!/bin/sh
objects="$GIT_DIR/lfs/objects"
[ "$1" = env ] && echo "LocalMediaDir=$objects"
[ "$1" = fetch ] || exit 0
echo "$@" >> {log}
git config remote.origin.url >> {log}
git config lfs.url >> {log}
folder="$objects/{one}/{two}"
mkdir -p "$folder"
cp {content} "$folder/{oid}"
"""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "origin")
    files = {"asset_train.py": ASSET, "weights.bin": POINTER, "steps/asset_a.py": ASSET}
    made.commit({**files, "steps/more.bin": POINTER})
    return made


@pytest.fixture
def clone(tmp_path: Path, repository: Repository) -> Clone:
    return Clone(f"file://{repository.folder}", Git(), tmp_path / "clones")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with git and a shell, and no git-lfs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("git", "sh", "cp", "mkdir", "cat"):
        os.symlink(str(shutil.which(name)), folder / name)
    monkeypatch.setenv("PATH", str(folder))
    if subprocess.run(["git", "lfs", "version"], capture_output=True, check=False).returncode == 0:
        pytest.skip("git has a git-lfs of its own here")
    return folder


@pytest.fixture
def git_lfs(programs: Path, tmp_path: Path) -> Callable[[bytes], Path]:
    """Call it with what git-lfs brings; returns the log of its calls."""

    def make(content: bytes) -> Path:
        (tmp_path / "content").write_bytes(content)
        names = {"one": OID[:2], "two": OID[2:4], "oid": OID, "content": tmp_path / "content"}
        program = programs / "git-lfs"
        program.write_text(FAKE.format(log=tmp_path / "log", **names))
        program.chmod(0o755)
        return tmp_path / "log"

    return make


def exported(clone: Clone, tmp_path: Path, path: str = "", *, offline: bool = False) -> Path:
    target = tmp_path / f"target-{os.urandom(4).hex()}"
    clone.export(clone.bring("main", offline=offline), path, target, offline=offline)
    return target


def test_without_git_lfs_the_checkout_is_refused(
    clone: Clone, tmp_path: Path, programs: Path
) -> None:
    with pytest.raises(SourceError, match=r"keeps .*weights\.bin.* in Git LFS") as caught:
        exported(clone, tmp_path)

    assert f"steps/more.bin ({2 * len(CONTENT):,} bytes)" in caught.value.what.replace(
        "weights.bin, steps/more.bin", "steps/more.bin"
    ).replace("steps/more.bin, weights.bin", "steps/more.bin")
    assert "apt install git-lfs" in caught.value.fix
    assert not list(tmp_path.glob("target-*"))


@pytest.mark.parametrize("path", ["", "steps"])
def test_with_git_lfs_the_contents_come(
    clone: Clone, tmp_path: Path, git_lfs: Callable[[bytes], Path], path: str
) -> None:
    log = git_lfs(CONTENT)

    folder = exported(clone, tmp_path, path)

    assert (folder / ("more.bin" if path else "weights.bin")).read_bytes() == CONTENT
    assert pointers(folder) == {}
    assert clone.url in log.read_text().splitlines()
    before = log.read_text()
    exported(clone, tmp_path, path)
    exported(clone, tmp_path, path, offline=True)
    assert log.read_text() == before  # they are in the cache


def test_the_server_that_the_repository_names_is_asked(
    clone: Clone, repository: Repository, tmp_path: Path, git_lfs: Callable[[bytes], Path]
) -> None:
    repository.commit({".lfsconfig": "[lfs]\n\turl = https://lfs.host/x\n"})
    log = git_lfs(CONTENT)

    exported(clone, tmp_path)

    assert "https://lfs.host/x" in log.read_text().splitlines()


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT[:-1] + b"x"])
def test_what_is_not_the_content_is_refused(
    clone: Clone, tmp_path: Path, git_lfs: Callable[[bytes], Path], content: bytes
) -> None:
    git_lfs(content)

    with pytest.raises(SourceError, match="has not brought the content of"):
        exported(clone, tmp_path)

    assert not list(tmp_path.glob("target-*"))


def test_offline_says_that_the_contents_are_not_in_the_cache(
    clone: Clone, tmp_path: Path, git_lfs: Callable[[bytes], Path]
) -> None:
    git_lfs(CONTENT)
    clone.bring("main")

    with pytest.raises(SourceError, match="keeps in Git LFS is not in the cache"):
        exported(clone, tmp_path, offline=True)


def test_a_password_that_git_lfs_notes_is_not_kept(
    clone: Clone, tmp_path: Path, git_lfs: Callable[[bytes], Path]
) -> None:
    git_lfs(CONTENT)
    program = tmp_path / "bin/git-lfs"
    note = "git config lfs.https://me:s3cr3t@host/x.git/info/lfs.access basic"
    program.write_text(f"{program.read_text()}{note}\n")

    exported(clone, tmp_path)

    text = (clone.folder / "config").read_text()
    assert "s3cr3t" not in text
    assert "https://host/x.git/info/lfs" in text


def test_only_what_is_a_pointer_counts_as_one(tmp_path: Path) -> None:
    (tmp_path / "readme").write_text(f"An example:\n{POINTER}")
    (tmp_path / "long").write_text(POINTER + "x" * 2000)
    os.symlink("readme", tmp_path / "link")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/old.bin").write_text(POINTER.replace("git-lfs.github.com", "hawser.github.com"))

    assert list(pointers(tmp_path)) == ["in/old.bin"]


def test_the_real_git_lfs_brings_them_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if subprocess.run(["git", "lfs", "version"], capture_output=True, check=False).returncode:
        pytest.skip("git-lfs is not installed here")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    repository = Repository(tmp_path / "origin")
    repository.git("lfs", "install", "--local")
    repository.git("lfs", "track", "*.bin")
    (repository.folder / "weights.bin").write_bytes(CONTENT)
    repository.commit({"asset_train.py": ASSET})
    assert repository.git("cat-file", "-p", "HEAD:weights.bin") == POINTER.strip()
    clone = Clone(f"file://{repository.folder}", Git(), tmp_path / "clones")

    assert (exported(clone, tmp_path) / "weights.bin").read_bytes() == CONTENT
