"""Kill the studio at random moments while people decide; every acknowledged decision is there.

    python tests/slow/kill_reviews.py [DECISIONS [SEED]]        5,000 decisions by default

Whoever was not answered sends the same decisions again with their keys, as the label screen does.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# The review is that of the benchmarks: as a script, this file has to find them.
sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.improve.reviewed import store_review

from alo.database.opening import open_database
from alo.layout import Workspace

TOKEN = "of-these-kills"  # noqa: S105
NAME, RUN, PEOPLE = "killed", "run-a", 4
LONGEST_S, MOST = 1.0, 8  # between kills; decisions of one request


class Studio:
    """The studio of a project, started again whenever it was killed."""

    def __init__(self, home: Path, log: Path) -> None:
        self._home, self._log = home, log.open("wb")
        self._process, self.port = self._started()

    def kill(self) -> None:
        """Kill it, and start another in its place."""
        self._process.kill()
        self._process.wait()
        self._process, self.port = self._started()

    def end(self) -> None:
        """Kill it for good."""
        self._process.kill()
        self._process.wait()
        self._log.close()

    def send(self, decisions: Sequence[dict[str, object]]) -> list[dict[str, Any]] | None:
        """The results; None: it did not answer."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/reviews/{NAME}/decisions",
            data=json.dumps({"decisions": decisions}).encode(),
            headers=headers,
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                results: list[dict[str, Any]] = json.loads(answer.read())["results"]
                return results
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{error.code}: {error.read().decode()}") from error
        except (OSError, ValueError):
            return None

    def _started(self) -> tuple[subprocess.Popen[bytes], int]:
        command = [sys.executable, "-m", "alo.cli.main", "ui", "--port", "0", "--json"]
        command += ["--token", TOKEN, "--project", str(self._home)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._log)
        assert process.stdout is not None
        with process.stdout:
            return process, json.loads(process.stdout.readline())["port"]


class Traffic:
    """People who decide on records of their own, and what was acknowledged to them."""

    def __init__(self, studio: Studio, records: int, seed: int) -> None:
        self._studio, self._records, self._seed = studio, records, seed
        self.acknowledged: dict[str, tuple[str, str]] = {}  # key → record, label
        self.faults: list[str] = []
        self._threads = [
            threading.Thread(target=self._decide, args=(place,)) for place in range(PEOPLE)
        ]

    def start(self) -> None:
        for each in self._threads:
            each.start()

    @property
    def is_over(self) -> bool:
        return not any(each.is_alive() for each in self._threads)

    def _decide(self, place: int) -> None:
        rule = random.Random(self._seed * PEOPLE + place)  # noqa: S311
        rows = list(range(place, self._records, PEOPLE))
        while rows and not self.faults:
            count = rule.choice((1, 1, 1, rule.randint(2, MOST)))
            part, rows = rows[:count], rows[count:]
            sent: list[dict[str, object]] = [
                {
                    "key": f"k{row}",
                    "record": f"{RUN}:{row}",
                    "verdict": "change",
                    "label": rule.choice(("good", "bad")),
                }
                for row in part
            ]
            while (results := self._studio.send(sent)) is None:
                time.sleep(0.02)
            for each, result in zip(sent, results, strict=True):
                if result["state"] not in ("saved", "unchanged"):
                    self.faults.append(f"{each}: {result}")
                    return
                self.acknowledged[str(each["key"])] = str(each["record"]), str(each["label"])


def kill_at_random(folder: Path, decisions: int, seed: int, patience_s: float) -> int:
    """Returns how often the studio was killed; fails if a decision was lost or doubled."""
    home = folder / "project"
    (home / "solution").mkdir(parents=True)
    step = {"step": "one", "args": [{}]}
    plan = {"name": "killed", "user_parameters": {"train_pipeline": [step]}}
    (home / "solution/experimental_plan.yaml").write_text(json.dumps(plan))
    store_review(home, NAME, RUN, decisions, 0)
    rule, kills = random.Random(seed), 0  # noqa: S311
    studio = Studio(home, folder / "log")
    traffic = Traffic(studio, decisions, seed)
    try:
        traffic.start()
        end = time.monotonic() + patience_s
        while not traffic.is_over:
            assert time.monotonic() < end, f"{len(traffic.acknowledged)} of {decisions}"
            time.sleep(rule.uniform(0, LONGEST_S))
            if not traffic.is_over:
                studio.kill()
                kills += 1
    finally:
        studio.end()
    assert traffic.faults == []
    assert len(traffic.acknowledged) == decisions
    assert _stored(home) == traffic.acknowledged
    return kills


def _stored(home: Path) -> dict[str, tuple[str, str]]:
    database = open_database(Workspace(home))
    try:
        found = database.read("SELECT key, at, label FROM decisions")
    finally:
        database.close()
    keys = [key for key, _, _ in found]
    assert len(keys) == len(set(keys)), "a decision was stored twice"
    return {key: (f"{RUN}:{at}", label) for key, at, label in found}


if __name__ == "__main__":
    wanted = [int(each) for each in sys.argv[1:]]
    count, first_seed = wanted[0] if wanted else 5_000, wanted[1] if len(wanted) > 1 else 1
    with tempfile.TemporaryDirectory() as place:
        killed = kill_at_random(Path(place), count, first_seed, patience_s=3_600.0)
    sys.stdout.write(f"{count:,} decisions, {killed} kills: none lost, none doubled\n")
