"""Kill the studio at random moments while it runs jobs, and look whether one was lost or doubled.

    python tests/slow/kill_studio.py [JOBS [STUDIOS [SEED]]]        200 jobs, 1 studio by default

Each job notes its number in a file. Clients whose connection was cut ask again with the same key.
``.alo/`` is deleted now and then, and the process that follows a job is killed, too.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

TOKEN = "of-these-kills"  # noqa: S105
LONGEST_S, LOOK_S = 3.0, 0.1
DELETED = 0.1  # of kills, at which .alo/ is deleted, too
FOLLOWERS = 0.5  # of kills, at which who follows a job is killed, too
FOLLOWER = b"alo.ui.jobs.supervisor"
ASSET = """\
from alolib.asset import Asset


class UserAsset(Asset):
    @Asset.decorator_run
    def run(self):
        with open({path!r}, "a") as file:
            file.write(f"{{self.asset.load_args()['number']}}\\n")
        self.asset.save_data({{}})
        self.asset.save_config(self.asset.load_config())
"""


class Studios:
    """The studios of a project."""

    def __init__(self, home: Path, count: int) -> None:
        self.home = home
        self._log = (home.parent / "log").open("wb")
        self._studios = [self._started() for _ in range(count)]

    def kill_one(self, at: int) -> None:
        """Kill a studio, and start another in its place."""
        process, _ = self._studios[at]
        process.kill()
        process.wait()
        self._studios[at] = self._started()

    def kill_followers(self) -> None:
        """Kill the processes that follow jobs; the runs themselves are left."""
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                words = path.read_bytes()
                if FOLLOWER in words and str(self.home).encode() in words:
                    os.kill(int(path.parent.name), signal.SIGKILL)

    def ask(self, at: int, path: str, body: object = None) -> Any:
        """The answer of a studio; None: it was not there."""
        _, port = self._studios[at]
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{path}", data=data, headers=headers
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.code}: {error.read().decode()}") from error
        except (OSError, ValueError):
            return None

    def end(self) -> None:
        """Kill all studios."""
        for process, _ in self._studios:
            process.kill()
            process.wait()
        self._log.close()

    def _started(self) -> tuple[subprocess.Popen[bytes], int]:
        command = [sys.executable, "-m", "alo.cli.main", "ui", "--port", "0", "--json"]
        command += ["--token", TOKEN, "--project", str(self.home)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._log)
        assert process.stdout is not None
        with process.stdout:
            return process, json.loads(process.stdout.readline())["port"]


class Project(Studios):
    """A solution of one step, and the studios that run it."""

    def __init__(self, folder: Path, studios: int) -> None:
        home, self.notes = folder / "project", folder / "notes"
        asset = home / "assets" / "one" / "asset_one.py"
        asset.parent.mkdir(parents=True)
        asset.write_text(ASSET.format(path=str(self.notes)))
        step = {"step": "one", "args": [{"number": 0}], "ui_args": ["number"]}
        plan = {"name": "killed", "user_parameters": {"train_pipeline": [step]}}
        (home / "solution").mkdir()
        (home / "solution/experimental_plan.yaml").write_text(json.dumps(plan))
        self.notes.touch()
        super().__init__(home, studios)


def kill_at_random(folder: Path, jobs: int, studios: int, seed: int, patience_s: float) -> int:
    """Returns how often a studio was killed; fails if a job was lost or doubled."""
    rule, kills = random.Random(seed), 0  # noqa: S311
    project = Project(folder, studios)
    try:
        ids: dict[int, str] = {}
        end = time.monotonic() + patience_s
        next_kill = time.monotonic() + rule.uniform(0, LONGEST_S)
        open_jobs = jobs
        while len(ids) < jobs or open_jobs:
            assert time.monotonic() < end, f"{open_jobs} of {jobs} jobs have not ended"
            at = rule.randrange(studios)
            if time.monotonic() > next_kill:
                if rule.random() < DELETED:
                    shutil.rmtree(project.home / ".alo", ignore_errors=True)
                if rule.random() < FOLLOWERS:
                    project.kill_followers()
                project.kill_one(at)
                kills += 1
                next_kill = time.monotonic() + rule.uniform(0, LONGEST_S)
            elif len(ids) < jobs:
                number = len(ids) + 1
                wanted = {"pipeline": "train", "args": {"one": {"number": number}}}
                if job := project.ask(at, "/runs", {**wanted, "key": f"k{number}"}):
                    ids[number] = job["id"]
            else:
                if (page := project.ask(at, "/overview.json")) is not None:
                    open_jobs = len(page["jobs"])
                time.sleep(LOOK_S)
        states = Counter(ask_whole(project, f"/jobs/{each}.json")["state"] for each in ids.values())
        total = ask_whole(project, "/jobs.json")["total"]
    finally:
        project.end()
    noted = Counter(map(int, project.notes.read_text().split()))
    assert total == jobs, f"{total} jobs of {jobs}"
    assert states == {"success": jobs}, states
    assert noted == dict.fromkeys(range(1, jobs + 1), 1), noted - Counter(range(1, jobs + 1))
    return kills


def ask_whole(project: Studios, path: str) -> Any:
    while (found := project.ask(0, path)) is None:
        time.sleep(LOOK_S)
    return found


def main() -> None:
    jobs, studios, seed = map(int, [*sys.argv[1:], *("200", "1", "1")[len(sys.argv) - 1 :]])
    with tempfile.TemporaryDirectory() as folder:
        kills = kill_at_random(Path(folder), jobs, studios, seed, patience_s=20.0 * jobs)
    print(f"{kills} kills during {jobs} jobs: none lost, none doubled")


if __name__ == "__main__":
    main()
