from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest
import yaml  # noqa: F401 - to be among the packages that are imported

from alo.engine import environment
from alo.engine.environment import GitState, imported_packages, package_version, python_version

Git = Callable[..., str]
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """Call it with git's arguments; a work tree with one commit of ``a.py`` is in ``tmp_path``."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")

    def run(*args: str) -> str:
        identity = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", "-C", str(tmp_path), *identity, *args],
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    run("init", "--quiet")
    (tmp_path / "a.py").write_text("1")
    run("add", "a.py")
    run("commit", "--quiet", "--message", "first")
    return run


@needs_git
def test_a_clean_tree_has_its_commit(git: Git, tmp_path: Path) -> None:
    state = GitState(tmp_path)

    assert state.read() == {"commit": git("rev-parse", "HEAD"), "dirty": False}


@needs_git
@pytest.mark.parametrize("is_staged", [False, True])
def test_an_edited_file_makes_it_dirty(is_staged: bool, git: Git, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("22")
    if is_staged:
        git("add", "a.py")

    assert GitState(tmp_path).read()["dirty"] is True


@needs_git
def test_files_that_git_does_not_know_do_not_make_it_dirty(git: Git, tmp_path: Path) -> None:
    (tmp_path / "train_artifacts").mkdir()
    (tmp_path / "train_artifacts/model").write_text("x")

    assert GitState(tmp_path).read()["dirty"] is False


@needs_git
def test_only_changes_inside_the_project_count(git: Git, tmp_path: Path) -> None:
    home = tmp_path / "solution one"
    home.mkdir()
    (home / "b.py").write_text("1")
    git("add", ".")
    git("commit", "--quiet", "--message", "second")
    (tmp_path / "a.py").write_text("22")

    beside = GitState(home).read()
    (home / "b.py").write_text("22")
    inside = GitState(home).read()

    assert beside == {"commit": git("rev-parse", "HEAD"), "dirty": False}
    assert inside["dirty"] is True


@needs_git
def test_a_detached_head_has_a_commit_too(git: Git, tmp_path: Path) -> None:
    git("checkout", "--quiet", "--detach")

    assert GitState(tmp_path).read()["commit"] == git("rev-parse", "HEAD")


@needs_git
def test_a_repository_without_a_commit_has_no_state(git: Git, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / ".git")
    git("init", "--quiet")

    assert GitState(tmp_path).read() == {}


@needs_git
def test_it_is_asked_for_once(git: Git, tmp_path: Path) -> None:
    state = GitState(tmp_path)
    state.read()

    assert state.read() == {}


@needs_git
def test_a_damaged_repository_has_no_state(git: Git, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / ".git")
    (tmp_path / ".git").write_text("gitdir: nowhere")

    assert GitState(tmp_path).read() == {}


def test_outside_of_a_repository_git_is_not_even_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **options: object) -> int:
        raise AssertionError("started")

    monkeypatch.setattr(os, "posix_spawnp", refuse)

    assert GitState(tmp_path).read() == {}


def test_without_git_there_is_no_state_and_no_descriptor_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path))
    before = os.listdir("/dev/fd")

    state = GitState(tmp_path).read()

    assert state == {}
    assert len(os.listdir("/dev/fd")) == len(before)


def fake_git(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / ".git").mkdir()
    (folder / "bin").mkdir()
    git = folder / "bin/git"
    git.write_text(f"#!/bin/sh\n{script}\n")
    git.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder / "bin"), prepend=os.pathsep)


@pytest.mark.parametrize("script", ["exec sleep 60", "echo '# branch.oid 123'; exec sleep 60"])
def test_a_git_that_hangs_is_ended(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_git(tmp_path, script, monkeypatch)
    monkeypatch.setattr(environment, "GIT_PATIENCE_S", 0.1)
    state = GitState(tmp_path)
    pid = state._pid

    assert state.read() == {}
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_git_with_much_to_tell_is_not_heard_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "echo '# branch.oid 123'; while :; do echo '1 .M a'; done"
    fake_git(tmp_path, script, monkeypatch)

    assert GitState(tmp_path).read() == {"commit": "123", "dirty": True}


def test_a_git_that_an_asset_has_reaped_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_git(tmp_path, "echo '# branch.oid 123'", monkeypatch)
    state = GitState(tmp_path)
    os.waitpid(state._pid, 0)

    assert state.read() == {"commit": "123", "dirty": False}


def test_the_version_of_python_has_three_numbers() -> None:
    assert python_version() == ".".join(map(str, sys.version_info[:3]))


def test_imported_packages_are_reported_by_their_import_name() -> None:
    packages = imported_packages()

    assert packages["yaml"] == version("PyYAML")
    assert packages["pytest"] == version("pytest")
    assert "os" not in packages
    assert not any("." in name or name.startswith("_") for name in packages)


@pytest.mark.parametrize(
    ("module", "package"), [("yaml", "PyYAML"), ("pytest", "pytest"), ("xxhash", "xxhash")]
)
def test_the_version_of_a_package_is_that_of_its_installation(module: str, package: str) -> None:
    assert package_version(module) == version(package)


def test_a_package_that_is_not_there_has_no_version() -> None:
    assert package_version("not_installed_anywhere") == ""


def test_a_package_installed_for_one_step_is_the_one_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site-packages"
    (site / "PyYAML-99.1.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(site)

    assert package_version("yaml") == "99.1"


def test_a_module_without_metadata_may_tell_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("told_by_itself")
    module.__dict__["__version__"] = "1.2"
    monkeypatch.setitem(sys.modules, "told_by_itself", module)

    assert package_version("told_by_itself") == "1.2"


def test_modules_that_are_none_or_hide_their_file_are_passed_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "is_none", None)
    monkeypatch.setitem(sys.modules, "has_no_file", ModuleType("has_no_file"))

    packages = imported_packages()

    assert not {"is_none", "has_no_file"} & packages.keys()
