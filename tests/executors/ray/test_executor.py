"""Runs on a real cluster, whose nodes share no disk with the driver, and what becomes of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest
from tests.support.two_nodes import TwoNodes
from tests.support.waiting import wait_until

from alo.engine.checks.preflight import check_solution
from alo.engine.request import RunRequest
from alo.errors import ExecutorError, UsageError
from alo.executors.depot import Depot
from alo.executors.finding import make_executor
from alo.executors.ray.executor import check_installed, slots_in
from alo.executors.ray.messages import Room
from alo.history.browse import History
from alo.layout import Workspace
from alo.plan.model import Resources

pytestmark = [pytest.mark.xdist_group("ray"), pytest.mark.timeout(900)]

ENDS_S = 25.0  # for what a killed driver has left to be gone: 8 s of silence, on a busy machine
TRAIN = """
import os, time
marks = self.args["marks"]
if marks:
    with open(os.path.join(marks, str(os.getpid())), "w"):
        pass
time.sleep(self.args["seconds"])
x = self.args["x"]
with open(self.asset.get_model_path() + "m", "w") as file:
    file.write(str(x))
self.asset.save_metric("loss", (x - 3) ** 2 / 7)
self.asset.save_summary("ok", 1 / (1 + abs(x - 3)))
"""
ANSWER = """
import glob
rows = []
for path in sorted(glob.glob(self.asset.get_input_path() + "**/*.csv", recursive=True)):
    rows += open(path).read().split()[1:]
with open(self.asset.get_output_path() + "output.csv", "w") as file:
    file.write("x,double\\n")
    for row in rows:
        file.write(f"{row},{2 * int(row)}\\n")
