"""Sharded inference: what shards and a second worker come to, and what memory 5 GB take.

The pipeline answers each row by itself, with work that the processor has to do for each.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.processes import BenchmarkError, Command, alo, by_turns, run
from benchmarks.rows import Row, show

FILES, ROWS = 100, 2_000  # about half a second of work for each file
LONG = 60  # files of the run that shards are compared with: half a minute or more
LARGE, ROWS_PER_SHARD, WORK_OF_LARGE = 5_000_000_000, 100_000, 0
ROUNDS = 3
PLAN = """\
name: rows
external_path:
  - load_inference_data_path: data
user_parameters:
  - inference_pipeline:
      - step: answer
        args: {{work: {work}}}
"""
ASSET = """\
import csv
from pathlib import Path

from alolib.asset import Asset


class UserAsset(Asset):
    @Asset.decorator_run
    def run(self):
        work = self.asset.load_args()["work"]
        target = Path(self.asset.get_output_path()) / "output.csv"
        with open(target, "w", newline="") as made:
            writer = csv.writer(made)
            writer.writerow(["number", "answer"])
            for path in sorted(Path(self.asset.get_input_path()).rglob("*.csv")):
                with open(path, newline="") as table:
                    rows = csv.reader(table)
                    next(rows)
                    if work:
                        writer.writerows((row[0], answer(row[1], work)) for row in rows)
                    else:
                        writer.writerows((row[0], row[1]) for row in rows)
        self.asset.save_summary("ok", 0.5)
        self.asset.save_data({})
        self.asset.save_config(self.asset.load_config())


def answer(text, work):
    value = int(text)
    for _ in range(work):
        value = (value * 6364136223846793005 + 1) % 2**61
    return value
"""


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        home = write_project(base / "some", FILES, work=2_000)
        return [*_workers(home), _one_shard(base), *_memory(base)]


def _workers(home: Path) -> list[Row]:
    """100 files on one worker and on two; and whatever the shards are, the bytes are the same."""
    outputs = {shards: _output_of(home, "--shards", str(shards)) for shards in (1, 7, 100)}
    if len(set(outputs.values())) != 1:
        raise BenchmarkError("the outputs of 1, 7 and 100 shards differ")
    words = ("infer", "--files-per-shard", "1", "--project", home)
    one, two = by_turns(
        Command(alo(*words, "--jobs", "1"), lambda: forget(home)),
        Command(alo(*words, "--jobs", "2"), lambda: forget(home)),
        rounds=ROUNDS,
        warm_up=0,
    )
    return [Row("infer of 100 files, 2 workers : 1", two.wall_s, one.wall_s, 1 / 1.8, "s")]


def _one_shard(base: Path) -> Row:
    home = write_project(base / "long", LONG, work=2_000)
    whole, one = by_turns(
        Command(alo("run", "--mode", "inference", "--project", home), lambda: forget(home)),
        Command(alo("infer", "--shards", "1", "--project", home), lambda: forget(home)),
        rounds=ROUNDS,
        warm_up=0,
    )
    return Row("infer --shards 1 : alo run", one.wall_s, whole.wall_s, 1.05, "s")


def _memory(base: Path) -> list[Row]:
    """Of the driver, and of the worker that took most; of one shard, and of many as large."""
    _, of_one = _peaks(base / "one", _table(ROWS_PER_SHARD), of_bytes=0)
    driver, of_each = _peaks(base / "large", _table(ROWS_PER_SHARD), of_bytes=LARGE)
    what = "infer of 5 GB in shards of 100,000 rows"
    return [
        Row(f"{what}: driver", driver / 1e6, None, 200, "MB"),
        Row("  the largest worker : that of one shard", of_each / 1e6, of_one / 1e6, 1.1, "MB"),
    ]


def _peaks(home: Path, block: bytes, *, of_bytes: int) -> tuple[int, int]:
    """The most memory of the driver, and of a worker, for rows that come again and again."""
    write_project(home, 0, work=WORK_OF_LARGE)
    with open(home / "data/large.csv", "wb") as file:
        file.write(block)
        rows = block[block.index(b"\n") + 1 :]
        while file.tell() < of_bytes:
            file.write(rows)
    words = ("infer", "--rows-per-shard", str(ROWS_PER_SHARD), "--jobs", "2", "--project", home)
    driver = worker = 0
    with subprocess.Popen(alo(*words), stdout=subprocess.DEVNULL) as process:  # noqa: S603
        while process.poll() is None:
            driver = max(driver, _peak_of(process.pid))
            worker = max([worker, *map(_peak_of, _children_of(process.pid))])
            time.sleep(0.05)
    if process.returncode:
        raise BenchmarkError(f"alo infer of {of_bytes:,} bytes: exit {process.returncode}")
    shutil.rmtree(home)
    return driver, worker


def _children_of(pid: int) -> list[int]:
    try:
        lists = [each.read_text() for each in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:  # it has ended
        return []
    return [int(child) for each in lists for child in each.split()]


def _peak_of(pid: int) -> int:
    """The most memory that one process has had so far, without those that it has started."""
    try:
        with open(f"/proc/{pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    except (OSError, StopIteration):  # it has ended
        return 0


def _output_of(home: Path, *how: str) -> bytes:
    forget(home)
    run(alo("infer", *how, "--project", home))
    return (home / "inference_artifacts/output/output.csv").read_bytes()


def forget(home: Path) -> None:
    """Have nothing of earlier runs."""
    shutil.rmtree(home / "history", ignore_errors=True)


def write_project(home: Path, files: int, *, work: int) -> Path:
    (home / "assets/answer").mkdir(parents=True)
    (home / "assets/answer/asset_answer.py").write_text(ASSET)
    (home / "solution").mkdir()
    (home / "solution/experimental_plan.yaml").write_text(PLAN.format(work=work))
    (home / "data").mkdir()
    for number in range(files):
        (home / f"data/{number:03}.csv").write_bytes(_table(ROWS))
    return home


def _table(rows: int) -> bytes:
    draw = random.Random(rows)  # noqa: S311 - the same table each time
    lines = (f"{number},{draw.randrange(10**9)},{'x' * 40}\n" for number in range(rows))
    return ("number,value,text\n" + "".join(lines)).encode()


if __name__ == "__main__":
    show(measure())
