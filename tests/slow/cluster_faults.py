"""What becomes of runs when something of a Ray cluster fails, with real times and sizes.

    python tests/slow/cluster_faults.py [FAULT ...]    all unless told; about 8 minutes

    pause   a node is stopped for 60 s, then for 100 s, which Ray takes for its death
    kill    all processes of a node are killed in the middle of 200 trials
    disk    a node has 3 MB for a project of 5 MB (needs to be root)
    store   the object stores are full of what somebody else holds, and a model of 1 GB comes back
    print   an asset prints 100 MB

Of each sweep every configuration is complete, and has exactly one entry in history. In the folder
of a clone: ``PYTHONPATH=src:.``.
"""

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
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.two_nodes import TwoNodes
from tests.support.waiting import wait_until

from alo.history.browse import History
from alo.layout import Workspace

MOST_BYTES = 300_000_000  # of the driver and of its process for Ray, without shared memory
ASSET = """\
import os
import time

from alolib.asset import Asset


class UserAsset(Asset):
    @Asset.decorator_run
    def run(self):
        args = self.asset.load_args()
        time.sleep(args["seconds"])
        for _ in range(args["lines"]):
            print("x" * 99)
        with open(self.asset.get_model_path() + "m", "wb") as file:
            for _ in range(args["mb"]):
                file.write(os.urandom(1_000_000))
        self.asset.save_summary("ok", 1 / (1 + args["x"]))
        self.asset.save_data({})
        self.asset.save_config(self.asset.load_config())
"""
HOLD = """\
import os, sys, time
import ray

ray.init(sys.argv[1], log_to_driver=False)

@ray.remote(num_cpus=0, scheduling_strategy="SPREAD")
class Holder:
    def fill(self):
        self.held = [ray.put(os.urandom(10_000_000)) for _ in range(14)]

holders = [Holder.remote() for _ in range(4)]
ray.get([each.fill.remote() for each in holders])
print("full", flush=True)
time.sleep(3600)
"""


class Project:
    """A project with one step, which does as its args say."""

    def __init__(self, home: Path) -> None:
        self.home = home
        asset = home / "assets/train/asset_train.py"
        asset.parent.mkdir(parents=True)
        asset.write_text(ASSET)
        args = {"x": 1, "seconds": 0, "lines": 0, "mb": 0}
        plan = {
            "name": "faults",
            "user_parameters": {"train_pipeline": [{"step": "train", "args": args}]},
            "control": {"backup_size": 10_000},
        }
        (home / "solution").mkdir()
        (home / "solution/experimental_plan.yaml").write_text(json.dumps(plan))
        (home / "input/train").mkdir(parents=True)

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "alo.cli.main", *words, "--project", str(self.home)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def sweep(self, cluster: TwoNodes, trials: int, seconds: float) -> subprocess.Popen[bytes]:
        """A sweep that has got a few entries."""
        params = ("--param", f"train.x=1..{trials}", "--sampler", "grid")
        setting = ("--set", f"train.seconds={seconds}", "--computing", cluster.address)
        driver = self.start("sweep", "s", *params, *setting)
        wait_until(lambda: self.entries > 3 or driver.poll() is not None)
        return driver

    @property
    def entries(self) -> int:
        return len(list(self.home.glob("history/train/*")))

    def check(self, trials: int) -> str:
        """Each configuration has one entry, and that has succeeded."""
        records = list(History(Workspace(self.home)).list(limit=None))
        done = Counter(each.args["train"]["x"] for each in records if each.status == "success")
        assert done == dict.fromkeys(range(1, trials + 1), 1), done
        assert len(records) == trials, Counter(each.status for each in records)
        return f"{sum(len(each.attempts) > 1 for each in records)} tried again"


