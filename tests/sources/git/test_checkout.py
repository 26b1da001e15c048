"""The code of assets comes from git whole or not at all, and nothing of the user's is lost."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from alo.errors import SourceError
from alo.layout import Workspace
from alo.plan.model import StepPlan
from alo.sources.git import checkout
from alo.sources.git.checkout import (
    Policy,
    bring_sources,
    check_remote,
    current_checkouts,
    needs_checkout,
)
from alo.sources.git.clones import cache_folder
from alo.sources.git.repositories import source_problems

from ...waiting import wait_until
from ..repositories import ASSET, Repository
from .conftest import Bring, plan, step

pytestmark = pytest.mark.usefixtures("cache")


def tree(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def test_a_repository_is_checked_out_without_its_history(
    workspace: Workspace, repository: Repository, bring: Bring
) -> None:
    commit = repository.git("rev-parse", "HEAD")

    told = bring(step(f"file://{repository.folder}"))

    assert tree(workspace.asset("train")) == {"asset_train.py": ASSET, "helper.py": "X = 1\n"}
    at = f"file://{repository.folder} at {commit[:12]}"
    assert told == [f"step train: {at} is in assets/train/ (not there yet)"]
    (found,) = current_checkouts(workspace, [step(repository.folder)])
    assert found.commit == commit
    assert os.listdir(workspace.assets) == ["train"]


def test_code_of_a_container_image_is_replaced_by_newer_code(
    workspace: Workspace,
    repository: Repository,
    bring: Bring,
    tmp_path: Path,
    mount: Callable[..., Path],
) -> None:
    bring(step(repository.folder))
    layers = [tmp_path / name for name in ("image", "upper", "work")]
    workspace.home.rename(layers[0])
    for layer in layers[1:]:
        layer.mkdir()
    options = ",".join(
        f"{name}={layer}"
        for name, layer in zip(("lowerdir", "upperdir", "workdir"), layers, strict=True)
    )
    mount(workspace.home, "-t", "overlay", "overlay", "-o", options, lazily=True)
    repository.commit({"helper.py": "X = 2\n"})

    bring(step(repository.folder), every=True)

    assert (workspace.asset("train") / "helper.py").read_text() == "X = 2\n"
    assert os.listdir(workspace.assets) == ["train"]


@pytest.mark.parametrize("kind", ["branch", "tag", "annotated tag", "commit", "short commit"])
def test_branch_is_a_branch_a_tag_or_a_commit(
    workspace: Workspace, repository: Repository, bring: Bring, kind: str
) -> None:
    wanted = repository.commit({"helper.py": "X = 2\n"})
    repository.git("branch", "feature/two")
    repository.git("tag", "v2")
    repository.git("tag", "-a", "v2a", "-m", "x")
    repository.commit({"helper.py": "X = 3\n"})
    names = {
        "branch": "feature/two",
        "tag": "v2",
        "annotated tag": "v2a",
        "commit": wanted,
        "short commit": wanted[:10],
    }

    bring(step(repository.folder, names[kind]))

    assert (workspace.asset("train") / "helper.py").read_text() == "X = 2\n"
    assert current_checkouts(workspace, [step(repository.folder)])[0].commit == wanted


def test_a_folder_of_a_repository_can_be_named_and_paths_are_relative_to_the_project(
    workspace: Workspace, repository: Repository, bring: Bring
) -> None:
    repository.commit({"steps/train/asset_train.py": ASSET, "steps/train/a b/ü.txt": "1"})

    bring(step("../origin", path="steps/train/"))

    assert tree(workspace.asset("train")) == {"asset_train.py": ASSET, "a b/ü.txt": "1"}


def test_every_takes_the_newest_commit_and_rests_where_there_is_none(
    workspace: Workspace, repository: Repository, bring: Bring
) -> None:
    bring(step(repository.folder))
    inode = workspace.asset("train").stat().st_ino
    assert bring(step(repository.folder), every=True) == []
    assert workspace.asset("train").stat().st_ino == inode
    repository.commit({"helper.py": "X = 2\n"})

    assert len(bring(step(repository.folder), every=True)) == 1
    assert (workspace.asset("train") / "helper.py").read_text() == "X = 2\n"


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda here: step("/nowhere/at/all"), "cannot be read: .*does not (exist|appear)"),
        (lambda here: step("http://127.0.0.1:9/x.git"), "cannot be read: .*[Cc]onnect"),
        (lambda here: step(here, "mian"), "no branch, tag or commit 'mian'; did you mean 'main'?"),
        (lambda here: step(here, "f" * 40), f"no branch, tag or commit '{'f' * 40}'"),
        (lambda here: step(here, path="nowhere"), "has no folder 'nowhere'"),
        (lambda here: step(here, path="helper.py"), "cannot be fetched|has no folder"),
        (lambda here: step(here, name="other"), "has no asset_other.py; it has asset_train.py"),
    ],
)
def test_what_cannot_be_had_is_said_and_leaves_what_is_there(
    workspace: Workspace,
    repository: Repository,
    bring: Bring,
    make: Callable[[Path], StepPlan],
    what: str,
) -> None:
    wanted = make(repository.folder)
    bring(step(repository.folder)._replace(name="train"))
    before = tree(workspace.assets)

    with pytest.raises(SourceError, match=what):
        bring(wanted)

    assert tree(workspace.assets) == before
    assert all(not name.endswith("alo-tmp") for name in os.listdir(workspace.assets))


def test_a_folder_that_was_emptied_is_fetched_again(
    workspace: Workspace, repository: Repository, bring: Bring
) -> None:
    bring(step(repository.folder))
    for path in workspace.asset("train").iterdir():
        path.unlink()

    (told,) = bring(step(repository.folder))

    assert "its folder is empty" in told
    assert (workspace.asset("train") / "asset_train.py").read_text() == ASSET


def test_nothing_is_in_its_place_before_all_of_it_was_looked_at(
    workspace: Workspace, repository: Repository
) -> None:
    other = step(repository.folder, name="other", path="other")
    repository.commit({"other/asset_other.py": ASSET})
    seen: dict[str, dict[str, str]] = {}

    def inspect(folders: Mapping[str, Path]) -> None:
        seen.update({name: tree(folder) for name, folder in folders.items()})
        raise ValueError("no")

    steps = [step(repository.folder), other]
    with pytest.raises(ValueError, match="no"):
        bring_sources(workspace, plan(*steps), steps, Policy(), print, inspect=inspect)

    assert seen["other"] == {"asset_other.py": ASSET}
    assert seen["train"]["asset_train.py"] == ASSET
    assert os.listdir(workspace.assets) == []


def test_cleaning_up_hides_no_error_and_loses_nothing(
    workspace: Workspace, repository: Repository, bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(step(repository.folder))
    before = tree(workspace.asset("train"))
    repository.commit({"helper.py": "X = 2\n"})
    rename, removed = os.rename, []

    def no_room(source: Path, target: Path) -> None:
        if target == workspace.asset("train") and ".aside." not in str(source):
            raise OSError(28, "No space left on device", str(target))
        rename(source, target)

    def refuse(path: Path) -> None:
        removed.append(path)
        raise OSError(39, "Directory not empty", str(path))

    monkeypatch.setattr(os, "rename", no_room)
    monkeypatch.setattr("alo.files.remove_tree", refuse)
    with pytest.raises(SourceError, match="No space left on device"):
        bring(step(repository.folder), every=True)
    monkeypatch.undo()

    assert removed
    assert tree(workspace.asset("train")) == before


def test_a_submodule_is_refused(
    workspace: Workspace, repository: Repository, bring: Bring, tmp_path: Path
) -> None:
    other = Repository(tmp_path / "other")
    other.commit({"x": "1"})
    repository.git("submodule", "--quiet", "add", str(other.folder), "sub")
    repository.commit({})

    with pytest.raises(SourceError, match="has a submodule, sub"):
        bring(step(repository.folder))


def test_a_work_tree_of_the_users_is_left_alone(
    workspace: Workspace, repository: Repository, bring: Bring, tmp_path: Path
) -> None:
    workspace.assets.mkdir()
    subprocess.run(
        ["git", "clone", "--quiet", str(repository.folder), str(workspace.asset("train"))],
        check=True,
    )
    (workspace.asset("train") / "helper.py").write_text("mine")

    own = step(repository.folder, "main")
    foreign = step(tmp_path / "elsewhere")

    assert list(source_problems(workspace, plan(own), plan(own).pipelines)) == []
    assert bring(own, every=True, force=True) == []
    (problem,) = source_problems(workspace, plan(foreign), plan(foreign).pipelines)
    assert "is a git work tree of yours" in problem.what
    assert problem.line == 7
    assert (workspace.asset("train") / "helper.py").read_text() == "mine"


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


def test_the_commit_of_a_lock_file_is_taken_whatever_the_branch_is(
    workspace: Workspace, repository: Repository, bring: Bring
) -> None:
    locked = repository.git("rev-parse", "HEAD")
    repository.commit({"helper.py": "X = 2\n"})
    bring(step(repository.folder, "main"))

    (told,) = bring(step(repository.folder, "main"), commits={"train": locked})

    assert "the lock file has commit" in told
    assert (workspace.asset("train") / "helper.py").read_text() == "X = 1\n"
    assert bring(step(repository.folder, "main"), commits={"train": locked}) == []


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


def test_the_network_is_asked_for_what_a_plan_names(
    workspace: Workspace, repository: Repository
) -> None:
    good, bad = step(repository.folder), step(repository.folder, "nope", name="other")

    (problem,) = check_remote(workspace, plan(good, bad))

    assert "no branch, tag or commit 'nope'" in problem.what
    assert problem.key == "step other"
    assert not workspace.assets.exists()


def test_a_move_that_was_cut_off_is_undone(
    workspace: Workspace, repository: Repository, bring: Bring
) -> None:
    bring(step(repository.folder))
    folder = workspace.asset("train")
    os.rename(folder, folder.with_name(".train.aside.alo-tmp"))
    (folder.with_name(".train.99.alo-tmp")).mkdir()

    assert bring(step(repository.folder)) == []
    assert os.listdir(workspace.assets) == ["train"]


KILLED = """\
import sys
from pathlib import Path
from alo.layout import Workspace
from alo.plan.model import PipelinePlan, Plan, Source, StepPlan
from alo.sources.git.checkout import Policy, bring_sources
step = StepPlan("train", {}, source=Source(sys.argv[2], sys.argv[3]))
plan = Plan.__new__(Plan, *([None] * len(Plan._fields)))._replace(file="plan.yaml", places={})
print("ready", flush=True)
bring_sources(Workspace(Path(sys.argv[1])), plan, [step], Policy(), print)
"""


def test_a_kill_at_any_moment_leaves_a_folder_whole_or_absent(
    workspace: Workspace, repository: Repository, bring: Bring
) -> None:
    contents = {}
    for name in ("one", "two"):
        files = {f"data/{number}": f"{name} {number}\n" for number in range(300)}
        repository.commit({"helper.py": f"X = '{name}'\n", **files})
        repository.git("tag", name)
        contents[name] = {"asset_train.py": ASSET, "helper.py": f"X = '{name}'\n", **files}
    for turn in range(12):
        name = ("one", "two")[turn % 2]
        command = [sys.executable, "-c", KILLED, workspace.home, repository.folder, name]
        with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(random.uniform(0, 0.15))  # noqa: S311 - any moment will do
            process.kill()

        folder = workspace.asset("train")
        assert not folder.exists() or tree(folder) in contents.values()
        bring(step(repository.folder, name))
        assert tree(folder) == contents[name]
        assert os.listdir(workspace.assets) == ["train"]


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


def test_a_user_without_a_home_is_told_where_to_name_a_cache(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("ALO_CACHE_DIR", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 987654)  # a number without a name

    with pytest.raises(SourceError, match="no home") as caught:
        cache_folder()

    assert "ALO_CACHE_DIR" in caught.value.fix


def test_needs_are_told_without_git(
    workspace: Workspace, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkout, "_stoppable_git", None)

    assert needs_checkout(workspace, step(repository.folder), Policy()) == "not there yet"


def test_a_full_disk_of_the_project_keeps_what_is_there(
    repository: Repository, small_disk: Callable[..., Path]
) -> None:
    workspace, told = Workspace(small_disk(1)), list[str]()
    one = step(repository.folder)
    bring_sources(workspace, plan(one), [one], Policy(), told.append)
    before = tree(workspace.assets)
    repository.commit({"data.txt": os.urandom(1_000_000).hex()})

    with pytest.raises(SourceError) as caught:
        bring_sources(workspace, plan(one), [one], Policy(every=True), told.append)

    assert "step 'train': " in caught.value.what
    assert "make room" in caught.value.fix
    assert tree(workspace.assets) == before
    assert os.listdir(workspace.assets) == ["train"]
