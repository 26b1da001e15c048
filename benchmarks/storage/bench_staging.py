"""Staging one large file, and many small ones, against ``cp``; and again, when nothing changed.

Every round has folders of its own and nothing is deleted before the end: ext4 is slow to make files
where others have just been deleted, and ``cp`` and staging would not meet that alike.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.processes import Command, Usage, by_turns, python, run
from benchmarks.rows import Row, show

LARGE_BYTES = 2_000_000_000
SMALL_FILES, SMALL_BYTES = 20_000, 10_000
ROUNDS, LOOKS = 5, 15
FIND = ("/usr/bin/find", "-printf", "%p %s %T@ %C@\\n")
STAGE = """\
import sys
from pathlib import Path
from alo.data.locations import list_sources
from alo.data.staging import stage
from alo.layout import Workspace

workspace = Workspace(Path(sys.argv[1]))
sources = list_sources(workspace.home, sys.argv[2:], workspace.input("train"))
stage(workspace, "train", sources, lambda done, total: None)
"""


class Figures(NamedTuple):
    """Medians of one kind of data."""

    copy: Usage
    first: Usage
    again: Usage


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        nothing = base / "nothing"
        nothing.mkdir()
        idle = _stage(base / "idle", nothing).peak_bytes
        large = _measure(base / "large", _write_large(base / "one"), idle)
        small = _measure(base / "small", _write_small(base / "many"), idle)
        return [*large, *small, _measure_looking(base)]


def _measure_looking(base: Path) -> Row:
    """What bounds the second staging: every file, source and copy, has to be looked at.

    Both without their start: Python's, and that of the modules, is measured with nothing to stage.
    """
    source, home = base / "many", base / "small" / "staged0"
    find = [*FIND[:1], str(source), str(home / "input"), *FIND[1:]]
    staged, idle, found, empty = by_turns(
        Command(python("-c", STAGE, home, next(source.iterdir()))),
        Command(python("-c", STAGE, base / "idle", base / "nothing")),
        Command(find),
        Command([FIND[0], str(base / "nothing"), *FIND[1:]]),
        rounds=LOOKS,
    )
    what = "staging 20,000 files, nothing changed : find looks at source and copy"
    return Row(what, staged.wall_s - idle.wall_s, found.wall_s - empty.wall_s, 1.5, "s")


def _measure(base: Path, source: Path, idle_bytes: int) -> list[Row]:
    what, figures = f"staging {source.name}", _figures(base, source)
    growth = (max(figures.first.peak_bytes, figures.again.peak_bytes) - idle_bytes) / 1e6
    first, again, copy = figures.first.wall_s, figures.again.wall_s, figures.copy.wall_s
    return [
        Row(f"{what}, checksums included : cp -r", first, copy, limit=1.3, unit="s"),
        Row(f"{what}, nothing changed : the first time", again, first, limit=None, unit="s"),
        Row(f"{what}, growth of memory", growth, None, limit=100, unit="MB"),
    ]


def _figures(base: Path, source: Path) -> Figures:
    copies, firsts, agains = [], [], []
    for turn in range(ROUNDS):
        home = base / f"staged{turn}"
        os.sync()
        copies.append(run(["/bin/cp", "-r", str(source), str(_new(base / f"copied{turn}"))])[0])
        os.sync()
        firsts.append(_stage(home, source))
        os.sync()
        agains.append(_stage(home, source))
    return Figures(_middle(copies), _middle(firsts), _middle(agains))


def _middle(usages: list[Usage]) -> Usage:
    return sorted(usages)[len(usages) // 2]._replace(
        peak_bytes=int(median(usage.peak_bytes for usage in usages))
    )


def _stage(home: Path, source: Path) -> Usage:
    return run(python("-c", STAGE, _new(home), source))[0]


def _new(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write_large(folder: Path) -> Path:
    source = _new(folder / "one file of 2 GB")
    block = os.urandom(1 << 20)
    with open(source / "large.bin", "wb") as file:
        for number in range(LARGE_BYTES >> 20):
            file.write(number.to_bytes(8, "big") + block[8:])
    return source


def _write_small(folder: Path) -> Path:
    source = folder / "20,000 files of 10 kB"
    block = os.urandom(SMALL_BYTES + SMALL_FILES)
    for number in range(SMALL_FILES):
        path = source / f"{number // 1000:03}" / f"{number:06}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(block[number : number + SMALL_BYTES])
    return source


if __name__ == "__main__":
    show(measure())
