"""The feed of a service that has answered many requests, beside one that has answered few."""

from __future__ import annotations

from pathlib import Path

from alo.history.ids import new_run_id, utc_text
from alo.history.index import table
from alo.history.record import RunRecord
from alo.layout import Workspace
from benchmarks.processes import in_memory
from benchmarks.rows import Row, show
from benchmarks.solutions import write_empty_solution
from benchmarks.storage.bench_history import FIRST, write_record
from benchmarks.studio.bench_studio import get, in_turns, p95, studio

FEW_REQUESTS, MANY_REQUESTS = 1_000, 100_000


def measure() -> list[Row]:
    with in_memory() as folder:
        homes = [Path(folder) / f"feed-{count}" for count in (FEW_REQUESTS, MANY_REQUESTS)]
        for home, count in zip(homes, (FEW_REQUESTS, MANY_REQUESTS), strict=True):
            write_empty_solution(home, 5)
            write_requests(Workspace(home), count)
        return [compare(*homes)]


def compare(few: Path, many: Path) -> Row:
    """The feed of one project beside that of the other."""
    with studio(few) as one, studio(many) as other:
        ours = in_turns(lambda: get(one.port, "/feed"), lambda: get(other.port, "/feed"))
    what = f"/feed of {MANY_REQUESTS:,} : of {FEW_REQUESTS:,}, p95"
    return Row(what, p95(ours[1]), p95(ours[0]), 2, "ms")


def write_requests(workspace: Workspace, count: int) -> None:
    """So many inferences of a service, and the index of them."""
    for number in range(count):
        started = FIRST + number
        record = RunRecord(
            id=new_run_id("benchmark", started),
            pipeline="inference",
            status="success",
            start_time=utc_text(started),
            end_time=utc_text(started + 0.1),
            seconds=0.1,
            result=("good", "bad")[number % 2],
            score=(number % 100) / 100,
            overrides=(f"request {number:016x}",),
        )
        write_record(workspace, record)
    table.ask(workspace, lambda runs: None)


if __name__ == "__main__":
    show(measure())
