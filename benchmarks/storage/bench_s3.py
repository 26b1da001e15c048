"""S3 against the AWS CLI on one endpoint: 2,000 files of 50 kB and one of 1 GB, up and down.

The endpoint is moto's server on this machine, so that most of the time is the server's in both.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.processes import python, run
from benchmarks.rows import Row, show

SMALL_FILES, SMALL_BYTES = 2_000, 50_000
LARGE_BYTES = 1_000_000_000
ROUNDS = 3
LARGE_ROUNDS = 1  # moto takes a minute
DOWN = """\
import sys
from pathlib import Path
from alo.data.locations import list_sources
from alo.data.staging import stage
from alo.layout import Workspace

workspace = Workspace(Path(sys.argv[1]))
sources = list_sources(workspace.home, sys.argv[2:], workspace.input("train"))
stage(workspace, "train", sources, lambda done, total: None)
"""
UP = """\
import resource, sys
from pathlib import Path
from alo.data.location import RemoteLocation
from alo.data.remote.locations import upload

most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
files = {path.name: path.open("rb") for path in Path(sys.argv[1]).iterdir()}
upload(files, RemoteLocation(sys.argv[2]))
"""


def measure() -> list[Row]:
    aws = shutil.which("aws")
    if aws is None:
        return [Row("S3: no AWS CLI here (pip install awscli)", 0, None, None, "")]
    with tempfile.TemporaryDirectory() as folder, _endpoint(Path(folder)):
        base = Path(folder)
        small = _write(base / "small", SMALL_FILES, SMALL_BYTES)
        large = _write(base / "large", 1, LARGE_BYTES)
        run([aws, "s3", "mb", "s3://bench"])
        return [
            *_measure(aws, small, "2,000 files of 50 kB", ROUNDS),
            *_measure(aws, large, "1 GB", LARGE_ROUNDS),
        ]


def _measure(aws: str, source: Path, what: str, rounds: int) -> list[Row]:
    up, cli_up, down, cli_down, peaks = [], [], [], [], []
    for turn in range(rounds):
        url = f"s3://bench/{source.name}"
        out = source.parent / f"out-{source.name}"
        sent = run(python("-c", UP, source, f"{url}-{turn}"))[0]
        up.append(sent.wall_s)
        cli_up.append(run([aws, "s3", "cp", "--quiet", "--recursive", str(source), url])[0].wall_s)
        home = Path(f"{out}-{turn}")
        home.mkdir()
        fetched = run(python("-c", DOWN, home, url))[0]
        down.append(fetched.wall_s)
        copy = f"{out}-cli-{turn}"
        cli_down.append(run([aws, "s3", "cp", "--quiet", "--recursive", url, copy])[0].wall_s)
        peaks.append(max(sent.peak_bytes, fetched.peak_bytes) / 1e6)
    return [
        Row(f"S3 upload of {what} : AWS CLI", median(up), median(cli_up), limit=1, unit="s"),
        Row(f"S3 download of {what} : AWS CLI", median(down), median(cli_down), limit=1, unit="s"),
        Row(f"S3, {what}, memory", max(peaks), None, limit=None, unit="MB"),
    ]


@contextmanager
def _endpoint(folder: Path) -> Iterator[None]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ.update(
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}",
        AWS_ACCESS_KEY_ID="key",
        AWS_SECRET_ACCESS_KEY="unchecked",  # noqa: S106 - moto takes any
        AWS_DEFAULT_REGION="us-east-1",
    )
    with open(folder / "moto.log", "wb") as log:
        actions = [(os.POSIX_SPAWN_DUP2, log.fileno(), number) for number in (1, 2)]
        argv = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        pid = os.posix_spawn(sys.executable, argv, os.environ, file_actions=actions)
    try:
        _wait_for(port)
        yield
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def _wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)


def _write(folder: Path, count: int, size: int) -> Path:
    folder.mkdir()
    for number in range(count):
        with open(folder / f"{number:04}.bin", "wb") as file:
            for _ in range(max(1, size // 1_000_000)):
                file.write(os.urandom(min(size, 1_000_000)))
    return folder


if __name__ == "__main__":
    show(measure())