def processes_of(cluster: TwoNodes, node: str) -> list[int]:
    """All of a node: they have its cache in their environment."""
    wanted = f"ALO_NODE_DIR={cluster.cache(node).resolve()}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def send(number: int, pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def pause(cluster: TwoNodes, folder: Path) -> Iterator[str]:
    for seconds in (60, 100):
        project = Project(folder / f"pause-{seconds}")
        driver = project.sweep(cluster, 40, 1)
        stopped = processes_of(cluster, "node2")
        send(signal.SIGSTOP, stopped)
        time.sleep(seconds)
        send(signal.SIGCONT, stopped)
        assert driver.wait() == 0
        yield f"{seconds} s: {project.check(40)}"
        cluster.stop()
        cluster.start()
        os.environ.update(cluster.environ)


def kill(cluster: TwoNodes, folder: Path) -> Iterator[str]:
    project = Project(folder / "kill")
    driver = project.sweep(cluster, 200, 0.2)
    wait_until(lambda: project.entries > 60)
    send(signal.SIGKILL, processes_of(cluster, "node2"))
    assert driver.wait() == 0
    yield project.check(200)


def disk(cluster: TwoNodes, folder: Path) -> Iterator[str]:
    project, cache = Project(folder / "disk"), cluster.cache("node1")
    (project.home / "helper.bin").write_bytes(os.urandom(5_000_000))
    cache.mkdir(exist_ok=True)
    cluster.stop()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", cache], check=True)
    try:
        cluster.start()
        os.environ.update(cluster.environ)
        assert project.sweep(cluster, 20, 0.3).wait() == 0
        yield project.check(20)
    finally:
        subprocess.run(["umount", "-l", cache], check=True)


def store(cluster: TwoNodes, folder: Path) -> Iterator[str]:
    project = Project(folder / "store")
    command = [sys.executable, "-c", HOLD, cluster.head]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "full\n"
        words = ("--set", "train.mb=1000", "--computing", cluster.address)
        peak = peak_of(project.start("run", *words))
        holder.kill()
    assert (project.home / "train_artifacts/models/train/m").stat().st_size == 1_000_000_000
    assert peak < MOST_BYTES, peak
    yield f"{peak / 1e6:.0f} MB at most"


def print_much(cluster: TwoNodes, folder: Path) -> Iterator[str]:
    project = Project(folder / "print")
    words = ("--set", "train.lines=1000000", "--computing", cluster.address)
    peak = peak_of(project.start("run", *words))
    assert (project.home / "train_artifacts/log/pipeline.log").stat().st_size >= 100_000_000
    assert peak < MOST_BYTES, peak
    yield f"{peak / 1e6:.0f} MB at most"


def peak_of(driver: subprocess.Popen[bytes]) -> int:
    """The most memory, not shared, of the driver or of its process for Ray; it has succeeded."""
    peak = 0
    while driver.poll() is None:
        with suppress(OSError):
            children = Path(f"/proc/{driver.pid}/task/{driver.pid}/children").read_text().split()
            peak = max(peak, *(own_bytes(int(pid)) for pid in (driver.pid, *children)))
        time.sleep(0.05)
    assert driver.returncode == 0
    return peak


def own_bytes(pid: int) -> int:
    with suppress(OSError):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        sizes = [each.split() for each in lines if each.startswith(("RssAnon", "RssFile"))]
        return sum(int(size) * 1024 for _, size, _ in sizes)
    return 0


FAULTS: dict[str, Callable[[TwoNodes, Path], Iterator[str]]] = {
    "pause": pause,
    "kill": kill,
    "disk": disk,
    "store": store,
    "print": print_much,
}


@contextmanager
def cluster_in(folder: Path) -> Iterator[TwoNodes]:
    hidden = folder / "projects"
    hidden.mkdir(mode=0o700)
    cluster = TwoNodes(folder / "cluster", hidden)
    os.environ.update(cluster.environ)
    try:
        yield cluster
    finally:
        cluster.stop()


def main(names: list[str]) -> None:
    for name in names:
        with tempfile.TemporaryDirectory() as folder, cluster_in(Path(folder)) as cluster:
            for told in FAULTS[name](cluster, Path(folder) / "projects"):
                sys.stdout.write(f"{name}: {told}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:] or list(FAULTS))
