"""Kill the studio at random moments while it makes data sets and candidates.

    python tests/slow/kill_makers.py [JOBS [SEED]]       20 data sets and 20 retrains by default

Clients whose connection was cut ask again with the same key. The process that follows a job is
killed, too. In the end each job has been done once, each data set is whole, each candidate has its
comparison, and nothing half is left.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

# The project is that of the tests: as a script, this file has to find them.
sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.conftest import write_solution
from tests.slow.kill_studio import FOLLOWERS, LOOK_S, Studios, ask_whole
from tests.support.loop_project import review_results, write_loop_project

from alo.datasets.catalog import Catalog, verify
from alo.gate.compared import comparison_of
from alo.history.browse import History
from alo.history.entries.verify import damage
from alo.history.filters import Filters
from alo.layout import Workspace

LONGEST_S = 2.5  # from one kill to the next


def kill_at_random(folder: Path, jobs: int, seed: int, patience_s: float) -> int:
    """Returns how often the studio was killed; fails if a job was lost, doubled or left half."""
    rule = random.Random(seed)  # noqa: S311
    home = write_loop_project(lambda **options: write_solution(folder / "project", **options))
    review_results(home)
    project = Studios(home, 1)
    try:
        kills = _make(project, _wanted(jobs, "/datasets"), rule, patience_s)
        kills += _make(project, _wanted(jobs, "/models/retrain"), rule, patience_s)
        found = ask_whole(project, "/jobs.json?limit=500")
    finally:
        project.end()
    states = Counter((each["command"][1], each["state"]) for each in found["items"])
    assert states == {("dataset", "success"): jobs, ("retrain", "success"): jobs}, states
    _look(Workspace(home), jobs)
    return kills


def _wanted(jobs: int, path: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Key → where it is asked for, and how."""
    bodies: dict[str, dict[str, Any]] = {
        "/datasets": {"reviews": ["r"]},
        "/models/retrain": {"dataset": "d0"},
    }
    named = {"name": "d{}"} if path == "/datasets" else {}
    return {
        f"{path} {number}": (
            path,
            {**bodies[path], **{k: v.format(number) for k, v in named.items()}},
        )
        for number in range(jobs)
    }


def _make(
    project: Studios,
    wanted: dict[str, tuple[str, dict[str, Any]]],
    rule: random.Random,
    patience_s: float,
) -> int:
    """Ask for all of it, killing meanwhile, until nothing is open; returns the kills."""
    kills, end = 0, time.monotonic() + patience_s
    waiting, is_open = dict(wanted), True
    next_kill = time.monotonic() + rule.uniform(0, LONGEST_S)
    while waiting or is_open:
        assert time.monotonic() < end, f"not all has ended: {len(waiting)} were not taken"
        if time.monotonic() > next_kill:
            if rule.random() < FOLLOWERS:
                project.kill_followers()
            project.kill_one(0)
            kills += 1
            next_kill = time.monotonic() + rule.uniform(0, LONGEST_S)
        elif waiting:
            key, (path, body) = next(iter(waiting.items()))
            if project.ask(0, path, {**body, "key": key}):
                del waiting[key]
        else:
            if (page := project.ask(0, "/overview.json")) is not None:
                is_open = bool(page["jobs"])
            time.sleep(LOOK_S)
    return kills


def _look(workspace: Workspace, jobs: int) -> None:
    """Nothing is half, and each was made once."""
    catalog, history = Catalog(workspace), History(workspace)
    assert catalog.names() == sorted(f"d{number}" for number in range(jobs))
    for version in catalog.all():
        assert version.manifest.version == "v1"
        assert verify(version) == []
    for home in catalog.folder.iterdir():
        assert {path.name for path in home.iterdir()} == {"v1", "tested.jsonl"}, os.listdir(home)
    candidates = [each for each in history.list(Filters("train"), None) if each.dataset]
    assert len(candidates) == jobs, len(candidates)
    for record in candidates:
        entry = history.find(record.id)
        assert comparison_of(entry.folder) is not None, record.id
        assert damage(entry.folder) == [], record.id
    assert list(workspace.internal.glob("rerun-*")) == []


def main() -> None:
    jobs, seed = map(int, [*sys.argv[1:], *("20", "1")[len(sys.argv) - 1 :]])
    with tempfile.TemporaryDirectory() as folder:
        kills = kill_at_random(Path(folder), jobs, seed, patience_s=60.0 * jobs)
    print(f"{kills} kills during {jobs} data sets and {jobs} retrains: none lost, none doubled")


if __name__ == "__main__":
    main()
