"""History of a large model: what backing it up adds to the run's time and to the disk.

In memory (tmpfs), and beside a copy: a run that waited for one would show it at once, while runs
that write as much to a disk differ among themselves by more than what is looked for.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.processes import Command, alo, by_turns, in_memory
from benchmarks.rows import Row, show
from benchmarks.solutions import write_solution

MODEL_BYTES = 500_000_000
SEALING_S = 60  # a whole model is copied in a second or two
ROUNDS = 15

MODEL_ASSET = f"""\
import os

from alolib.asset import Asset


class UserAsset(Asset):
    @Asset.decorator_run
    def run(self):
        block = os.urandom(1_000_000)
        with open(self.asset.get_model_path() + "model.bin", "wb", buffering=0) as file:
            for _ in range({MODEL_BYTES // 1_000_000}):
                file.write(block)
        self.asset.save_data({{}})
        self.asset.save_config(self.asset.load_config())
"""


class Project(NamedTuple):
    """A solution that writes the model; each measured run starts in a fresh one."""

    home: Path
    backup: bool

    def write(self) -> None:
        # Of both projects: what one run has left to be done would slow the next one down.
        _wait_for_sealing(self.home.parent)
        shutil.rmtree(self.home, ignore_errors=True)
        control = {"backup_artifacts": self.backup, "backup_size": 10_000}
        write_solution(self.home, {"train": MODEL_ASSET}, control=control)

    @property
    def command(self) -> Command:
        return Command(alo("run", "--project", self.home), self.write)


def measure() -> list[Row]:
    with in_memory() as folder:
        with_backup = Project(Path(folder) / "with", backup=True)
        without = Project(Path(folder) / "without", backup=False)
        copied, copy = Path(folder) / "model.bin", Path(folder) / "copy"
        copied.write_bytes(os.urandom(1_000_000) * (MODEL_BYTES // 1_000_000))
        cp = Command(["/bin/cp", str(copied), str(copy)], partial(copy.unlink, missing_ok=True))
        commands = with_backup.command, without.command, cp
        backed_up, bare, one_copy = by_turns(*commands, rounds=ROUNDS, warm_up=1)
        _wait_for_sealing(Path(folder))
        disk_with, disk_without = (_disk_bytes(p.home) / 1e6 for p in (with_backup, without))
    size = f"{MODEL_BYTES / 1e6:g} MB model"
    added_ms = (backed_up.wall_s - bare.wall_s) * 1e3
    return [
        Row(
            f"what the backup of a {size} adds to a run : cp of it",
            added_ms,
            one_copy.wall_s * 1e3,
            0.2,
            "ms",
        ),
        Row(f"disk with a {size} : without its backup", disk_with, disk_without, 2.02, "MB"),
    ]


def _wait_for_sealing(folder: Path) -> None:
    """Wait until the processes that copy large files after a run are done, in all projects."""
    deadline = time.monotonic() + SEALING_S
    while time.monotonic() < deadline and not all(
        _is_sealed(path) for path in folder.glob("*/history/train/*/log/checksums.json")
    ):
        time.sleep(0.1)


def _is_sealed(checksums: Path) -> bool:
    entries = json.loads(checksums.read_bytes())
    return all(entry.get("checksum") for entry in entries.values())


def _disk_bytes(home: Path) -> int:
    """What the folder takes on the disk; a file with two names counts once."""
    stats = [path.lstat() for path in home.rglob("*")]
    return sum({stat.st_ino: stat.st_blocks * 512 for stat in stats}.values())


if __name__ == "__main__":
    show(measure())
