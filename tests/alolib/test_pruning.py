"""Which trials are hopeless, by what all of them have saved on their way."""

from __future__ import annotations

from pathlib import Path

import pytest

from alolib.errors import MetricError, TrialPruned
from alolib.pruning import FIRST_TRIALS, HYPERBAND, MEDIAN, Pruner


def pruner(path: Path, number: int, how: str = MEDIAN, *, is_max: bool = True) -> Pruner:
    return Pruner(how, str(path), f"{number}/0", number, "acc", is_max)


def steps_of(one: Pruner, values: list[float]) -> int:
    """How many steps it does."""
    for step, value in enumerate(values, start=1):
        try:
            one.note("acc", value, step)
        except TrialPruned:
            return step
    return len(values)


@pytest.mark.parametrize("is_max", [True, False])
def test_below_the_median_of_the_others_a_trial_ends(tmp_path: Path, is_max: bool) -> None:
    path, sign = tmp_path / "way", 1 if is_max else -1
    for number in range(FIRST_TRIALS):
        value = sign * number  # the first ones are judged by nobody
        assert steps_of(pruner(path, number, is_max=is_max), [value] * 4) == 4

    assert steps_of(pruner(path, 7, is_max=is_max), [sign * 3.0] * 4) == 4
    assert steps_of(pruner(path, 8, is_max=is_max), [sign * 3.0, sign * 0.5, 0.0, 0.0]) == 4
    assert steps_of(pruner(path, 9, is_max=is_max), [sign * 0.5] * 4) == 1


def test_one_in_three_goes_on_at_the_steps_of_its_bracket(tmp_path: Path) -> None:
    path = tmp_path / "way"
    for number in range(0, 27, 3):
        steps_of(pruner(path, number, HYPERBAND), [float(number)] * 9)

    assert steps_of(pruner(path, 30, HYPERBAND), [99.0] * 9) == 9
    assert steps_of(pruner(path, 33, HYPERBAND), [0.5] * 9) == 1
    assert steps_of(pruner(path, 31, HYPERBAND), [0.5] * 9) == 3  # the others that came so far
    assert steps_of(pruner(path, 32, HYPERBAND), [0.5] * 9) == 9  # where few have come


def test_what_says_nothing_of_the_way_is_left_alone(tmp_path: Path) -> None:
    one = pruner(tmp_path / "way", 0)

    one.note("loss", 0.0, 1)
    one.note("acc", 0.0, None)

    assert not (tmp_path / "way").exists()


def test_a_torn_line_is_none(tmp_path: Path) -> None:
    path = tmp_path / "way"
    path.write_text('{"trial": "0/0", "st\n{}\n[]\n5\n')

    assert steps_of(pruner(path, 1), [1.0, 1.0]) == 2


def test_what_cannot_be_noted_says_where(tmp_path: Path) -> None:
    with pytest.raises(MetricError, match="cannot be compared"):
        pruner(tmp_path, 0).note("acc", 1.0, 1)
