"""Starting up: ``alo --help``, and a cold run of five empty steps with its history and logs."""

from __future__ import annotations

from pathlib import Path

from alo.layout import find_plan
from benchmarks.processes import Command, alo, by_turns, in_memory, python
from benchmarks.rows import Row, show
from benchmarks.solutions import write_empty_solution, write_plain_script

STEPS = 5
LOGGING = """\
import logging

logging.basicConfig(filename=__file__ + ".log", level="INFO")
logging.info("started")
"""


def measure() -> list[Row]:
    with in_memory() as folder:
        return [measure_help(), *measure_run(Path(folder))]


def measure_help() -> Row:
    helped, nothing = by_turns(Command(alo("--help")), Command(python("-c", "pass")), rounds=31)
    what = "alo --help : python -c pass"
    return Row(what, helped.wall_s * 1e3, nothing.wall_s * 1e3, limit=6, unit="ms")


def measure_run(folder: Path) -> list[Row]:
    solution = write_empty_solution(folder / "solution", STEPS)
    bare = write_plain_script(folder / "bare", STEPS)
    logs = write_plain_script(folder / "logs", STEPS, prelude=LOGGING)
    edited = write_empty_solution(folder / "edited", STEPS)
    run, first, logging, plain = by_turns(
        Command(alo("run", "--project", solution)),
        Command(alo("run", "--project", edited), lambda: _edit(find_plan(edited))),
        Command(python(logs)),
        Command(python(bare)),
        rounds=31,
    )
    what = f"alo run, {STEPS} empty steps : a script that calls {STEPS} modules"
    return [
        Row(f"{what} and logs", run.wall_s * 1e3, logging.wall_s * 1e3, limit=3, unit="ms"),
        Row(
            "the same, the plan edited before each run : the script that logs",
            first.wall_s * 1e3,
            logging.wall_s * 1e3,
            limit=None,
            unit="ms",
        ),
        Row(what, run.wall_s * 1e3, plain.wall_s * 1e3, limit=None, unit="ms"),
    ]


def _edit(plan: Path) -> None:
    """So that what is remembered of its text does not count."""
    with plan.open("a") as file:
        file.write("# another line\n")


if __name__ == "__main__":
    show(measure())
