"""The cache of clones: whatever repositories and servers are like, and whatever befell it."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from alo.errors import SourceError
from alo.layout import Workspace
from alo.sources.git.clones import Clone, clones_folder
from alo.sources.git.command import Git

from ..repositories import ASSET, Repository
from .conftest import exported


def test_a_branch_comes_before_a_tag_of_its_name(
    clone: Clone, repository: Repository, tmp_path: Path
) -> None:
    repository.git("tag", "both")
    repository.commit({"helper.py": "X = 2\n"})
    repository.git("branch", "both")

    assert (exported(clone, tmp_path, "both") / "helper.py").read_text() == "X = 2\n"


@pytest.mark.parametrize("how", ["4 digits", "upper case", "whole, in upper case"])
def test_a_commit_may_be_written_short_and_in_any_case(
    clone: Clone, repository: Repository, how: str
) -> None:
    commit = repository.git("rev-parse", "HEAD")
    written = {"4 digits": commit[:4], "upper case": commit[:10].upper()}.get(how, commit.upper())

    assert clone.bring(written) == commit


def test_what_several_commits_begin_with_is_reported(
    clone: Clone, repository: Repository, tmp_path: Path
) -> None:
    """One of two thousand commits in a row begins like another, as good as surely."""
    who = "committer a <a@b> {n} +0000\ndata 1\nx"
    commits = "\n".join(f"commit refs/heads/many\n{who.format(n=n)}" for n in range(2000))
    command = ["git", "-C", str(repository.folder), "fast-import", "--quiet"]
    subprocess.run(command, input=commits.encode(), check=True)
    ids = repository.git("log", "--format=%H", "many").split()
    begins = [each[:4] for each in ids]
    twice = next(each for each in begins if begins.count(each) > 1)

    with pytest.raises(SourceError, match=f"several commits that begin with {twice}"):
        clone.bring(twice)


def test_an_empty_repository_and_one_without_a_default_branch_are_reported(
    tmp_path: Path, repository: Repository, clone: Clone
) -> None:
    empty = Repository(tmp_path / "empty")
    with pytest.raises(SourceError, match="has no default branch; it is empty"):
        Clone(str(empty.folder), Git(), tmp_path / "clones").bring("")
    with pytest.raises(SourceError, match="has no branch, tag or commit 'main'; it is empty"):
        Clone(str(empty.folder), Git(), tmp_path / "clones").bring("main")
    repository.git("symbolic-ref", "HEAD", "refs/heads/gone")

    with pytest.raises(SourceError, match="has no default branch; there is main") as caught:
        clone.bring("")

    assert caught.value.key == "branch"


def test_a_repository_with_longer_ids_is_fetched(tmp_path: Path) -> None:
    folder = tmp_path / "wide"
    done = subprocess.run(
        ["git", "init", "--quiet", "--object-format=sha256", "-b", "main", str(folder)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("this git has no SHA-256")
    made = Repository.__new__(Repository)
    made.folder = folder
    commit = made.commit({"asset_train.py": ASSET})
    clone = Clone(f"file://{folder}", Git(), tmp_path / "clones")

    assert len(commit) == 64
    assert clone.bring("main") == commit
    assert clone.bring(commit) == commit
    assert (exported(clone, tmp_path) / "asset_train.py").read_text() == ASSET


@pytest.fixture
def plain_server(repository: Repository, tmp_path: Path) -> Iterator[str]:
    """The repository as plain files behind HTTP, as any web server gives them."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    repository.git("update-server-info")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/origin/.git"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_server_of_plain_files_will_do(plain_server: str, tmp_path: Path) -> None:
    clone = Clone(plain_server, Git(), tmp_path / "clones")

    assert (exported(clone, tmp_path) / "helper.py").read_text() == "X = 1\n"


def empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def without(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    damage.__name__ = f"without_{name}"
    return damage


def without_some_objects(folder: Path) -> None:
    files = sorted(path for path in (folder / "objects").rglob("*") if path.is_file())
    for path in files[::2]:
        path.unlink()


def cut_objects(folder: Path) -> None:
    for path in (folder / "objects").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(path.read_bytes()[:20])


def spoilt_refs(folder: Path) -> None:
    for path in (folder / "refs").rglob("*"):
        if path.is_file():
            path.write_text("0" * 40)


DAMAGES = [
    empty,
    *map(without, ["HEAD", "config", "objects", "refs", "shallow", "refs/alo"]),
    without_some_objects,
    cut_objects,
    spoilt_refs,
]


@pytest.mark.parametrize("is_known", [True, False], ids=["known commit", "new commit"])
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_clone_that_is_damaged_in_any_way_is_made_good(
    clone: Clone,
    repository: Repository,
    tmp_path: Path,
    damage: Callable[[Path], None],
    is_known: bool,
) -> None:
    exported(clone, tmp_path)
    damage(clone.folder)
    if not is_known:
        repository.commit({"helper.py": "X = 2\n"})

    folder = exported(clone, tmp_path)

    assert (folder / "helper.py").read_text() == f"X = {1 if is_known else 2}\n"
    assert (folder / "asset_train.py").read_text() == ASSET


def test_a_sound_clone_survives_an_interrupt(clone: Clone, repository: Repository) -> None:
    clone.bring("main")
    git = Git()
    git.stop()

    with pytest.raises(SourceError):
        Clone(clone.url, git, clone.folder.parent).bring("main")

    assert (clone.folder / "refs/alo").is_dir()


def test_a_cache_that_cannot_be_written_is_left_for_the_projects_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(tmp_path / "project")
    monkeypatch.delenv("ALO_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    assert clones_folder(workspace) == tmp_path / "home/alo/git"
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert clones_folder(workspace) == workspace.internal / "clones"
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    assert clones_folder(workspace) == workspace.internal / "clones"

    monkeypatch.setenv("ALO_CACHE_DIR", str(tmp_path / "file"))  # who names one gets it, or is told
    assert clones_folder(workspace) == tmp_path / "file/git"
