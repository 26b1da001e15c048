"""What an asset's print costs beside one of plain Python that is flushed, each to a file.

The cost must not grow with the line: dots that end none, lines, and progress bars.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.processes import Command, alo, by_turns, python
from benchmarks.rows import Row, show
from benchmarks.solutions import EMPTY_ASSET, write_solution

PRINTS = 200_000
KINDS = {  # what is printed → its arguments, and how many times a flushed print it may cost
    "dots without an end": ('".", end=""', 2),
    "progress bars": ('"\\rstep", number, end=""', 3),
    "lines, each on the disk at once": ('"x"', 8),  # and on the console
}
LIMIT_US = 5.0  # for those that end no line


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        return [
            row for name in KINDS for row in _measure(Path(folder) / name.partition(" ")[0], name)
        ]


def _measure(folder: Path, name: str) -> list[Row]:
    what, limit = KINDS[name]
    commands = [
        *(
            alo("run", "--project", _solution(folder / f"{count}", what, count))
            for count in (0, PRINTS)
        ),
        *(python(_script(folder / f"{count}.py", what, count)) for count in (0, PRINTS)),
    ]
    nothing, printed, start, plain = by_turns(*map(Command, commands), rounds=7)
    ours_us = (printed.wall_s - nothing.wall_s) / PRINTS * 1e6
    plain_us = (plain.wall_s - start.wall_s) / PRINTS * 1e6
    limit_us = LIMIT_US if "end=" in what else None
    return [
        Row(f"a print of an asset, {name} : plain, flushed", ours_us, plain_us, limit, "µs"),
        Row(f"the same, {name}", ours_us, None, limit_us, "µs"),
    ]


def _solution(home: Path, what: str, count: int) -> Path:
    loop = f"    def run(self):\n        for number in range({count}):\n            print({what})\n"
    return write_solution(home, {"step": EMPTY_ASSET.replace("    def run(self):\n", loop)})


def _script(path: Path, what: str, count: int) -> Path:
    path.write_text(f"for number in range({count}):\n    print({what}, flush=True)\n")
    return path


if __name__ == "__main__":
    show(measure())
