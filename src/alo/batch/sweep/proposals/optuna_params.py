"""Params as Optuna knows them, and its samplers by our names."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from alo.batch.sweep.space import Choices, Param, Value, Values
from alo.errors import UsageError
from alo.plan.values import plan_form

if TYPE_CHECKING:
    import optuna


class OptunaParams:
    """Values to and from the form that Optuna keeps them in."""

    def __init__(self, params: Sequence[Param]) -> None:
        self._params = {param.name: param for param in params}
        self.distributions = {param.name: _distribution(param) for param in params}

    def values(self, stored: Mapping[str, object]) -> Values:
        """A configuration that Optuna proposes."""
        return {name: self._value(name, each) for name, each in stored.items()}

    def stored(self, values: Values) -> dict[str, object]:
        """A configuration as Optuna keeps it."""
        return {name: self._stored(name, each) for name, each in values.items()}

    def _value(self, name: str, stored: object) -> Value:
        """Optuna knows choices by their place: its values have to be plain."""
        domain = self._params[name].domain
        return domain.values[int(str(stored))] if isinstance(domain, Choices) else stored

    def _stored(self, name: str, value: Value) -> object:
        domain = self._params[name].domain
        if not isinstance(domain, Choices):
            return value
        return [plan_form(each) for each in domain.values].index(plan_form(value))


def optuna_sampler(name: str, seed: int | None) -> optuna.samplers.BaseSampler:
    """The sampler of Optuna's that has this name of ours.

    Args:
        seed: None: by chance.
    """
    import optuna

    samplers = optuna.samplers
    made: Mapping[str, type[optuna.samplers.BaseSampler]] = {
        "tpe": samplers.TPESampler,
        "gp": samplers.GPSampler,
        "cmaes": samplers.CmaEsSampler,
        "qmc": samplers.QMCSampler,
    }
    with without_warnings():
        return made[name](seed=seed)  # type: ignore[call-arg]


@contextmanager
def without_warnings() -> Iterator[None]:
    """Optuna warns that parts of it may change, which is no user's affair."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def need_optuna(what: str, instead: str) -> None:
    """Import Optuna, which then only speaks of errors.

    Args:
        what: needs it.
        instead: what works without it.
    Raises:
        UsageError: it is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise UsageError(
            f"{what} needs Optuna, which is not installed",
            fix=f"pip install 'open-alo[sweep]'{instead}",
        ) from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def optuna_directions(directions: Sequence[str]) -> list[Literal["minimize", "maximize"]]:
    """In Optuna's words.

    Args:
        directions: max or min, of each metric.
    """
    return ["maximize" if each == "max" else "minimize" for each in directions]


def _distribution(param: Param) -> optuna.distributions.BaseDistribution:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    domain = param.domain
    if isinstance(domain, Choices):
        return CategoricalDistribution(list(range(len(domain.values))))
    if domain.is_whole:
        low, high, step = int(domain.low), int(domain.high), int(domain.step or 1)
        return IntDistribution(low, high, log=domain.is_log, step=step)
    return FloatDistribution(domain.low, domain.high, log=domain.is_log, step=domain.step)
