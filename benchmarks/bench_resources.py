"""The cost of ``check_resource: True``: a run of two busy seconds, watched and not."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.processes import Command, alo, by_turns
from benchmarks.rows import Row, show
from benchmarks.solutions import write_solution

BUSY_ASSET = """\
from alolib.asset import Asset


class UserAsset(Asset):
    @Asset.decorator_run
    def run(self):
        total = 0
        for number in range(20_000_000):
            total += number * number
        self.asset.save_data({"total": total})
        self.asset.save_config(self.asset.load_config())
"""


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        watched, plain = by_turns(
            *(_run(Path(folder), check_resource) for check_resource in (True, False)), rounds=11
        )
    what = "a busy run with check_resource : without"
    return [
        Row(f"{what}, time", watched.wall_s, plain.wall_s, 1.01, "s"),
        Row(f"{what}, CPU", watched.cpu_s, plain.cpu_s, 1.01, "s"),
    ]


def _run(folder: Path, check_resource: bool) -> Command:
    home = folder / f"watched-{check_resource}"
    assets = {"train_one": BUSY_ASSET, "train_two": BUSY_ASSET}
    write_solution(home, assets, control={"check_resource": check_resource})
    return Command(alo("run", "--project", home))


if __name__ == "__main__":
    show(measure())
