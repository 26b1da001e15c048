"""Kill the commands of the loop at random moments, and look whether anything is half or doubled.

    python tests/slow/kill_loop.py [TIMES [SEED]]        20 of each command, by default

`alo review decide` of 5,000 decisions in parts, `alo review new` and `close`, `alo dataset make`,
`alo retrain`.
``.alo/`` is deleted now and then while they run.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path

DECISIONS = 5000
MOST_KILLS = 3  # of a part of the decisions; then it is left to end
DELETED = 0.2  # of kills, at which .alo/ is deleted before
TRAIN = """
import csv, json
rows = []
for path in Path(self.asset.get_input_path()).rglob("*.csv"):
    with path.open() as file:
        rows += list(csv.DictReader(file))
Path(self.asset.get_model_path(), "m.json").write_text(json.dumps(len(rows)))
self.asset.save_summary("learned", 0.9)
"""
INFER = """
import csv
with open(self.asset.get_output_path() + "output.csv", "w") as out:
    out.write("id,prediction\\n")
    for path in Path(self.asset.get_input_path()).rglob("*.csv"):
        with path.open() as file:
            out.writelines(f"{row['id']},good\\n" for row in csv.DictReader(file))
self.asset.save_summary("fine", 0.5)
"""
ASSET = """\
from pathlib import Path

from alolib.asset import Asset


class UserAsset(Asset):
    @Asset.decorator_run
    def run(self):
        {body}
        self.asset.save_data({{}})
        self.asset.save_config(self.asset.load_config())
