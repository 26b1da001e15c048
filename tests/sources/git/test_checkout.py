"""The code of assets comes from git whole or not at all, and nothing of the user's is lost."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
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
from alo.sources.git.repositories import source_problems

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

    reported = bring(step(f"file://{repository.folder}"))

    assert tree(workspace.asset("train")) == {"asset_train.py": ASSET, "helper.py": "X = 1\n"}
    at = f"file://{repository.folder} at {commit[:12]}"
    assert reported == [f"step train: {at} is in assets/train/ (not there yet)"]
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

    (reported,) = bring(step(repository.folder))

    assert "its folder is empty" in reported
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


def test_the_commit_of_a_lock_file_is_taken_whatever_the_branch_is(
    workspace: Workspace, repository: Repository, bring: Bring
) -> None:
    locked = repository.git("rev-parse", "HEAD")
    repository.commit({"helper.py": "X = 2\n"})
    bring(step(repository.folder, "main"))

    (reported,) = bring(step(repository.folder, "main"), commits={"train": locked})

    assert "the lock file has commit" in reported
    assert (workspace.asset("train") / "helper.py").read_text() == "X = 1\n"
    assert bring(step(repository.folder, "main"), commits={"train": locked}) == []


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


def test_needs_are_reported_without_git(
    workspace: Workspace, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkout, "_stoppable_git", None)

    assert needs_checkout(workspace, step(repository.folder), Policy()) == "not there yet"


def test_a_full_disk_of_the_project_keeps_what_is_there(
    repository: Repository, small_disk: Callable[..., Path]
) -> None:
    workspace, reported = Workspace(small_disk(1)), list[str]()
    one = step(repository.folder)
    bring_sources(workspace, plan(one), [one], Policy(), reported.append)
    before = tree(workspace.assets)
    repository.commit({"data.txt": os.urandom(1_000_000).hex()})

    with pytest.raises(SourceError) as caught:
        bring_sources(workspace, plan(one), [one], Policy(every=True), reported.append)

    assert "step 'train': " in caught.value.what
    assert "make room" in caught.value.fix
    assert tree(workspace.assets) == before
    assert os.listdir(workspace.assets) == ["train"]
