"""The cache of clones is shared and mended, and named where it cannot be used."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alo.errors import SourceError
from alo.layout import Workspace
from alo.sources.git.clones import cache_folder

from ...support.waiting import wait_until
from ..repositories import ASSET, Repository
from .conftest import Bring, step
from .test_checkout import tree

pytestmark = pytest.mark.usefixtures("cache")


def test_offline_takes_what_the_cache_has_and_says_what_is_missing(
    workspace: Workspace, repository: Repository, bring: Bring
) -> None:
    with pytest.raises(SourceError, match="is not in the cache at 'main'") as caught:
        bring(step(repository.folder, "main"), offline=True)
    assert "--offline" in caught.value.fix
    bring(step(repository.folder, "main"))
    shutil.rmtree(workspace.assets)
    shutil.move(repository.folder, repository.folder.with_name("gone"))

    bring(step(repository.folder, "main"), offline=True)

    assert (workspace.asset("train") / "asset_train.py").is_file()


def test_steps_of_one_repository_share_its_clone(
    workspace: Workspace, repository: Repository, bring: Bring, cache: Path
) -> None:
    repository.commit({f"{name}/asset_{name}.py": ASSET for name in ("a", "b", "c")})

    bring(*(step(repository.folder, path=name, name=name) for name in ("a", "b", "c")))

    assert sorted(os.listdir(workspace.assets)) == ["a", "b", "c"]
    assert len(list(cache.glob("git/*.git"))) == 1


def test_a_damaged_clone_is_made_anew(
    workspace: Workspace, repository: Repository, bring: Bring, cache: Path
) -> None:
    bring(step(repository.folder))
    (clone,) = cache.glob("git/*.git")
    for path in (clone / "objects").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(b"spoiled")
    shutil.rmtree(workspace.asset("train"))

    bring(step(repository.folder))

    assert tree(workspace.asset("train")) == {"asset_train.py": ASSET, "helper.py": "X = 1\n"}


def test_locks_of_a_git_that_was_killed_do_not_stand_in_the_way(
    workspace: Workspace, repository: Repository, bring: Bring, cache: Path
) -> None:
    bring(step(repository.folder))
    (clone,) = cache.glob("git/*.git")
    for name in ("shallow.lock", "index.lock", "packed-refs.lock", "config.lock"):
        (clone / name).touch()
    repository.commit({"helper.py": "X = 2\n"})

    bring(step(repository.folder), every=True)

    assert (workspace.asset("train") / "helper.py").read_text() == "X = 2\n"


def test_a_cache_that_cannot_be_used_is_named(
    repository: Repository, bring: Bring, cache: Path
) -> None:
    cache.write_text("a file")

    with pytest.raises(SourceError, match="cache of git repositories cannot be used") as caught:
        bring(step(repository.folder))

    assert "ALO_CACHE_DIR" in caught.value.fix


def test_a_full_cache_is_named_and_leaves_nothing_behind(
    workspace: Workspace,
    repository: Repository,
    bring: Bring,
    small_disk: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALO_CACHE_DIR", str(small_disk(1)))
    noise = os.urandom(3_000_000).hex()
    repository.commit({"data.txt": noise})

    with pytest.raises(SourceError, match="No space left") as caught:
        bring(step(repository.folder))

    assert "ALO_CACHE_DIR" in caught.value.fix
    assert not workspace.asset("train").exists()
    repository.git("rm", "-q", "data.txt")
    repository.commit({})
    bring(step(repository.folder))
    assert (workspace.asset("train") / "asset_train.py").is_file()


@pytest.fixture
def daemon(repository: Repository, tmp_path: Path) -> Iterator[str]:
    """The repository behind git's own protocol."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    command = ["git", "daemon", "--reuseaddr", "--listen=127.0.0.1", f"--port={port}"]
    command += ["--export-all", f"--base-path={tmp_path}"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_until(answers)
        yield f"git://127.0.0.1:{port}/origin"
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def test_a_server_is_fetched_from_shallowly(
    workspace: Workspace, repository: Repository, bring: Bring, daemon: str, cache: Path
) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.commit({"helper.py": "X = 2\n"})

    bring(step(daemon, "main"))

    (clone,) = cache.glob("git/*.git")
    count = ["git", f"--git-dir={clone}", "rev-list", "--all", "--count"]
    assert subprocess.run(count, capture_output=True, text=True, check=True).stdout == "1\n"
    assert bring(step(daemon, first[:12]))  # which needs all of the history
    assert (workspace.asset("train") / "helper.py").read_text() == "X = 1\n"


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALO_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", "/some/cache")
    assert cache_folder() == Path("/some/cache/alo")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/me")
    assert cache_folder() == Path("/home/me/.cache/alo")


def test_a_user_without_a_home_is_reported_where_to_name_a_cache(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("ALO_CACHE_DIR", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 987654)  # a number without a name

    with pytest.raises(SourceError, match="no home") as caught:
        cache_folder()

    assert "ALO_CACHE_DIR" in caught.value.fix