"""
LAX = ("--gate", "min_rows=1", "--gate", "max_loss=1", "--gate", "min_gain=0")


class Project:
    """A solution with a model, results, and a review of them all."""

    def __init__(self, home: Path, rule: random.Random) -> None:
        self.home, self._rule, self.kills = home, rule, 0
        plan = {
            "name": "killed",
            "external_path": {
                "load_train_data_path": "./known/", "load_inference_data_path": "./asked/",
            },
            "user_parameters": {"train_pipeline": [{"step": "train"}],
                                "inference_pipeline": [{"step": "infer"}]},
            "review": {"key": "id", "label": "kind", "labels": ["good", "bad"]},
        }  # fmt: skip
        for step, body in (("train", TRAIN), ("infer", INFER)):
            path = home / f"assets/{step}/asset_{step}.py"
            path.parent.mkdir(parents=True)
            path.write_text(ASSET.format(body=body.strip().replace("\n", "\n" + " " * 8)))
        for folder, header, end in (("known", "id,x,kind", ",bad"), ("asked", "id,x", "")):
            (home / folder).mkdir()
            numbers = range(50) if folder == "known" else range(DECISIONS)
            rows = (f"{folder[0]}{n},{n}{end}" for n in numbers)
            (home / folder / "rows.csv").write_text("\n".join([header, *rows, ""]))
        (home / "solution").mkdir()
        (home / "solution/experimental_plan.yaml").write_text(json.dumps(plan))
        self.alo("run", "--quiet")
        self.alo("review", "new", "all", "--random", str(DECISIONS), "--seed", "1")
        self.run = next(iter(self.inferences()))
        self.seconds: dict[str, float] = {}  # that each command takes

    def alo(self, *words: str, statuses: Sequence[int] = (0,)) -> str:
        """What a command writes that is left to end."""
        done = subprocess.run(self._command(words), capture_output=True, text=True, check=False)
        assert done.returncode in statuses, (words, done.returncode, done.stderr)
        return done.stdout

    def killed(self, *words: str, statuses: Sequence[int] = (0,)) -> bool:
        """Begin a command and kill it at a random moment; whether it was faster than that."""
        first = time.monotonic()
        process = subprocess.Popen(
            self._command(words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        name = " ".join(words[:2])
        moment = self._rule.uniform(0, self.seconds.get(name, 3.0) * 1.1)
        if self._rule.random() < DELETED:
            time.sleep(moment / 2)
            shutil.rmtree(self.home / ".alo", ignore_errors=True)
        with suppress(subprocess.TimeoutExpired):
            status = process.wait(max(0.0, moment - (time.monotonic() - first)))
            self.seconds[name] = time.monotonic() - first
            return status in statuses
        process.kill()
        process.wait()
        self.kills += 1
        return False

    def inferences(self) -> set[str]:
        return {path.name for path in (self.home / "history/inference").iterdir()}

    def ask(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.home / "studio/studio.sqlite")) as database:
            return database.execute(statement, values).fetchall()

    def _command(self, words: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "alo.cli.main", *words, "--project", str(self.home)]


def kill_decisions(project: Project, times: int) -> None:
    """Each part is sent until it is acknowledged: then all of it is there, and once."""
    size, sent = DECISIONS // times, 0
    for start in range(0, size * times, size):
        lines = [
            {"key": f"k{n}", "record": f"{project.run}:{n}", "verdict": "change",
             "label": "bad" if n % 3 else "good"}
            for n in range(start, start + size)
        ]  # fmt: skip
        path = project.home / "said.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        words = ("review", "decide", "all", "--from", str(path))
        for _ in range(MOST_KILLS):
            if project.killed(*words):
                break
            assert counted(project) in (sent, sent + size)
        else:
            project.alo(*words)
        sent += size
        assert counted(project) == sent
    keys = Counter(str(key) for (key,) in project.ask("SELECT key FROM decisions"))
    assert keys == dict.fromkeys((f"k{n}" for n in range(size * times)), 1)


def counted(project: Project) -> int:
    return int(str(project.ask("SELECT count(*) FROM decisions")[0][0]))


def kill_reviews(project: Project, times: int) -> None:
    """A review has all of its records, or is none, and then its name is free."""
    for number in range(times):
        name = f"r{number}"
        words = ("review", "new", name, "--random", "100")
        is_done = project.killed(*words)
        found = project.ask("SELECT number FROM reviews WHERE name = ?", name)
        assert found or not is_done
        if not found:
            project.alo(*words)
            found = project.ask("SELECT number FROM reviews WHERE name = ?", name)
        ((review,),) = found
        records = "SELECT count(*) FROM review_records WHERE review = ?"
        assert project.ask(records, review) == [(DECISIONS,)]
        held = json.loads(project.alo("history", "prune", "--keep", "0", "--json"))
        assert held["kept"][project.run].startswith("review ")
        project.killed("review", "close", name)
        project.alo("review", "close", name)
        kept = project.home / "studio/reviews" / name / "inputs.jsonl"
        assert kept.is_file()
        project.alo("review", "remove", name)
        assert not kept.parent.exists()


def kill_datasets(project: Project, times: int) -> None:
    """A version is complete or absent."""
    for number in range(times):
        name = f"d{number}"
        words = ("dataset", "make", name, "--review", "all")
        is_done = project.killed(*words)
        folder = project.home / "datasets" / name
        assert not is_done or (folder / "v1").is_dir()
        if list(folder.glob("v*")):
            project.alo("dataset", "verify", name)
        project.alo(*words)
        project.alo("dataset", "verify", name)
        assert len(list(folder.glob("v*"))) == 1
        assert not list(folder.glob(".new-*"))
        project.alo("dataset", "remove", name)


def kill_retrains(project: Project, times: int) -> None:
    """A candidate has its comparison, or is none; the current model is as it was."""
    project.alo("dataset", "make", "kept", "--review", "all")
    models = project.home / "train_artifacts/models"
    before = {path: path.read_bytes() for path in models.rglob("*") if path.is_file()}
    words = ("retrain", "--dataset", "kept", *LAX)
    for _ in range(times):
        was = set((project.home / "history/train").iterdir())
        is_done = project.killed(*words, statuses=(0, 3))
        new = set((project.home / "history/train").iterdir()) - was
        assert len(new) <= 1
        assert not is_done or [each for each in new if not each.name.endswith("-error")]
        for entry in new:  # a train run that fails for want of .alo/ is kept as one that failed
            is_failed = entry.name.endswith("-error")
            assert is_failed or (entry / "log/comparison.json").is_file(), entry
        assert before == {path: path.read_bytes() for path in models.rglob("*") if path.is_file()}
        project.alo("history", "verify")
    project.alo(*words, statuses=(0, 3))
    project.alo("run", "--mode", "inference", "--quiet")
    assert not list((project.home / ".alo").glob("rerun-*"))


PHASES: Sequence[Callable[[Project, int], None]] = (
    kill_decisions, kill_reviews, kill_datasets, kill_retrains,
)  # fmt: skip


def main() -> None:
    times, seed = map(int, [*sys.argv[1:], *("20", "1")[len(sys.argv) - 1 :]])
    rule = random.Random(seed)  # noqa: S311
    with tempfile.TemporaryDirectory() as name:
        project = Project(Path(name) / "project", rule)
        for phase in PHASES:
            before = project.kills
            phase(project, times)
            print(f"{phase.__name__}: {project.kills - before} kills, nothing half or doubled")


if __name__ == "__main__":
    main()
