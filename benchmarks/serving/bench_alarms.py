"""What alarms cost: their processor time for a request, beside that of the server's process.

The first is counted here, for so many requests as come in a second; the second is that of a service
without alarms. For information, two services are compared in turns, one of which watches for all
alarms: scores are always below the limit, so one is raised and stays.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from alo.alarms.alarms import Alarms
from alo.layout import Workspace
from alo.plan.model import Alarm
from benchmarks.processes import BenchmarkError, in_memory
from benchmarks.rows import Row, show
from benchmarks.serving.bench_http import MANY, POST, _ask, _p50_ms, _rate, served
from benchmarks.serving.bench_loop import write_pipeline

ROUNDS, SECONDS = 5, 2
ALARM = "alarm: {score_below: 0.7, of_last: 50, share: 0.2, failures: 0.1, class_mix: 0.2}\n"


class _Cost(NamedTuple):
    """Of one request."""

    p50_ms: float  # at one connection
    many_ms: float  # from one answer to the next, at eight connections
    cpu_ms: float  # of the server's process meanwhile


def measure() -> list[Row]:
    wrk = shutil.which("wrk")
    if wrk is None:
        raise BenchmarkError("wrk is not installed (Debian, Ubuntu: apt install wrk)")
    with in_memory() as name:
        folder = Path(name)
        script = folder / "post.lua"
        script.write_text(POST)
        plain, watched = write_pipeline(folder / "plain"), write_pipeline(folder / "watched")
        with (watched / "solution" / "experimental_plan.yaml").open("a") as plan:
            plan.write(ALARM)
        with served(plain) as one, served(watched) as other:
            for url, _ in (one, other):
                _ask(wrk, script, url, MANY)  # warm
            rounds = [[_cost(wrk, script, *each) for each in (one, other)] for _ in range(ROUNDS)]
        before, after = (_median([each[at] for each in rounds]) for at in (0, 1))
        alarms_ms = _alarms_ms(folder, round(1e3 / before.many_ms))
    what = "HTTP, three steps, all alarms : no alarm"
    return [
        Row("Alarms, CPU of a request : of the server", alarms_ms, before.cpu_ms, 0.02, "ms"),
        Row(f"{what}: CPU of the server, a request", after.cpu_ms, before.cpu_ms, None, "ms"),
        Row(f"{what}: p50, 1 connection", after.p50_ms, before.p50_ms, None, "ms"),
        Row(f"{what}: a request of {MANY} connections", after.many_ms, before.many_ms, None, "ms"),
    ]


def _alarms_ms(folder: Path, requests: int) -> float:
    """The processor time of alarms for one request, where so many come in a second."""
    alarm = Alarm(0.7, 50, 0.2, 0.1, 0.2)
    summary = {"result": "fine", "score": 0.5, "probability": {}}
    costs = []
    for _ in range(ROUNDS):
        alarms = Alarms(Workspace(folder), alarm, "benchmark", "", lambda event: None)
        began = time.process_time()
        for _ in range(requests):
            alarms.saw("none", summary, has_failed=False)
        alarms.start()
        alarms.stop()
        costs.append(1e3 * (time.process_time() - began) / requests)
    return median(costs)


def _cost(wrk: str, script: Path, url: str, process: int) -> _Cost:
    p50_ms = _p50_ms(_ask(wrk, script, url, 1))
    began = _cpu_s(process)
    rate = _rate(_ask(wrk, script, url, MANY))
    return _Cost(p50_ms, 1e3 / rate, 1e3 * (_cpu_s(process) - began) / (rate * SECONDS))


def _median(costs: list[_Cost]) -> _Cost:
    return _Cost(*(median(values) for values in zip(*costs, strict=True)))


def _cpu_s(process: int) -> float:
    """The processor time that a process has had, all of its threads and none of its children."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    show(measure())
