"""The class mix of a train run is what its summary says, and else it is not known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.alarms.train_run import train_mix
from alo.history.models_origin import NO_TRAIN_RUN
from alo.layout import Workspace


@pytest.mark.parametrize(
    ("probability", "mix"), [({"a": 0.25, "b": 0.75}, {"a": 0.25, "b": 0.75}), ({}, {})]
)
def test_the_mix_is_the_probability_of_its_summary(
    make_solution: Callable[..., Path],
    run: Callable[..., Any],
    probability: dict[str, float],
    mix: dict[str, float],
) -> None:
    save = f"self.asset.save_summary('fine', 0.5, probability={probability})"
    home = make_solution(train={"train": save})
    (outcome,) = run(home, mode="train")

    assert train_mix(Workspace(home), outcome.run_id) == mix


def test_of_no_train_run_nothing_is_known(tmp_path: Path) -> None:
    for run_id in ("", NO_TRAIN_RUN, "20260101T000000Z-00000000-gone"):
        assert train_mix(Workspace(tmp_path), run_id) == {}
