"""Which trials of a sweep are hopeless, by what all of them have saved on their way.

Each ``save_metric(…, step=)`` of a trial adds a line to a file that all trials of the sweep share,
and is compared with what the others had at that step. Whoever reads the file skips a torn line.
"""

from __future__ import annotations

import json
import os
from statistics import median
from typing import NamedTuple

from alolib.disk import fix_of
from alolib.errors import MetricError, TrialPruned

MEDIAN, HYPERBAND = "median", "hyperband"
FIRST_TRIALS = 5  # that are judged by nobody: too little is known
FACTOR, BRACKETS = 3, 3  # of hyperband: one in three continues, from step 1, 3 or 9

Values = dict[str, dict[int, float]]  # trial → step → value


class Pruner(NamedTuple):
    """What a trial has to know to be pruned."""

    how: str  # median or hyperband
    path: str  # of the file that the trials share
    trial: str
    number: int  # of the trial, from 0
    metric: str
    is_max: bool  # whether large values are good

    def note(self, name: str, value: float, step: int | None) -> None:
        """Take a metric of this trial.

        Raises:
            TrialPruned: it is hopeless.
            MetricError: it cannot be noted.
        """
        if name != self.metric or step is None:
            return
        line = json.dumps({"trial": self.trial, "step": step, "value": value})
        try:
            _append(self.path, f"{line}\n".encode())
            known = _values_in(self.path)
        except OSError as error:
            raise MetricError(
                f"metric '{name}' cannot be compared: {error.strerror}",
                where=self.path,
                fix=fix_of(error),
            ) from error
        if self.is_hopeless(known, step):
            raise TrialPruned(
                f"{name} is {value:g} at step {step}, where other trials were better",
                fix="let it pass: the sweep continues with other values; or --pruner none",
            )

    def is_hopeless(self, known: Values, step: int) -> bool:
        """Whether the trial had better end at this step."""
        sign = 1 if self.is_max else -1
        signed = {
            trial: {at: sign * value for at, value in values.items()}
            for trial, values in known.items()
        }
        judge = _below_median if self.how == MEDIAN else self._is_out_of_rung
        return judge(signed.pop(self.trial), list(signed.values()), step)

    def _is_out_of_rung(
        self, mine: dict[int, float], others: list[dict[int, float]], step: int
    ) -> bool:
        """Whether it is not in the best third of those that came to the same rung."""
        rung = FACTOR ** (self.number % BRACKETS)
        while rung * FACTOR <= step:
            rung *= FACTOR
        if step != min((at for at in mine if at >= rung), default=-1):
            return False  # it is between two rungs
        there = sorted(_best(values, rung) for values in others if max(values) >= rung)
        place = len(there) - sum(value <= mine[step] for value in there)
        return place > (len(there) + 1) // FACTOR


def _below_median(mine: dict[int, float], others: list[dict[int, float]], step: int) -> bool:
    there = [_best(values, step) for values in others if step in values]
    return len(there) >= FIRST_TRIALS and _best(mine, step) < median(there)


def _best(values: dict[int, float], step: int) -> float:
    """The best until a step; where it began later, its first."""
    return max((value for at, value in values.items() if at <= step), default=values[min(values)])


def _append(path: str, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        os.write(descriptor, content)
    finally:
        os.close(descriptor)


def _values_in(path: str) -> Values:
    found: Values = {}
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                stored = json.loads(line)
                values = found.setdefault(stored["trial"], {})
                values[int(stored["step"])] = float(stored["value"])
            except (ValueError, TypeError, KeyError):  # torn by a kill or a full disk
                continue
    return found
