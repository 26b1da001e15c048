"""Kill sweeps at random moments, and look after each whether any trial was lost or doubled.

    python tests/slow/kill_sweeps.py [KILLS]        50 by default; minutes

After each kill nothing of the sweep runs 10 s later, not what a trial has started either; after
``alo sweep resume`` each configuration is complete, and has exactly one finished entry in history.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

LONGEST_S = 2.5  # a sweep takes at least so long
GONE_S = 10.0
MARK = "ALO_KILL_SWEEPS"  # in the environment of all that a sweep starts
CONFIGURATIONS = 8
ASSET = """\
import subprocess
import time

from alolib.asset import Asset


class UserAsset(Asset):
    @Asset.decorator_run
    def run(self):
        started = subprocess.Popen(["sleep", "60"])
        time.sleep(0.2)
        started.kill()
        started.wait()
        with open(self.asset.get_model_path() + "m", "w") as file:
            file.write(str(self.asset.load_args()["x"]))
        self.asset.save_summary("ok", self.asset.load_args()["x"] / 100)
        self.asset.save_data({})
        self.asset.save_config(self.asset.load_config())
"""


class Project:
    """A project with one step, and sweeps in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        asset = home / "assets/train/asset_train.py"
        asset.parent.mkdir(parents=True)
        asset.write_text(ASSET)
        plan = {
            "name": "killed",
            "user_parameters": {"train_pipeline": [{"step": "train", "args": {"x": 1}}]},
            "control": {"backup_size": 1000},
        }
        (home / "solution").mkdir()
        (home / "solution/experimental_plan.yaml").write_text(json.dumps(plan))
        (home / "input/train").mkdir(parents=True)

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

    def sweep(self, name: str) -> list[str]:
        return ["sweep", name, "--param", f"train.x=1..{CONFIGURATIONS}", "--jobs", "2"]

    def check(self, name: str) -> None:
        """Each configuration is complete, and finished once."""
        trials = json.loads(self.run("sweep", "show", name, "--json"))["trials"]
        assert [each["args"]["train.x"] for each in trials] == list(range(1, CONFIGURATIONS + 1))
        assert {each["state"] for each in trials} == {"complete"}, trials
        runs = json.loads(self.run("history", "--sweep", name, "--json", "--limit", "0"))
        done = Counter(each["args"]["train"]["x"] for each in runs if each["status"] == "success")
        assert done == dict.fromkeys(range(1, CONFIGURATIONS + 1), 1), done
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
    interrupted = 0
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder) / "project")
        for number in range(1, kills + 1):
            name = f"s{number}"
            process = project.start(*project.sweep(name), mark=name)
            time.sleep(chance.random() * LONGEST_S)
            process.kill()
            process.communicate()
            killed = time.monotonic()
            while (left := running(name)) and time.monotonic() - killed < GONE_S:
                time.sleep(0.05)
            assert not left, left
            is_known = (project.home / "history/sweeps" / name / "sweep.json").exists()
            project.run(*(["sweep", "resume", name] if is_known else project.sweep(name)))
            project.check(name)
            interrupted += process.returncode < 0
            sys.stdout.write(f"\r{number} kills, {interrupted} of them of one that ran ")
            sys.stdout.flush()
    sys.stdout.write("\nno trial lost, none doubled, nothing left running\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
