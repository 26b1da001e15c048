"""``alo run --computing``: the same run, wherever it is done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.waiting import wait_until

from alo.cli.main import main
from alo.history.browse import History
from alo.layout import Workspace

TRAIN = """
import os, time
print("said by the asset")
how = self.args["how"]
mark = os.path.join(self.args["marks"], "begun")
if how == "killed once" and not os.path.exists(mark):
    open(mark, "w").close()
    os.kill(os.getpid(), 9)
if how == "killed":
    os.kill(os.getpid(), 9)
if how == "print":
    for number in range(60_000):
        print("line", "x" * 90)
if how == "fail":
    raise ValueError("no good")
if how == "hang":
    with open(mark, "w") as file:
        file.write(str(os.getpid()))
    time.sleep(600)
with open(self.asset.get_model_path() + "m", "w") as file:
    file.write(how)
self.asset.save_summary("ok", 0.98765)
"""
INFER = """
from pathlib import Path
model = Path(self.asset.get_model_path(), "m").read_text()
with open(self.asset.get_output_path() + "output.csv", "w") as file:
    file.write("a\\n1\\n")
self.asset.save_summary(f"of {model}", 0.5)
"""
LOCAL = "alo.executors.local:LocalExecutor"
NODES = """
import os, sys
sys.path.append(os.environ["TEST_NODES"])
from pathlib import Path
from alo.executors.node.executor import NodesExecutor
from process_node import ProcessNode

def make(jobs, tasks, depot):
    home = next(iter(jobs.values())).workspace.home
    root = Path(os.environ["TEST_ROOT"])
    return NodesExecutor(
        jobs, tasks, lambda number: ProcessNode(root, "far", hides=home), depot, name="nodes"
    )
"""


@pytest.fixture
def home(make_solution: Callable[..., Path], tmp_path: Path) -> Path:
    args = {"train": {"how": "well", "marks": str(tmp_path)}}
    return make_solution({"train": TRAIN}, inference={"inference": INFER}, args=args)


@pytest.fixture
def nodes(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (home / "own_nodes.py").write_text(NODES)
    monkeypatch.setenv("TEST_NODES", str(Path(__file__).parent / "node"))
    monkeypatch.setenv("TEST_ROOT", str(tmp_path / "node"))
    return "own_nodes:make"


def alo_run(home: Path, *words: str) -> int:
    return main(["run", "--project", str(home), *words])


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("where", ["local", "nodes"])
def test_it_leaves_what_a_run_here_leaves(
    home: Path, nodes: str, where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert alo_run(home) == 0
    here = {kind: files_in(home / f"{kind}_artifacts") for kind in ("train", "inference")}
    before = {record.pipeline: record for record in History(Workspace(home)).list()}
    assert files_in(home / "train_artifacts")
    capsys.readouterr()

    assert alo_run(home, "--computing", LOCAL if where == "local" else nodes) == 0

    shown = capsys.readouterr()
    assert "said by the asset" in shown.out + shown.err
    now = {record.pipeline: record for record in History(Workspace(home)).list(limit=2)}
    for kind in ("train", "inference"):
        assert files_in(home / f"{kind}_artifacts") == here[kind]
        record = now[kind]
        assert record.id != before[kind].id
        for name in ("data_id", "code_id", "param_id", "result", "score", "status", "args"):
            assert getattr(record, name) == getattr(before[kind], name), name
        assert record.node == (os.uname().nodename if where == "local" else "far")
        assert [each.end_reason for each in record.attempts] == ["success"]
        entry = home / "history" / kind / record.id
        for folder in (home / f"{kind}_artifacts", entry):
            last = json.loads((folder / "log/events.jsonl").read_bytes().splitlines()[-1])
            assert last["payload"]["artifacts"] == str(home / f"{kind}_artifacts")
            assert last["payload"]["history"] == str(entry)
    assert now["inference"].train_id == now["train"].id
    assert not any(History(Workspace(home)).verify().values())
    assert not (home / ".unfinished_run").exists()
    assert [name for name in os.listdir(home / ".alo") if name.startswith("rerun-")] == []
    log = (home / "train_artifacts/log/pipeline.log").read_text()
    assert "said by the asset" in log


def test_what_is_printed_past_the_events_of_a_run_is_shown_and_logged_too(
    home: Path, nodes: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--mode", "train", "--set", "train.how=print")

    assert alo_run(home, "--computing", nodes, *words) == 0

    line = f"line {'x' * 90}\n"
    assert capsys.readouterr().out.count(line) == 60_000
    assert (home / "train_artifacts/log/pipeline.log").read_text().count(line) == 60_000
    assert (home / "train_artifacts/log/events.jsonl").stat().st_size < 4_500_000


def test_a_run_that_fails_puts_back_what_it_replaced(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert alo_run(home) == 0
    status = alo_run(home, "--computing", LOCAL, "--set", "train.how=fail")

    assert status == 1
    assert "ValueError: no good" in capsys.readouterr().err
    assert (home / "train_artifacts/models/train/m").read_text() == "well"
    newest = History(Workspace(home)).list(limit=1)[0]
    assert (newest.status, newest.failed_step) == ("error", "train")


def test_a_run_that_is_lost_is_tried_again_and_has_one_entry(home: Path) -> None:
    assert alo_run(home, "--computing", LOCAL, "--set", "train.how=killed once") == 0
    (record,) = [each for each in History(Workspace(home)).list() if each.pipeline == "train"]
    assert [each.end_reason for each in record.attempts] == ["lost", "success"]


def test_a_run_that_is_lost_too_often_is_an_error(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--computing", LOCAL, "--set", "train.how=killed", "--retries", "1")
    assert alo_run(home, *words) == 1
    assert "the run was lost, at 2 tries" in capsys.readouterr().err
    assert not (home / ".unfinished_run").exists()


@pytest.mark.parametrize("where", ["local", "nodes"])
def test_ctrl_c_ends_it_in_order(home: Path, nodes: str, where: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "alo.cli.main", "run", "--project", str(home)]
    computing = LOCAL if where == "local" else nodes
    command += ["--computing", computing, "--set", "train.how=hang", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until((tmp_path / "begun").exists)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "the run was interrupted by SIGINT" in err
    reported = [json.loads(line)["event"] for line in out.splitlines()]
    assert [each for each in reported if each.startswith("run_")] == ["run_started", "run_finished"]
    assert History(Workspace(home)).list(limit=1)[0].status == "interrupted"
    assert not (home / ".unfinished_run").exists()


def test_the_plan_may_say_where(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = home / "solution/experimental_plan.yaml"
    plan = json.loads(path.read_text())
    path.write_text(json.dumps({**plan, "control": {"computing": LOCAL}}))
    assert alo_run(home, "--mode", "train") == 0
    assert History(Workspace(home)).list(limit=1)[0].executor == "local"
    assert alo_run(home, "--mode", "train", "--computing", "local") == 0
    assert History(Workspace(home)).list(limit=1)[0].executor == ""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--computing", "moon"], "there is no such executor"),
        (["--computing", "no.such:Class"], "No module named"),
        (["--computing", LOCAL, "--resume"], "runs whole pipelines"),
    ],
)
def test_what_cannot_be_is_told_before_anything_starts(
    home: Path, words: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert alo_run(home, *words) == 2
    assert expected in capsys.readouterr().err
    assert not (home / "history").exists()
