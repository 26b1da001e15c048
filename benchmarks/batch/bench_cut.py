"""An input cut into shards of 100,000 rows: how long it is looked at, and with how much memory.

The time of the processor counts, which others on the machine disturb least. ``wc -l`` only counts
lines: a cut has to tell quotes from borders, and whether lines hold anything.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from alo.files import remove_tree
from benchmarks.processes import Command, by_turns, python
from benchmarks.rows import Row, show

SIZE = 1_000_000_000
BLOCK = 20_000  # rows that are repeated
ROUNDS = 3
FILES, FILES_PER_SHARD = 100_000, 1000
CUT = """\
import sys
from pathlib import Path
from alo.batch.cutting.cut import cut
from alo.batch.cutting.inputs import list_inputs

files = list_inputs(Path.cwd(), [sys.argv[1]], Path.cwd() / "input")
if len(sys.argv) > 2:
    shards = cut(files, **{sys.argv[2]: int(sys.argv[3])}).shards
"""
WRITE = (
    CUT
    + """\
from alo.batch.cutting.write import write_shard

for shard in shards:
    write_shard(shard, Path(sys.argv[4]) / shard.name)
"""
)


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        rows = []
        for name, is_quoted in (("numbers", False), ("texts in quotes", True)):
            path = _write_table(base / f"{is_quoted}.csv", is_quoted=is_quoted)
            rows += _measure_table(f"cut of 1 GB CSV, {name}", path)
        return [*rows, _measure_write(base), _measure_files(base / "many")]


def _measure_table(what: str, path: Path) -> list[Row]:
    idle, cut, lines = by_turns(
        Command(python("-c", CUT, path)),
        Command(python("-c", CUT, path, "rows_per_shard", "100000")),
        Command(["/usr/bin/wc", "-l", str(path)]),
        rounds=ROUNDS,
    )
    return [
        Row(f"{what} : wc -l (CPU)", cut.cpu_s - idle.cpu_s, lines.cpu_s, limit=None, unit="s"),
        Row(f"{what}, memory", cut.peak_bytes / 1e6, None, limit=100, unit="MB"),
    ]


def _measure_write(base: Path) -> Row:
    """Shards are written about as fast as the file is copied."""
    path, shards, copy = base / "False.csv", base / "shards", base / "copy"
    argv = ("rows_per_shard", "100000")
    cut, written, copied = by_turns(
        Command(python("-c", CUT, path, *argv)),
        Command(python("-c", WRITE, path, *argv, shards), lambda: remove_tree(shards)),
        Command(["/bin/cp", str(path), str(copy)], lambda: remove_tree(copy)),
        rounds=ROUNDS,
        warm_up=0,
    )
    return Row("its shards written : cp (CPU)", written.cpu_s - cut.cpu_s, copied.cpu_s, None, "s")


def _measure_files(folder: Path) -> Row:
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number:06}.png").touch()
    cut, find = by_turns(
        Command(python("-c", CUT, folder, "files_per_shard", str(FILES_PER_SHARD))),
        Command(["/usr/bin/find", str(folder), "-printf", "%p %s %T@\\n"]),
        rounds=ROUNDS,
    )
    return Row("cut of 100,000 files : find looks at each", cut.wall_s, find.wall_s, None, "s")


def _write_table(path: Path, *, is_quoted: bool) -> Path:
    draw = random.Random(3)  # noqa: S311 - the same table each time
    lines = []
    for number in range(BLOCK):
        cells = [f"{draw.random() * 1000:.4f}" for _ in range(8)]
        if is_quoted:
            cells[2] = f'"some, text {number}"'
            cells[5] = f'"two\nlines ""{number}"""'
        lines.append(",".join(cells) + "\n")
    block = "".join(lines).encode()
    with open(path, "wb") as file:
        file.write(b"a,b,c,d,e,f,g,h\n")
        while file.tell() < SIZE:
            file.write(block)
    return path


if __name__ == "__main__":
    show(measure())
