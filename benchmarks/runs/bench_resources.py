"""The cost of ``check_resource: True``: one look at the process, by its CPU time.

A busy second with it and without differed by less than two of the same differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from time import process_time

from alo.processes.resources import INTERVAL_S, SHARE, Sampler
from benchmarks.rows import Row, show

ROUNDS = 21
LOOKS = 500


def measure() -> list[Row]:
    looks_s = list[float]()
    sampler = Sampler()
    for _ in range(ROUNDS):
        with _timed(looks_s):
            for _ in range(LOOKS):
                sampler._sample()
    sampler.stop()
    look_ms, pause_ms = median(looks_s) / LOOKS * 1e3, INTERVAL_S * 1e3
    what = "one look of check_resource, CPU : the time until the next"
    return [Row(what, look_ms, pause_ms, SHARE, "ms")]


@contextmanager
def _timed(seconds: list[float]) -> Iterator[None]:
    began = process_time()
    yield
    seconds.append(process_time() - began)


if __name__ == "__main__":
    show(measure())
