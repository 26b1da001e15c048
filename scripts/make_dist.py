"""Build the wheel and the sdist, see that they can be built again, and try both.

Each is built twice, and has to have the same bytes; each is installed into an empty environment,
which then runs a new project and the breast cancer example.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
EXAMPLE = ROOT / "examples/breast_cancer"
WRITTEN = ("assets", "sample_data", "solution")  # of the example; the rest is made by runs
SINCE = "1764374400"  # seconds since 1970, where git does not tell when the last commit was made


def main() -> None:
    """Leaves both in ``dist/``; ends with status 1 at the first thing that is wrong."""
    with tempfile.TemporaryDirectory(prefix="alo-dist-") as folder:
        scratch = Path(folder)
        first, second = build(scratch / "first"), build(scratch / "second")
        for one, other in zip(first, second, strict=True):
            if one.read_bytes() != other.read_bytes():
                sys.exit(f"{one.name} differs when it is built again")
        for path in first:
            say(f"{path.name}: trying it in an empty environment")
            try_out(path, scratch / path.suffix)
        DIST.mkdir(exist_ok=True)
        for path in first:
            shutil.copy(path, DIST)
            say(f"dist/{path.name}: built twice with the same bytes, installed, both projects run")


def build(folder: Path) -> list[Path]:
    """The wheel and the sdist, in this order."""
    settings = {**os.environ, "SOURCE_DATE_EPOCH": _last_commit()}
    call(sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT), env=settings)
    return [*folder.glob("*.whl"), *folder.glob("*.tar.gz")]


def try_out(path: Path, folder: Path) -> None:
    """Install the distribution, and run what a user would."""
    venv.create(folder / "venv", with_pip=True)
    python, alo = folder / "venv/bin/python", folder / "venv/bin/alo"
    call(python, "-m", "pip", "install", "--quiet", f"{path}[examples]", cwd=folder)
    example = folder / "breast_cancer"
    for name in WRITTEN:
        shutil.copytree(EXAMPLE / name, example / name)
    call(alo, "--version", cwd=folder)
    call(alo, "init", "flowers", cwd=folder)
    for project in ("flowers", example.name):
        call(alo, "run", "--quiet", "--project", project, cwd=folder)
        call(alo, "history", "--project", project, cwd=folder)


def call(*words: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Run a command, and end with its output where it fails."""
    done = subprocess.run(
        list(map(str, words)),
        cwd=cwd,
        env={name: text for name, text in (env or os.environ).items() if name != "PYTHONPATH"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\n{' '.join(map(str, words))} ended with {done.returncode}")


def say(line: str) -> None:
    """At once: the next thing takes long."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _last_commit() -> str:
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or SINCE


if __name__ == "__main__":
    main()
