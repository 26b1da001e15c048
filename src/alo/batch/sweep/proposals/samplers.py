"""Which configuration comes next: grid and random of our own, the others by Optuna.

Optuna is used as a sampler only: its study is in memory, and made anew of our own record of trials
whenever a sweep resumes.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

from alo.batch.sweep.proposals.optuna_params import (
    OptunaParams,
    need_optuna,
    optuna_directions,
    optuna_sampler,
)
from alo.batch.sweep.space import Param, Values, form_of, grid_point, size_of

if TYPE_CHECKING:
    import optuna

AUTO, GRID, RANDOM = "auto", "grid", "random"
OF_OPTUNA = ("tpe", "gp", "cmaes", "qmc")
LARGEST_GRID = 1000  # configurations that are all tried where nobody says how many


class Sampler(Protocol):
    """Proposes configurations, and may learn from how they did."""

    def ask(self, number: int) -> Values | None:
        """The configuration of a trial; None: there are no more."""

    def tell(self, number: int, values: Values, results: Sequence[float] | None) -> None:
        """How a trial did; None: it failed."""


def resolved(name: str, params: Sequence[Param], trials: int | None) -> str:
    """Which sampler ``auto`` is: a grid where all of it is to be tried, else the best there is."""
    if name != AUTO:
        return name
    size = size_of(params)
    if size is not None and size <= (LARGEST_GRID if trials is None else trials):
        return GRID
    return "tpe" if find_spec("optuna") else RANDOM


def make_sampler(
    name: str, params: Sequence[Param], seed: int, directions: Sequence[str]
) -> Sampler:
    """The sampler of this name.

    Args:
        directions: max or min, of each metric.
    Raises:
        SpecError: a grid of a param without a step.
        UsageError: it needs Optuna, which is not installed.
    """
    if name == GRID:
        return Grid(params)
    if name == RANDOM:
        return Random(params, seed)
    return _of_optuna(name, params, seed, directions)


class Grid:
    """Every configuration once, in order."""

    def __init__(self, params: Sequence[Param]) -> None:
        self._params = params
        grid_point(params, 0)  # raises where there is none to be

    def ask(self, number: int) -> Values | None:
        """See ``Sampler``."""
        return grid_point(self._params, number)

    def tell(self, number: int, values: Values, results: Sequence[float] | None) -> None:
        """See ``Sampler``; it learns nothing."""


class Random:
    """Each trial by chance, the same for the same seed and number."""

    def __init__(self, params: Sequence[Param], seed: int) -> None:
        self._params, self._seed = params, seed

    def ask(self, number: int) -> Values | None:
        """See ``Sampler``."""
        chance = random.Random(f"{self._seed}/{number}")  # noqa: S311 - no secret
        return {param.name: param.domain.at(chance.random()) for param in self._params}

    def tell(self, number: int, values: Values, results: Sequence[float] | None) -> None:
        """See ``Sampler``; it learns nothing."""


def check_sampler(name: str) -> None:
    """See that a sampler can be had.

    Raises:
        UsageError: it needs Optuna, which is not installed.
    """
    if name in OF_OPTUNA:
        need_optuna(f"the sampler '{name}'", ", or take --sampler random or grid")


def _of_optuna(
    name: str, params: Sequence[Param], seed: int, directions: Sequence[str]
) -> OptunaSampler:
    check_sampler(name)
    return OptunaSampler(name, params, seed, directions)


class OptunaSampler:
    """An in-memory study of Optuna's."""

    def __init__(
        self, name: str, params: Sequence[Param], seed: int, directions: Sequence[str]
    ) -> None:
        import optuna

        self._study = optuna.create_study(
            sampler=optuna_sampler(name, seed), directions=optuna_directions(directions)
        )
        self._params = OptunaParams(params)
        self._asked: dict[int, optuna.Trial] = {}

    def ask(self, number: int) -> Values | None:
        """See ``Sampler``."""
        trial = self._study.ask(self._params.distributions)
        self._asked[number] = trial
        return self._params.values(trial.params)

    def tell(self, number: int, values: Values, results: Sequence[float] | None) -> None:
        """See ``Sampler``."""
        import optuna

        state = optuna.trial.TrialState
        trial = self._asked.pop(number, None)
        if trial is None:  # of an earlier process
            trial = self._asked_again(values)
        if trial is not None:
            if results is None:
                self._study.tell(trial, state=state.FAIL)
            else:
                self._study.tell(trial, list(results))
            return
        self._study.add_trial(
            optuna.trial.create_trial(
                state=state.FAIL if results is None else state.COMPLETE,
                values=None if results is None else list(results),
                params=self._params.stored(values),
                distributions=self._params.distributions,
            )
        )

    def _asked_again(self, values: Values) -> optuna.Trial | None:
        """The trial with these values, if they are what comes next: a sampler that is made again
        has to get to where the earlier one was, or it begins with the same values once more."""
        import optuna

        trial = self._study.ask(self._params.distributions)
        if form_of(self._params.values(trial.params)) == form_of(values):
            return trial
        self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        return None


def told_again(
    sampler: Sampler, known: Iterable[tuple[int, Values, Sequence[float] | None]]
) -> None:
    """Give a new sampler all that is known of earlier trials, in their order."""
    for number, values, results in known:
        sampler.tell(number, values, results)
