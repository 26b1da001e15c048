"""Exporting a train run with 500 MB of models: text against tarfile, random bytes against cp."""

from __future__ import annotations

import os
import random
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.processes import Usage, python, run
from benchmarks.rows import Row, show

MODEL_BYTES = 500_000_000
FILES = 5
ROUNDS = 3
EXPORT = """\
import sys
from pathlib import Path
from alo.data.export import export_artifacts

export_artifacts(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4])
"""
TARFILE = """\
import sys, tarfile
with tarfile.open(sys.argv[2], "w:gz") as archive:
    archive.add(sys.argv[1], ".")
"""
SMALL = """\
import sys, time
from pathlib import Path
from alo.data.export import export_artifacts

start = time.perf_counter()
export_artifacts(Path(sys.argv[1]), "inference", Path(sys.argv[2]), "tar.gz")
print(time.perf_counter() - start)
"""


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        return [*_measure_text(base), *_measure_random(base), _measure_small(base)]


def _measure_text(base: Path) -> list[Row]:
    artifacts = _write(base / "text" / "train_artifacts", _text())
    os.sync()
    plain, _ = run(python("-c", TARFILE, artifacts, base / "plain.tar.gz"))
    packed = _export(artifacts, base, "train", "tar.gz")
    inference = artifacts.rename(artifacts.with_name("inference_artifacts"))
    zipped = _export(inference, base, "inference", "zip")
    what = "500 MB of text-like models"
    return [
        Row(
            f"export of {what}, both archives : tarfile w:gz of the folder once",
            packed.wall_s,
            plain.wall_s,
            limit=1 / 15,
            unit="s",
        ),
        Row(
            f"export of {what}, zip and model.tar.gz : the same",
            zipped.wall_s,
            plain.wall_s,
            limit=None,
            unit="s",
        ),
        Row(f"export of {what}, memory", packed.peak_bytes / 1e6, None, limit=200, unit="MB"),
    ]


def _measure_random(base: Path) -> list[Row]:
    artifacts = _write(base / "random" / "train_artifacts", os.urandom(20_000_000))
    packed = _export(artifacts, base, "train", "tar.gz")
    written = base / "0-train"  # of the last round that stays
    copies = []
    for turn in range(ROUNDS):
        os.sync()
        copies.append(run(["/bin/cp", "-r", str(written), str(base / f"copy{turn}")])[0].wall_s)
    return [
        Row(
            "export of 500 MB of random models : cp of what comes out",
            packed.wall_s,
            median(copies),
            limit=4,
            unit="s",
        ),
        Row("the same, memory", packed.peak_bytes / 1e6, None, limit=200, unit="MB"),
    ]


def _measure_small(base: Path) -> Row:
    artifacts = base / "small" / "inference_artifacts"
    for name in ("log/process.log", "log/pipeline.log", "output/output.csv", "score/summary.yaml"):
        (artifacts / name).parent.mkdir(parents=True, exist_ok=True)
        (artifacts / name).write_text("a line\n" * 10)
    times = [
        float(run(python("-c", SMALL, artifacts, base / f"small{turn}"))[1]) for turn in range(15)
    ]
    return Row("export of a small inference run", median(times) * 1e3, None, limit=2, unit="ms")


def _export(artifacts: Path, base: Path, kind: str, archive_format: str) -> Usage:
    usages = []
    for turn in range(ROUNDS):
        target = base / f"{turn}-{kind}"
        os.sync()
        time.sleep(1)
        usages.append(run(python("-c", EXPORT, artifacts, kind, target, archive_format))[0])
    return sorted(usages)[len(usages) // 2]


def _write(artifacts: Path, block: bytes) -> Path:
    """Models that repeat nothing within what a compressor remembers."""
    models = artifacts / "models" / "train"
    models.mkdir(parents=True)
    for number in range(FILES):
        with open(models / f"model{number}.txt", "wb") as file:
            left = MODEL_BYTES // FILES
            while left:
                start = random.randrange(len(block) // 2)  # noqa: S311 - any place will do
                left -= file.write(block[start : start + min(left, len(block) // 2)])
    return artifacts


def _text() -> bytes:
    """Like a decision tree written as text: words, and numbers with few digits."""
    chance = random.Random(1)  # noqa: S311 - the same in every run
    words = ["feature", "threshold", "left", "right", "value", "samples", "leaf", "gain", "node"]
    lines = (
        f"{chance.choice(words)}_{chance.randrange(30)} <= {chance.random():.3f} "
        f"{chance.choice(words)} {chance.randrange(500)}\n"
        for _ in range(700_000)
    )
    return "".join(lines).encode()


if __name__ == "__main__":
    show(measure())
