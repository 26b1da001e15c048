"""``--transfer``: the same runs, whose folders go through a bucket and not through the links."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.data.object_store import Bucket, Proxy

from alo.cli.main import main
from alo.history.browse import History
from alo.layout import Workspace

TRAIN = """
from pathlib import Path
rows = Path(self.asset.get_input_path(), "data/rows.csv").read_text()
with open(self.asset.get_model_path() + "m", "w") as file:
    file.write(rows + "m" * self.args["size"])
self.asset.save_summary("ok", 0.98765)
"""
INFER = """
from pathlib import Path
model = Path(self.asset.get_model_path(), "m").read_text()
(table,) = Path(self.asset.get_input_path()).rglob("*.csv")
Path(self.asset.get_output_path(), "output.csv").write_text(table.read_text())
self.asset.save_summary(f"of {len(model)}", 0.5)
"""
# A link that refuses folders: all that arrives has gone through the bucket.
NODES = """
import os, sys
sys.path.append(os.environ["TEST_NODES"])
from pathlib import Path
from alo.executors.node.executor import NodesExecutor
from process_node import ProcessNode

class Narrow(ProcessNode):
    def put(self, *given):
        raise AssertionError("nothing is to be sent through the link")

def make(jobs, tasks, depot, transfer):
    home = next(iter(jobs.values())).workspace.home
    root = Path(os.environ["TEST_ROOT"])
    def connect(number):
        return Narrow(root / str(number), f"far-{number}", hides=home)
    return NodesExecutor(jobs, tasks, connect, depot, name="nodes", transfer=transfer)
"""
SIZE = 9_000_000  # more than goes in one piece


@pytest.fixture
def home(make_solution: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    external = {"load_train_data_path": "data/", "load_inference_data_path": "data/"}
    args = {"train": {"size": SIZE}}
    made = make_solution(
        {"train": TRAIN}, inference={"inference": INFER}, args=args, external=external
    )
    (made / "data").mkdir()
    (made / "data/rows.csv").write_text("a\n1\n2\n3\n4\n")
    (made / "own_nodes.py").write_text(NODES)
    monkeypatch.setenv("TEST_NODES", str(Path(__file__).parent / "node"))
    return made


@pytest.fixture
def command(
    home: Path, bucket: Bucket, proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., int]:
    def call(command: str, *words: str, root: str = "node") -> int:
        monkeypatch.setenv("TEST_ROOT", str(tmp_path / root))
        where = ["--computing", "own_nodes:make", "--transfer", f"s3://{bucket.name}/alo"]
        return main([command, *words, *where, "--project", str(home)])

    return call


def keys(bucket: Bucket) -> list[str]:
    """The names of what is in it."""
    return bucket.keys()


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def puts(proxy: Proxy) -> list[str]:
    return [each for each in proxy.asked if each.startswith("PUT") and "/folders/" in each]


def test_a_run_is_the_same_and_leaves_only_what_others_may_take(
    home: Path, bucket: Bucket, proxy: Proxy, command: Callable[..., int]
) -> None:
    assert main(["run", "--project", str(home)]) == 0
    here = {kind: files_in(home / f"{kind}_artifacts") for kind in ("train", "inference")}

    assert command("run") == 0

    for kind, files in here.items():
        assert files_in(home / f"{kind}_artifacts") == files
    model = (home / "train_artifacts/models/train/m").read_text()
    assert model == "a\n1\n2\n3\n4\n" + "m" * SIZE
    assert not any(History(Workspace(home)).verify().values())
    assert {record.executor for record in History(Workspace(home)).list(limit=2)} == {"nodes"}
    assert {key.rpartition("/")[0] for key in keys(bucket)} == {"alo/folders"}
    names = {each.rpartition("/")[2] for each in keys(bucket)}

    sent = len(puts(proxy))
    assert command("run", "--mode", "train", root="another") == 0
    assert len(puts(proxy)) == sent  # a new node takes what is there
    assert {each.rpartition("/")[2] for each in keys(bucket)} == names


def test_what_is_damaged_in_the_bucket_is_not_used(
    home: Path, bucket: Bucket, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("run", "--mode", "train") == 0
    for key in keys(bucket):
        content = bucket.get(key)
        bucket.put(key, content[:-5] + b"12345")
    capsys.readouterr()

    assert command("run", "--mode", "train", root="another") == 1

    err = capsys.readouterr().err
    assert "has another checksum" in err
    assert f"s3://{bucket.name}/alo/folders/" in err
    assert "remove it" in err
    assert History(Workspace(home)).list(limit=1)[0].status == "success"


def test_trials_and_shards_go_the_same_way(
    home: Path, bucket: Bucket, command: Callable[..., int]
) -> None:
    assert command("sweep", "s", "--param", "train.size=1,2", "--jobs", "2") == 0
    trials = [each for each in History(Workspace(home)).list() if each.sweep]
    assert {each.status for each in trials} == {"success"}
    models = [home / "history/train" / each.id / "models/train/m" for each in trials]
    assert {len(each.read_text()) for each in models} == {11, 12}
    assert command("run", "--mode", "train", "--set", "train.size=3") == 0

    assert command("infer", "b", "--shards", "2", "--jobs", "2") == 0

    table = home / "inference_artifacts/output/output.csv"
    assert table.read_text() == "a\n1\n2\n3\n4\n"
    shards = (home / "inference_artifacts/score/shards.jsonl").read_text().splitlines()
    assert [json.loads(each)["result"] for each in shards] == ["of 13"] * 2
    assert not [each for each in keys(bucket) if "/results/" in each]


@pytest.mark.parametrize("command", ["run", "sweep", "infer"])
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--transfer", "s3://b/x"], "the executor local moves nothing"),
        (
            ["--computing", "alo.executors.local:LocalExecutor", "--transfer", "s3://b/x"],
            "moves no",
        ),
        (["--computing", "own_nodes:make", "--transfer", "folder"], "no place in an object store"),
        (["--computing", "own_nodes:make", "--transfer", "https://h/x"], "no place in an object"),
        (["--computing", "own_nodes:make", "--transfer", "s3://none-such/x"], "none-such"),
    ],
)
def test_what_cannot_be_is_told_before_anything_starts(
    home: Path,
    proxy: Proxy,
    command: str,
    words: list[str],
    expected: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    more = {"run": [], "sweep": ["--param", "train.size=1,2"], "infer": ["--shards", "2"]}[command]
    assert main([command, *more, *words, "--project", str(home)]) == 2
    assert expected in capsys.readouterr().err
    assert not (home / "history").exists()
    assert "TEST_ROOT" not in os.environ
