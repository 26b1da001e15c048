"""Kill runs at random moments, many times, and look after each whether anything was lost.

    python tests/slow/kill_runs.py [KILLS]        200 by default; minutes

Each run stages data that has changed, stores its steps, writes a model, exports it and prunes
history, so that a kill meets every phase. After each kill, and after the whole run that follows
each tenth: the model is one that a run has finished, exports are whole, nothing half-written is
read, and no temporary files pile up.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

LONGEST_S = 0.45  # a run takes less
ASSET = """\
from pathlib import Path

from alolib.asset import Asset


class UserAsset(Asset):
    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()
        self.data = {} if self.config["meta"]["step_number"] == 0 else self.asset.load_data()

    @Asset.decorator_run
    def run(self):
        text = Path(self.asset.get_input_path(), "data/round").read_text()
        self.data[self.config["meta"]["step_name"]] = text * 100_000
        folder = Path(self.asset.get_model_path())
        for number in range(5):
            (folder / f"part{number}").write_text(text * 20_000)
        self.asset.save_data(self.data)
        self.asset.save_config(self.config)
"""


class Project:
    """A solution whose every run makes a model that tells which data it was made from."""

    def __init__(self, folder: Path) -> None:
        self.home, self.data, self.out = folder / "project", folder / "data", folder / "out"
        for step in ("one", "two"):
            asset = self.home / "assets" / step / f"asset_{step}.py"
            asset.parent.mkdir(parents=True)
            asset.write_text(ASSET)
        plan = {
            "name": "killed",
            "external_path": {
                "load_train_data_path": str(self.data),
                "save_train_artifacts_path": str(self.out),
            },
            "user_parameters": {"train_pipeline": [{"step": "one"}, {"step": "two"}]},
            "control": {"interface_mode": "file", "cache": True, "backup_size": 3},
        }
        (self.home / "solution").mkdir()
        (self.home / "solution/experimental_plan.yaml").write_text(json.dumps(plan))
        self.data.mkdir()

    def set_round(self, number: int) -> None:
        (self.data / "round").write_text(f"{number:06d}\n")

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "alo.cli.main", "run", "--project", str(self.home)]
        return subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def run(self, *options: str) -> None:
        process = self.start(*options)
        output, _ = process.communicate()
        if process.returncode:
            raise AssertionError(output.decode())

    def model_round(self) -> str:
        """The round of the current model; all its parts must be of one."""
        models = self.home / "train_artifacts/models"
        if (self.home / ".unfinished_run/previous/artifacts").is_dir():
            models = self.home / ".unfinished_run/previous/artifacts/models"
        texts = {path.read_text() for path in models.rglob("part*")}
        assert len(texts) == 1, f"parts of {len(texts)} rounds in {models}"
        (text,) = texts
        assert len(text) == 7 * 20_000, f"a part of {len(text)} characters"
        return text[:6]

    def check_exports(self) -> None:
        for name in ("model.tar.gz", "train_artifacts.tar.gz"):
            with tarfile.open(self.out / name) as archive:
                assert sum(1 for _ in archive) >= 10, name

    def leftovers(self) -> list[str]:
        """Temporary files anywhere, after a run that has ended."""
        return [
            str(path)
            for folder in (self.home, self.out)
            for path in folder.rglob("*")
            if path.name.endswith((".alo-tmp", ".building", ".removing", ".tmp"))
            or path.name.startswith((".alo-trash-", "scratch-"))
        ]


def main(kills: int) -> None:
    chance = random.Random(kills)  # noqa: S311 - moments, not secrets
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        project.set_round(0)
        project.run()
        good = {"000000"}
        for number in range(1, kills + 1):
            project.set_round(number)
            process = project.start()
            time.sleep(chance.uniform(0.0, LONGEST_S))
            process.kill()
            process.communicate()
            good.add(f"{number:06d}")  # it may have ended just before
            assert project.model_round() in good, "a model that no run has finished"
            project.check_exports()
            if number % 10 == 0:
                project.run("--resume") if number % 20 else project.run()
                assert not project.leftovers(), project.leftovers()
                sys.stdout.write(f"{number} kills, model of round {project.model_round()}\n")
                sys.stdout.flush()
        project.run()
        assert project.model_round() == f"{kills:06d}"
        assert not (project.home / ".unfinished_run").exists()
        verified = subprocess.run(
            [sys.executable, "-m", "alo.cli.main", "history", "verify"],
            cwd=project.home,
            capture_output=True,
            text=True,
            check=False,
        )
        assert verified.returncode == 0, verified.stdout
        store = project.home / ".asset_interface/train"
        kept = {path.name for path in store.iterdir()}
        entries = {
            path.name.removesuffix("-error") for path in (project.home / "history/train").iterdir()
        }
        assert kept <= entries, f"stored without history: {kept - entries}"
        sys.stdout.write(
            f"{kills} kills: nothing lost; {verified.stdout.strip()}; {len(kept)} runs stored\n"
        )


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
