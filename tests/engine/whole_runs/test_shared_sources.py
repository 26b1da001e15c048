"""A step of both pipelines has one folder: each run has the code that its plan says there."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.conftest import write_asset
from tests.sources.repositories import Repository
from tests.sources.wheels import make_wheel

from alo import Project
from alo.engine.request import Setup
from alo.errors import CheckError, InstallError

Alo = Callable[..., "subprocess.CompletedProcess[str]"]
Run = Callable[..., tuple]

INFERENCE = """
    self.asset.save_summary(result="ok", score=1.0)
    Path(self.asset.get_output_path(), "out.csv").write_text("a")
"""
SAY = "from pathlib import Path\nPath('{said}').write_text('{word}')"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALO_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def said(tmp_path: Path) -> Path:
    """What the step ``input`` wrote last: the branch whose code it is."""
    return tmp_path / "said.txt"


@pytest.fixture
def origin(tmp_path: Path, said: Path) -> Repository:
    """The code of the step ``input``, at the branches main and v2."""
    repository = Repository(tmp_path / "origin")
    for branch in ("main", "v2"):
        if branch != "main":
            repository.git("checkout", "--quiet", "-b", branch)
        code = SAY.replace("{said}", str(said)).replace("{word}", branch)
        path = write_asset(tmp_path / "draft", "input", code)
        repository.commit({"asset_input.py": path.read_text()})
    repository.git("checkout", "--quiet", "main")
    return repository


Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path, origin: Repository) -> Make:
    """``make(train_source, inference_source, get_asset_source="once")``: a project."""

    def project(
        train: Mapping[str, object] | None, inference: Mapping[str, object] | None, often: str = ""
    ) -> Path:
        home = tmp_path / "project"
        write_asset(home, "train", "Path(self.asset.get_model_path(), 'm').write_text('x')")
        write_asset(home, "inference", INFERENCE)
        plan: dict[str, object] = {"user_parameters": {}, "asset_source": {}}
        if often:
            plan["control"] = {"get_asset_source": often}
        for kind, source in (("train", train), ("inference", inference)):
            steps = [{"step": "input"}, {"step": kind}]
            plan["user_parameters"][f"{kind}_pipeline"] = steps  # type: ignore[index]
            if source is not None:
                steps = [{"step": "input", "source": source}, {"step": kind}]  # type: ignore[dict-item]
                plan["asset_source"][f"{kind}_pipeline"] = steps  # type: ignore[index]
        (home / "solution").mkdir(parents=True, exist_ok=True)
        (home / "solution/experimental_plan.yaml").write_text(json.dumps(plan, indent=1))
        return home

    return project


GIT: Mapping[str, object] = {"code": "../origin", "branch": "main"}
V2: Mapping[str, object] = {"code": "../origin", "branch": "v2"}
LOCAL: Mapping[str, object] = {"code": "local", "branch": "vision"}


@pytest.mark.parametrize("often", ["once", "every"])
@pytest.mark.parametrize("local", [LOCAL, None], ids=["local", "left out"])
@pytest.mark.parametrize("order", ["git first", "local first"])
def test_what_a_repository_gives_serves_the_pipeline_that_says_local(
    make: Make, alo: Alo, run: Run, said: Path, order: str, local: dict[str, object], often: str
) -> None:
    sources = (GIT, local) if order == "git first" else (local, GIT)
    home = make(*sources, often)

    checked = alo("check", cwd=home)
    assert checked.returncode == 0, checked.stderr
    assert "step 'input' is local here, and from git in " in checked.stdout
    run(home)
    assert said.read_text() == "main"
    said.unlink()
    run(home, "train")
    run(home, "inference")
    assert said.read_text() == "main"


@pytest.mark.parametrize("mode", ["train", "inference"])
@pytest.mark.parametrize("order", ["git first", "local first"])
def test_the_first_run_of_one_pipeline_fetches_what_it_shares(
    make: Make, run: Run, said: Path, order: str, mode: str
) -> None:
    home = make(*((GIT, LOCAL) if order == "git first" else (LOCAL, GIT)))
    models = home / "train_artifacts/models/train"
    models.mkdir(parents=True)
    (models / "m").write_text("x")

    run(home, mode)

    assert said.read_text() == "main"


def test_local_uses_a_folder_that_is_there_as_it_is(
    make: Make, run: Run, said: Path, origin: Repository
) -> None:
    home = make(LOCAL, GIT)
    write_asset(home, "input", SAY.replace("{said}", str(said)).replace("{word}", "mine"))
    shutil.move(origin.folder, origin.folder.with_name("gone"))

    run(home, "train")

    assert said.read_text() == "mine"
    with pytest.raises(CheckError, match="there is no repository"):
        run(home, "inference")


@pytest.mark.parametrize("often", ["once", "every"])
def test_two_branches_each_run_of_one_pipeline_fetches_its_own(
    make: Make, alo: Alo, run: Run, said: Path, often: str
) -> None:
    home = make(GIT, V2, often)

    for mode, word in (("train", "main"), ("inference", "v2"), ("train", "main")):
        checked = alo("check", "--mode", mode, cwd=home)
        assert checked.returncode == 0, checked.stderr
        assert "between them" not in checked.stdout
        run(home, mode)
        assert said.read_text() == word


@pytest.mark.parametrize("often", ["once", "every"])
def test_two_branches_a_run_of_both_changes_the_folder_between_them(
    make: Make, alo: Alo, said: Path, tmp_path: Path, often: str
) -> None:
    home = make(GIT, V2, often)

    checked = alo("check", cwd=home)
    done = alo("run", cwd=home)

    assert checked.returncode == 0, checked.stderr
    assert "a run of both changes the folder assets/input/ between them" in checked.stdout
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("a run of both changes the folder") == 1
    assert said.read_text() == "v2"
    assert _code_in_history(home) == {"train": "main", "inference": "v2"}


def _code_in_history(home: Path) -> dict[str, object]:
    """The branch that each run noted, and whose code it ran."""
    found: dict[str, object] = {}
    for record in home.glob("history/*/*/log/experimental_history.json"):
        known = json.loads(record.read_text())
        branch = known["sources"]["input"]["branch"]
        assert f"'{branch}'" in next(record.parents[1].rglob("asset_input.py")).read_text()
        found[known["pipeline"]] = branch
    return found


def test_a_commit_that_comes_between_two_pipelines_is_not_taken(
    make: Make, run: Run, origin: Repository, tmp_path: Path, said: Path
) -> None:
    home = make(GIT, V2, "every")
    later = f"git -C {origin.folder} -c user.name=a -c user.email=b commit --quiet --allow-empty -m"
    move = f"git -C {origin.folder} checkout --quiet v2 && {later} later"
    write_asset(home, "train", f"import os\nassert os.system({move!r}) == 0")

    run(home)

    (record,) = home.glob("history/inference/*/log/experimental_history.json")
    noted = json.loads(record.read_text())["sources"]["input"]["commit"]
    assert noted == origin.git("rev-parse", "v2~1")


def test_requirements_of_both_pipelines_are_read_from_their_own_code(
    make: Make, alo: Alo, origin: Repository, tmp_path: Path
) -> None:
    wheels = tmp_path / "wheels"
    for package in ("aloleaf", "alotop"):
        make_wheel(wheels, package, "1.0")
    for branch, package in (("main", "aloleaf"), ("v2", "alotop")):
        origin.git("checkout", "--quiet", branch)
        asset = (origin.folder / "asset_input.py").read_text()
        files = {
            "requirements.txt": f"--find-links {wheels}\n{package}\n",
            "asset_input.py": f"import {package}\n{asset}",
        }
        origin.commit(files)
    own: dict[str, object] = {"requirements": ["requirements.txt"]}
    home = make({**GIT, **own}, {**V2, **own})

    done = alo("run", cwd=home)

    assert done.returncode == 0, done.stderr
    lists = {path.name: path.read_text() for path in (home / ".package_list").iterdir()}
    assert lists == {
        "train_pipeline_step_0.txt": "aloleaf\n",
        "inference_pipeline_step_0.txt": "alotop\n",
    }


def test_what_a_step_requires_in_either_pipeline_is_installed(
    make: Make, alo: Alo, origin: Repository, tmp_path: Path
) -> None:
    wheels = tmp_path / "wheels"
    make_wheel(wheels, "aloleaf", "1.0")
    home = make({**GIT, "requirements": [f"aloleaf -f {wheels}"]}, GIT)
    write_asset(home, "train", "import aloleaf")

    done = alo("run", cwd=home)

    assert done.returncode == 0, done.stderr


def test_wrong_requirements_of_both_pipelines_are_reported_at_once(make: Make, run: Run) -> None:
    home = make({**LOCAL, "requirements": ["=one"]}, {**LOCAL, "requirements": ["=two"]})
    write_asset(home, "input", "")

    with pytest.raises(CheckError) as caught:
        run(home)

    reported = str(caught.value)
    assert "'=one' is no requirement" in reported
    assert "'=two' is no requirement" in reported


def test_a_lock_file_cannot_hold_two_commits_for_one_step(make: Make, alo: Alo, run: Run) -> None:
    home = make(GIT, V2)

    done = alo("lock", cwd=home)

    assert done.returncode == 1
    assert "step 'input' has other code in each pipeline" in done.stderr
    with pytest.raises(InstallError, match="has other code in each pipeline"):
        run(home, setup=Setup(locked=True))


def test_a_notebook_has_the_code_of_the_pipeline_that_it_runs(
    make: Make, said: Path, heard: Callable[..., None]
) -> None:
    project = Project(make(GIT, V2), listener=heard)

    project.train.run()
    assert said.read_text() == "main"
    project.train.save()
    project.inference.run()

    assert said.read_text() == "v2"


@pytest.mark.parametrize("sources", [(GIT, V2), (GIT, LOCAL), (LOCAL, GIT)])
def test_a_check_online_asks_every_repository_once(
    make: Make, alo: Alo, origin: Repository, sources: tuple[Mapping[str, object], ...]
) -> None:
    home = make(*sources)
    origin.git("branch", "--move", "main", "other")

    done = alo("check", "--online", cwd=home)

    assert done.returncode == 2
    assert done.stderr.count("has no branch, tag or commit 'main'") == 1
    assert ".source.branch  step 'input': " in done.stderr
