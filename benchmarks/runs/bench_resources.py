"""The cost of ``check_resource: True``: a busy second, watched and not; and one look at it.

In one process and by its CPU time, the two in turns: whole runs differ among themselves by more
than what is looked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from time import process_time

from alo.processes.resources import INTERVAL_S, SHARE, Sampler
from benchmarks.rows import Row, show

ROUNDS = 21
NUMBERS = 12_000_000  # to add up: about a second
LOOKS = 500


def measure() -> list[Row]:
    watched_s, plain_s, looks_s = list[float](), list[float](), list[float]()
    for _ in range(ROUNDS):
        with _timed(plain_s):
            _be_busy()
        with _timed(watched_s):
            sampler = Sampler()
            _be_busy()
            sampler.stop()
        with _timed(looks_s):
            for _ in range(LOOKS):
                sampler._sample()
    watched, plain = min(watched_s), min(plain_s)  # what is more, others did
    looks = median(looks_s)
    look_ms, pause_ms = looks / LOOKS * 1e3, INTERVAL_S * 1e3
    what = "one look of check_resource, CPU : the time until the next"
    return [
        Row("a busy second with check_resource : without, CPU", watched, plain, 1.01, "s"),
        Row(what, look_ms, pause_ms, SHARE, "ms"),
    ]


@contextmanager
def _timed(seconds: list[float]) -> Iterator[None]:
    began = process_time()
    yield
    seconds.append(process_time() - began)


def _be_busy() -> int:
    total = 0
    for number in range(NUMBERS):
        total += number * number
    return total


if __name__ == "__main__":
    show(measure())
