"""A cached rerun, where no step has to run, beside ``alo check``: of empty steps, and of steps that
hand real data on. In memory, as it makes files."""

from __future__ import annotations

from pathlib import Path

from benchmarks.processes import Command, alo, by_turns, in_memory
from benchmarks.rows import Row, show
from benchmarks.solutions import write_empty_solution, write_solution

LIMITS = {5: 1.25, 50: 1.3}  # steps → times
ROWS = 1_000_000  # of the frame that goes from step to step: 80 MB

FRAME_ASSET = """\
import numpy as np
import pandas as pd
from alolib.asset import Asset


class UserAsset(Asset):
    def __init__(self, asset_structure):
        super().__init__(asset_structure)
        self.config = self.asset.load_config()

    @Asset.decorator_run
    def run(self):
        self.asset.save_data({{"frame": {frame}}})
        self.asset.save_config(self.config)
"""
NEW_FRAME = f"pd.DataFrame(np.random.rand({ROWS}, 10))"
NEXT_FRAME = "self.asset.load_data()['frame'] * 2.0"


def measure() -> list[Row]:
    with in_memory() as folder:
        homes = {steps: Path(folder) / f"of-{steps}" for steps in LIMITS}
        rows = []
        for steps, home in homes.items():
            write_empty_solution(home, steps, cache=True)
            rows.append(_measure(home, f"{steps} steps", LIMITS[steps]))
        home = Path(folder) / "frames"
        frames = [NEW_FRAME, *[NEXT_FRAME] * 4]
        assets = {
            f"step_{letter}": FRAME_ASSET.format(frame=frame)
            for letter, frame in zip("abcde", frames, strict=True)
        }
        write_solution(home, assets, control={"cache": True})
        what = f"5 steps, a frame of {ROWS * 80 / 1e6:.0f} MB from each to the next"
        return [*rows, _measure(home, what, LIMITS[5])]


def _measure(home: Path, what: str, limit: float) -> Row:
    cached, checked = by_turns(
        Command(alo("run", "--project", home)),
        Command(alo("check", "--project", home)),
        rounds=31,
    )
    reported = f"a cached rerun of {what} : alo check"
    return Row(reported, cached.wall_s * 1e3, checked.wall_s * 1e3, limit, "ms")


if __name__ == "__main__":
    show(measure())
