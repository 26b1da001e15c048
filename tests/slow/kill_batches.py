"""Kill sharded inferences at random moments; no row may be missing then, and none there twice.

    python tests/slow/kill_batches.py [KILLS]        50 by default; minutes

Each batch is killed, gone on with and killed again, until it ends. Nothing of it runs 10 s after a
kill; in the end its output has the bytes of an inference that was not cut, it is one run in
history, and what was in the artifacts before was there after each kill once the next command ran.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GONE_S = 10.0
MARK = "ALO_KILL_BATCHES"  # in the environment of all that a batch starts
ROWS, SHARDS, BAD = 60, 8, (7, 33)
ASSET = """\
import csv
import subprocess
import time

from alolib.asset import Asset


class UserAsset(Asset):
    @Asset.decorator_run
    def run(self):
        started = subprocess.Popen(["sleep", "60"])
        time.sleep(0.05)
        started.kill()
        started.wait()
        with open(self.asset.get_input_path() + "data.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        if self.asset.load_args()["strict"] and any(row["x"] in ("7", "33") for row in rows):
            raise ValueError("a bad row")
        with open(self.asset.get_output_path() + "output.csv", "w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["", "x", "double"])
            for number, row in enumerate(rows):
                table.writerow([number, row["x"], 2 * int(row["x"])])
        self.asset.save_summary("ok", 0.5)
        self.asset.save_data({})
        self.asset.save_config(self.asset.load_config())
"""


class Project:
    """A project with one step and a table, and batches of it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        asset = home / "assets/answer/asset_answer.py"
        asset.parent.mkdir(parents=True)
        asset.write_text(ASSET)
        self.table = home.parent / "data.csv"
        self.table.write_text("".join(["x\n", *(f"{row}\n" for row in range(ROWS))]))
        plan = {
            "name": "killed",
            "external_path": {"load_inference_data_path": str(self.table)},
            "user_parameters": {
                "inference_pipeline": [{"step": "answer", "args": {"strict": False}}]
            },
            "control": {"backup_size": 1000},
        }
        (home / "solution").mkdir()
        (home / "solution/experimental_plan.yaml").write_text(json.dumps(plan))
        self.output = home / "inference_artifacts/output/output.csv"
        self.run("run")
        self.whole = self.output.read_bytes()
        began = time.monotonic()
        self.run(*self.words("b0", is_strict=True))
        self.takes_s = time.monotonic() - began

    def start(self, *words: str, mark: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "alo.cli.main", *words, "--project", str(self.home)]
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, MARK: mark},
        )

    def run(self, *words: str) -> bytes:
        process = self.start(*words, mark="")
        output, _ = process.communicate()
        assert process.returncode == 0, output.decode()
        return output

    def words(self, name: str, *, is_strict: bool) -> list[str]:
        words = ["infer", name, "--shards", str(SHARDS), "--jobs", "2"]
        strict = ["--set", "answer.strict=true", "--on-error", "bisect"]
        return words + strict if is_strict else words

    def check(self, name: str, *, is_strict: bool) -> None:
        """All rows are there once, but those that fail, and it is one run in history."""
        rows = [row for row in range(ROWS) if not (is_strict and row in BAD)]
        lines = [f"{number},{row},{2 * row}" for number, row in enumerate(rows)]
        expected = "\r\n".join([",x,double", *lines, ""]).encode()
        assert self.output.read_bytes() == expected
        assert is_strict or expected == self.whole
        reported = json.loads((self.home / "history/batches" / name / "outcome.json").read_text())
        assert (reported["rows_out"], reported["status"]) == (len(rows), "complete"), reported
        runs = json.loads(self.run("history", "--json", "--limit", "0"))
        of_batch = [each for each in runs if each["id"] == reported["run_id"]]
        assert [each["status"] for each in of_batch] == ["success"]
        left = [each for each in os.listdir(self.home / ".alo") if each.startswith("rerun-")]
        assert not left, left


def running(mark: str) -> list[str]:
    """What runs with a mark."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if f"{MARK}={mark}\0".encode() in (folder / "environ").read_bytes() + b"\0":
                found.append((folder / "cmdline").read_text().replace("\0", " "))
        except OSError:  # no process, or gone, or somebody else's
            continue
    return found


def main(kills: int) -> None:
    chance = random.Random(kills)  # noqa: S311 - moments, not secrets
    killed, number = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder) / "project")
        while killed < kills:
            number += 1
            name, is_strict = f"b{number}", number % 2 == 0
            for tries in range(1, sys.maxsize):
                is_known = (project.home / "history/batches" / name / "batch.json").exists()
                fresh = project.words(name, is_strict=is_strict)
                words = ["infer", "--resume", name, "--jobs", "2"] if is_known else fresh
                process = project.start(*words, mark=name)
                try:
                    longest_s = project.takes_s * (1 + tries / 4)  # it comes to an end at last
                    output, _ = process.communicate(timeout=chance.random() * longest_s)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.communicate()
                    killed += 1
                else:
                    assert process.returncode == 0, output.decode()
                    break
                moment = time.monotonic()
                while (left := running(name)) and time.monotonic() - moment < GONE_S:
                    time.sleep(0.05)
                assert not left, left
                sys.stdout.write(f"\r{killed} kills, {number} batches ")
                sys.stdout.flush()
            project.check(name, is_strict=is_strict)
    sys.stdout.write("\nno row lost, none doubled, nothing left running\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
