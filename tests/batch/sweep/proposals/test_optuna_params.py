"""Values to Optuna's form and back, whatever they are."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import pytest

from alo.batch.sweep.proposals.optuna_params import (
    OptunaParams,
    need_optuna,
    optuna_directions,
    optuna_sampler,
)
from alo.batch.sweep.space import Choices, Param, parse_spec
from alo.errors import UsageError

PARAMS = OptunaParams(
    [
        Param("train", "s", "kind", Choices((1, True, "1", ["b"], None))),
        Param("train", "s", "x", parse_spec("1..9:2")),
    ]
)


@pytest.mark.parametrize("kind", [1, True, "1", ["b"], None])
def test_a_choice_comes_back_as_it_was_though_others_equal_it(kind: object) -> None:
    stored = PARAMS.stored({"s.kind": kind, "s.x": 3})
    found = PARAMS.values(stored)["s.kind"]
    assert (found, type(found)) == (kind, type(kind))


def test_each_of_its_samplers_can_be_made() -> None:
    for name in ("tpe", "gp", "cmaes", "qmc"):
        assert optuna_sampler(name, 1) is not optuna_sampler(name, None)
    assert optuna_directions(["max", "min"]) == ["maximize", "minimize"]


def test_without_optuna_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., Any] = builtins.__import__

    def missing(name: str, *others: Any) -> Any:
        if name == "optuna":
            raise ImportError(name)
        return real(name, *others)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UsageError, match="--storage needs Optuna") as caught:
        need_optuna("--storage", "")
    assert caught.value.fix == "pip install 'open-alo[sweep]'"