self.asset.save_summary("ok", 0.5)
"""

Made = Callable[..., Path]
Command = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def home(make_hidden: Made) -> Path:
    return make_hidden({"train": TRAIN}, args={"train": {"x": 2, "seconds": 0, "marks": ""}})


@pytest.fixture
def command() -> Iterator[Command]:
    """Starts a command, which is killed where the test did not see its end."""
    started = []

    def start(*words: str | Path, **environ: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "alo.cli.main", *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environ},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.returncode is None:
            process.kill()
            process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate()
    return process.returncode, out, err


def shown(command: Command, home: Path, name: str) -> dict[str, Any]:
    status, out, err = ended(command("sweep", "show", name, "--json", "--project", home))
    assert status == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def trials_of(reported: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (each["trial"], each["state"], each["args"], each["values"]) for each in reported["trials"]
    ]


def entries_in(home: Path) -> int:
    return len(list(home.glob("history/train/*")))


def runs_of(home: Path) -> Iterator[Any]:
    return iter(History(Workspace(home)).list(limit=None))


def test_a_sweep_on_two_nodes_gives_what_a_local_one_gives(
    cluster: TwoNodes, home: Path, make_hidden: Made, command: Command
) -> None:
    sweep = ("sweep", "s", "--param", "train.x=0..199", "--sampler", "grid")
    there = make_hidden(
        {"train": TRAIN}, args={"train": {"x": 2, "seconds": 0, "marks": ""}}, name="b"
    )

    status, _, err = ended(command(*sweep, "--computing", cluster.address, "--project", there))
    assert status == 0, err
    status, _, err = ended(command(*sweep, "--project", home))
    assert status == 0, err

    assert trials_of(shown(command, there, "s")) == trials_of(shown(command, home, "s"))
    here, far = (list(runs_of(each)) for each in (home, there))
    assert len(far) == 200
    for name in ("data_id", "code_id", "param_id"):
        assert Counter(getattr(each, name) for each in far) == Counter(
            getattr(each, name) for each in here
        )
    assert {each.executor for each in far} == {"ray"}
    for path in (home, there):
        kept = sorted(path.glob("history/train/*/models/train/m"))
        assert sorted(each.read_text() for each in kept) == ["1", "2", "3", "4", "5"]
    for node in ("node1", "node2"):  # the project was sent to each of them, once
        assert len(list(cluster.cache(node).glob("folders/*/assets/train"))) == 1


def test_a_batch_on_two_nodes_gives_the_bytes_of_a_local_one(
    cluster: TwoNodes, make_hidden: Made, command: Command
) -> None:
    tables, ids = {}, {}
    for name, words in {"here": (), "there": ("--computing", cluster.address)}.items():
        home = make_hidden({}, {"answer": ANSWER}, name=name)
        data = home / "month"
        data.mkdir()
        for number in range(50):
            (data / f"{number}.csv").write_text(f"x\n{number}\n{number + 100}\n")

        shards = ("--files-per-shard", "1", *words)
        status, _, err = ended(command("infer", data, "b", *shards, "--project", home))

        assert status == 0, err
        tables[name] = (home / "inference_artifacts/output/output.csv").read_bytes()
        ids[name] = [(run.data_id, run.code_id, run.param_id) for run in runs_of(home)]
    assert tables["there"] == tables["here"]
    assert ids["there"] == ids["here"]
    assert len(ids["here"]) == 1
    assert tables["here"].count(b"\n") == 101


def test_a_killed_driver_leaves_no_task_behind(
    cluster: TwoNodes, home: Path, tmp_path: Path, command: Command
) -> None:
    args = ("--set", f"train.marks={tmp_path}", "--set", "train.seconds=600")
    driver = command(
        "sweep", "s", "--param", "train.x=1,2", *args,
        "--computing", cluster.address, "--project", home,
    )  # fmt: skip
    wait_until(lambda: len(os.listdir(tmp_path)) == 2)

    driver.kill()
    driver.communicate()

    end = time.monotonic() + ENDS_S
    while left := [pid for pid in os.listdir(tmp_path) if Path("/proc", pid).exists()]:
        assert time.monotonic() < end, left
        time.sleep(0.1)


def test_a_task_for_which_no_node_has_room_is_refused_with_what_there_is(
    cluster: TwoNodes, make_hidden: Made
) -> None:
    home = make_hidden({"train": "pass"}, beside={"train": {"resources": {"cpu": 64}}})
    jobs = {job.pipeline.kind: job for job in check_solution(RunRequest(home)).jobs}

    with pytest.raises(ExecutorError, match="asks for 64 CPUs") as caught:
        make_executor(cluster.address, jobs, None, Depot())

    assert "1 CPUs" in caught.value.where


def test_a_sweep_outlives_the_node_whose_processes_are_killed(
    cluster: TwoNodes, home: Path, tmp_path: Path, command: Command
) -> None:
    driver = command(
        "sweep", "s", "--param", "train.x=0..39", "--sampler", "grid",
        "--set", "train.seconds=0.3", "--set", f"train.marks={tmp_path}",
        "--computing", cluster.address, "--project", home,
    )  # fmt: skip
    wait_until(lambda: entries_in(home) > 4 or driver.poll() is not None)

    cluster.kill("node2")

    status, _, err = ended(driver)
    assert status == 0, err
    reported = shown(command, home, "s")
    assert [each["state"] for each in reported["trials"]] == ["complete"] * 40
    records = list(runs_of(home))
    assert len(records) == 40
    again = [each for each in records if len(each.attempts) > 1]
    assert len(again) <= 2
    assert all(each.attempts[0].end_reason == "lost" for each in again)


def test_a_sweep_whose_cluster_loses_its_head_ends_and_is_resumed_on_another(
    cluster: TwoNodes, home: Path, command: Command
) -> None:
    driver = command(
        "sweep", "s", "--param", "train.x=0..14", "--sampler", "grid", "--jobs", "1",
        "--set", "train.seconds=0.5", "--computing", cluster.address, "--project", home,
    )  # fmt: skip
    wait_until(lambda: entries_in(home) > 2 or driver.poll() is not None)

    cluster.kill("head")
    status, _, err = ended(driver)

    assert status == 1, err
    assert "its head at" in err
    reported = shown(command, home, "s")
    complete = [each for each in reported["trials"] if each["state"] == "complete"]
    assert len(complete) >= 2
    assert len(list(runs_of(home))) == len(complete)

    cluster.stop()
    cluster.start()
    words = ("sweep", "resume", "s", "--computing", cluster.address, "--project", home)
    status, _, err = ended(command(*words, **cluster.environ))

    assert status == 0, err
    reported = shown(command, home, "s")
    assert [each["state"] for each in reported["trials"]] == ["complete"] * 15
    assert Counter(each.args["train"]["x"] for each in runs_of(home)) == dict.fromkeys(range(15), 1)


def test_a_cluster_is_reached_directly_from_a_machine_of_it(
    cluster: TwoNodes, home: Path, command: Command
) -> None:
    words = ("sweep", "s", "--param", "train.x=0..3", "--sampler", "grid", "--project", home)

    status, _, err = ended(command(*words, "--computing", "ray", RAY_ADDRESS=cluster.head))

    assert status == 0, err
    assert {each.executor for each in runs_of(home)} == {"ray"}
    assert entries_in(home) == 4


def test_an_address_at_which_no_one_answers_ends_before_anything_starts(
    make_solution: Made, command: Command
) -> None:
    home = make_solution({"train": TRAIN}, args={"train": {"x": 2, "seconds": 0, "marks": ""}})

    status, _, err = ended(
        command("sweep", "s", "--param", "train.x=1,2", "--computing", "ray://127.0.0.1:9",
            "--project", home)
    )  # fmt: skip

    assert status == 2
    assert "no Ray cluster answers at 127.0.0.1:9" in err
    assert "trial" not in err


def test_a_cluster_of_our_own_is_gone_with_its_driver(
    make_solution: Made, tmp_path: Path, command: Command
) -> None:
    pytest.importorskip("ray")
    marks = tmp_path / "marks"
    marks.mkdir()
    home = make_solution(
        {"train": TRAIN}, args={"train": {"x": 2, "seconds": 0, "marks": str(marks)}}
    )
    short = tempfile.mkdtemp()  # sockets have short paths
    environ = {"TMPDIR": short, "RAY_ADDRESS": ""}
    sweep = ("--computing", "ray", "--jobs", "1", "--project", home)

    status, _, err = ended(command("sweep", "s", "--param", "train.x=1,2", *sweep, **environ))
    assert status == 0, err
    assert os.listdir(short) == []
    done = len(os.listdir(marks))
    driver = command(
        "sweep", "t", "--param", "train.x=1,2", "--set", "train.seconds=600", *sweep, **environ
    )
    wait_until(lambda: len(os.listdir(marks)) > done)
    (folder,) = Path(short).glob("alo-ray-*")
    driver.send_signal(signal.SIGKILL)
    driver.communicate()

    wait_until(lambda: not _processes_with(str(folder)))
    wait_until(lambda: not [pid for pid in os.listdir(marks) if Path("/proc", pid).exists()])
    rmtree(short)


def test_ctrl_c_while_a_cluster_of_our_own_starts_leaves_nothing_of_it(
    make_solution: Made, command: Command
) -> None:
    pytest.importorskip("ray")
    home = make_solution({"train": TRAIN}, args={"train": {"x": 2, "seconds": 0, "marks": ""}})
    short = tempfile.mkdtemp()  # sockets have short paths
    environ = {"TMPDIR": short, "RAY_ADDRESS": ""}
    driver = command("run", "--computing", "ray", "--project", home, **environ)
    folder = wait_until(lambda: next(Path(short).glob("alo-ray-*/session_*"), None)).parent
    wait_until(lambda: _processes_with(str(folder)))

    driver.send_signal(signal.SIGINT)

    status, _, err = ended(driver)
    assert status == 130, err
    assert _processes_with(str(folder)) == []
    assert os.listdir(short) == []
    os.rmdir(short)


def _processes_with(text: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if text in path.read_text("utf-8", "replace"):
                found.append(path.parent.name)
        except OSError:  # gone
            continue
    return found


@pytest.mark.parametrize(
    ("asked", "slots"),
    [
        (Resources(), 6),
        (Resources(cpu=2), 3),
        (Resources(cpu=3), 1),
        (Resources(gpu=1), 2),
        (Resources(memory=3_000_000_000), 2),
        (Resources(cpu=8), 0),
    ],
)
def test_a_cluster_has_room_for_what_fits_on_its_nodes(asked: Resources, slots: int) -> None:
    rooms = (Room("a", 4, 2, 8e9), Room("b", 2, 0, 2e9), Room("head", 0, 0, 64e9))

    assert slots_in(rooms, asked) == slots


def test_without_ray_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alo.executors.ray.executor.find_spec", lambda name: None)

    with pytest.raises(UsageError, match="ray and grpc cannot be imported here") as caught:
        check_installed("ray")

    assert caught.value.fix == "pip install 'open-alo[ray]'"
