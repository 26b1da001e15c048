"""``alo run --computing`` where a run here knows more than its folder: models, git, and a kill."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.sources.repositories import Repository
from tests.support.waiting import wait_until

from alo.history.browse import History
from alo.history.record import RunRecord
from alo.layout import Workspace

from .test_whole_run import INFER, LOCAL, NODES, TRAIN, alo_run, files_in

Edit = Callable[..., None]
WHERE = {"local": LOCAL, "nodes": "own_nodes:make"}
# A link that stays open when its driver is killed, as one to another machine would for a while.
HELD = """
import subprocess
from own_nodes import *

class Held(ProcessNode):
    def __init__(self, *given, **more):
        super().__init__(*given, **more)
        pipe = self.process.stdin.fileno()
        holder = subprocess.Popen(["sleep", "600"], pass_fds=[pipe])
        Path(os.environ["TEST_ROOT"] + ".holder").write_text(str(holder.pid))

def held(jobs, tasks, depot):
    home = next(iter(jobs.values())).workspace.home
    root = Path(os.environ["TEST_ROOT"])
    return NodesExecutor(
        jobs, tasks, lambda number: Held(root, "far", hides=home), depot, name="nodes"
    )
"""


@pytest.fixture
def home(
    make_solution: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    args = {"train": {"how": "well", "marks": str(tmp_path)}}
    made = make_solution({"train": TRAIN}, inference={"inference": INFER}, args=args)
    (made / "own_nodes.py").write_text(NODES)
    monkeypatch.setenv("TEST_NODES", str(Path(__file__).parent / "node"))
    monkeypatch.setenv("TEST_ROOT", str(tmp_path / "node"))
    monkeypatch.setenv("ALO_CACHE_DIR", str(tmp_path / "cache"))
    return made


@pytest.fixture
def edit(home: Path) -> Edit:
    """Change the plan."""

    def call(**sections: Any) -> None:
        path = home / "solution/experimental_plan.yaml"
        path.write_text(json.dumps({**json.loads(path.read_text()), **sections}))

    return call


def newest(home: Path, kind: str) -> RunRecord:
    return next(each for each in History(Workspace(home)).list() if each.pipeline == kind)


@pytest.mark.parametrize("where", WHERE)
def test_a_model_from_outside_stays_as_after_a_run_here(
    home: Path, edit: Edit, tmp_path: Path, where: str
) -> None:
    outside = tmp_path / "outside/train"
    outside.mkdir(parents=True)
    (outside / "m").write_text("outside")
    edit(external_path={"load_model_path": str(outside.parent)})
    assert alo_run(home, "--mode", "inference") == 0
    here, before = files_in(home / "train_artifacts"), newest(home, "inference")
    shutil.rmtree(home / "train_artifacts")

    assert alo_run(home, "--mode", "inference", "--computing", WHERE[where]) == 0

    assert files_in(home / "train_artifacts") == here
    assert (home / "train_artifacts/models/train/m").read_text() == "outside"
    now = newest(home, "inference")
    assert (now.result, now.train_id) == (before.result, before.train_id)
    (outside / "m").rename(outside / "other")
    assert alo_run(home, "--mode", "inference", "--computing", WHERE[where]) == 1
    assert (home / "train_artifacts/models/train/m").read_text() == "outside"
    assert not (home / ".unfinished_run").exists()


def test_an_inference_takes_the_model_that_the_train_run_exports(home: Path, edit: Edit) -> None:
    edit(external_path={"save_train_artifacts_path": "out/", "load_model_path": "out/"})
    for how in ("one", "two"):
        assert alo_run(home, "--computing", LOCAL, "--set", f"train.how={how}") == 0
        assert newest(home, "inference").result == f"of {how}"


@pytest.mark.parametrize("where", WHERE)
def test_its_record_says_where_the_code_comes_from(
    home: Path, edit: Edit, tmp_path: Path, where: str
) -> None:
    asset = home / "assets/train/asset_train.py"
    origin = Repository(tmp_path / "origin")
    origin.commit({"asset_train.py": asset.read_text()})
    shutil.rmtree(asset.parent)
    source = {"code": f"file://{origin.folder}"}
    steps = {"train": source, "inference": {"code": "local"}}
    edit(
        asset_source={
            f"{kind}_pipeline": [{"step": step, "source": steps[step]}]
            for kind, step in (("train", "train"), ("inference", "inference"))
        }
    )
    for words in (["init", "-q"], ["add", "solution"], ["commit", "-q", "-m", "x"]):
        git = ["git", "-C", str(home), "-c", "user.name=me", "-c", "user.email=me@x"]
        subprocess.run([*git, *words], check=True)
    plan = home / "solution/experimental_plan.yaml"
    plan.write_text(plan.read_text() + "\n")
    assert alo_run(home, "--mode", "train") == 0
    before = newest(home, "train")
    assert before.sources["train"]
    assert before.git["dirty"] is True

    assert alo_run(home, "--mode", "train", "--computing", WHERE[where]) == 0

    now = newest(home, "train")
    assert now.id != before.id
    assert (now.sources, now.git) == (before.sources, before.git)


@pytest.fixture
def held(home: Path, tmp_path: Path) -> Iterator[str]:
    (home / "held_nodes.py").write_text(HELD)
    yield "held_nodes:held"
    holder = tmp_path / "node.holder"
    if holder.exists():
        os.kill(int(holder.read_text()), signal.SIGKILL)


def test_of_a_killed_driver_nothing_runs_on_and_the_workspace_recovers(
    home: Path, held: str, tmp_path: Path
) -> None:
    assert alo_run(home) == 0
    command = [sys.executable, "-m", "alo.cli.main", "run", "--project", str(home)]
    command += ["--computing", held, "--mode", "train", "--set", "train.how=hang"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    begun = tmp_path / "begun"
    asset = Path("/proc", wait_until(lambda: begun.exists() and begun.read_text()))
    assert asset.exists()
    process.kill()
    process.wait()
    killed_at = time.monotonic()

    wait_until(lambda: not asset.exists())

    assert time.monotonic() - killed_at < 30  # about 9 where nothing else runs
    assert (home / ".unfinished_run").exists()
    assert alo_run(home, "--mode", "inference") == 0
    assert (home / "train_artifacts/models/train/m").read_text() == "well"
    assert newest(home, "inference").result == "of well"
    killed = newest(home, "train")
    assert (killed.status, killed.executor) == ("interrupted", held)
    assert not (home / ".unfinished_run").exists()
    assert [name for name in os.listdir(home / ".alo") if name.startswith("rerun-")] == []


@pytest.mark.parametrize("where", WHERE)
def test_a_failed_run_is_saved_outside_as_far_as_it_came(
    home: Path, edit: Edit, where: str
) -> None:
    asset = home / "assets/train/asset_train.py"
    early = 'open(self.asset.get_model_path() + "m", "w").close()'
    asset.write_text(asset.read_text().replace("raise ValueError", f"{early}; raise ValueError"))
    edit(external_path={"save_train_artifacts_path": "out/"})
    names = {}
    for words in ([], ["--computing", WHERE[where]]):
        assert alo_run(home, "--mode", "train", "--set", "train.how=fail", *words) == 1
        archive = home / "out/train_artifacts-error.tar.gz"
        with tarfile.open(archive) as packed:
            names[bool(words)] = packed.getnames()
        assert "no good" in (home / "out/process.log").read_text()
        shutil.rmtree(home / "out")
    assert names[True] == names[False]
    assert not (home / ".unfinished_run").exists()


def test_models_that_a_failed_inference_has_spoilt_are_mended(home: Path) -> None:
    assert alo_run(home) == 0
    asset = home / "assets/inference/asset_inference.py"
    spoil = 'Path(self.asset.get_model_path(), "m").write_text("spoilt"); raise ValueError("x")'
    asset.write_text(asset.read_text().replace("with open(", f"{spoil}\n        with open(", 1))

    assert alo_run(home, "--mode", "inference", "--computing", LOCAL) == 1

    assert (home / "train_artifacts/models/train/m").read_text() == "well"


@pytest.mark.parametrize("where", WHERE)
def test_its_last_event_says_what_was_saved_outside(home: Path, edit: Edit, where: str) -> None:
    edit(external_path={"save_train_artifacts_path": "out/"})
    reported = []
    for words in ([], ["--computing", WHERE[where]]):
        assert alo_run(home, "--mode", "train", *words) == 0
        run_id = newest(home, "train").id
        for folder in (home / "train_artifacts", home / "history/train" / run_id):
            reported.append(last_event(folder))
            assert reported[-1]["history"] == str(home / "history/train" / run_id)
    assert reported[0]["exported"]
    assert [each["exported"] for each in reported] == [reported[0]["exported"]] * 4
    assert not any(History(Workspace(home)).verify().values())


@pytest.mark.parametrize("where", WHERE)
def test_a_run_that_cannot_be_saved_outside_has_failed(
    home: Path, edit: Edit, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert alo_run(home, "--mode", "train") == 0
    edit(external_path={"save_train_artifacts_path": "out/"})
    (home / "out/process.log").mkdir(parents=True)
    capsys.readouterr()

    words = ["--set", "train.how=other", "--computing", WHERE[where], "--json"]
    assert alo_run(home, "--mode", "train", *words) == 1

    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (finished,) = [each["payload"] for each in events if each["event"] == "run_finished"]
    record = newest(home, "train")
    entry = home / "history/train" / f"{record.id}-error"
    assert (record.status, "cannot be saved" in record.reason) == ("error", True)
    assert finished == last_event(entry)
    assert (finished["status"], finished["history"]) == ("error", str(entry))
    assert (home / "train_artifacts/models/train/m").read_text() == "well"
    assert not any(History(Workspace(home)).verify().values())


def last_event(folder: Path) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(
        (folder / "log/events.jsonl").read_bytes().splitlines()[-1]
    )["payload"]
    return payload


@pytest.mark.parametrize("where", WHERE)
def test_the_entry_of_a_crash_names_the_projects_folders(home: Path, where: str) -> None:
    asset = home / "assets/train/asset_train.py"
    asset.write_text(asset.read_text().replace('raise ValueError("no good")', "os.abort()"))

    words = ["--set", "train.how=fail", "--computing", WHERE[where]]
    assert alo_run(home, "--mode", "train", *words) == 1

    entry = home / "history/train" / f"{newest(home, 'train').id}-error"
    last = last_event(entry)
    assert (last["artifacts"], last["history"]) == (str(home / "train_artifacts"), str(entry))
