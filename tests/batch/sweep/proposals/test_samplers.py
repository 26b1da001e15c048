"""Samplers: the same seed, the same trials; Optuna learns, also what was done before."""

from __future__ import annotations

import subprocess
import sys

import pytest

from alo.batch.sweep.proposals.samplers import make_sampler, resolved, told_again
from alo.batch.sweep.space import Choices, Param, parse_spec
from alo.errors import UsageError

PARAMS = [
    Param("train", "s", "x", parse_spec("0.0..10.0")),
    Param("train", "s", "n", parse_spec("1..5")),
    Param("train", "s", "kind", Choices(("a", ["b"], None))),
]
FINITE = PARAMS[1:]


def asked(name: str, count: int, seed: int = 1) -> list[object]:
    sampler = make_sampler(name, PARAMS, seed, ["max"])
    found = []
    for number in range(count):
        values = sampler.ask(number)
        assert values is not None
        found.append(values)
        sampler.tell(number, values, [-abs(float(str(values["s.x"])) - 3)])
    return found


@pytest.mark.parametrize("name", ["random", "tpe", "qmc"])
def test_the_same_seed_gives_the_same_trials_and_another_one_others(name: str) -> None:
    assert asked(name, 8) == asked(name, 8)
    assert asked(name, 8) != asked(name, 8, seed=2)


def test_random_trials_do_not_depend_on_those_before() -> None:
    sampler = make_sampler("random", PARAMS, 1, ["max"])
    assert [sampler.ask(number) for number in (5, 2)] == [
        asked("random", 6)[5],
        asked("random", 3)[2],
    ]


def test_a_grid_goes_on_where_it_was() -> None:
    whole = make_sampler("grid", FINITE, 0, ["max"])
    every = [whole.ask(number) for number in range(16)]
    assert every[15] is None
    assert None not in every[:15]
    again = make_sampler("grid", FINITE, 0, ["max"])
    assert again.ask(7) == every[7]
    assert again.ask(8) == every[8]
    assert make_sampler("grid", FINITE, 0, ["max"]).ask(99) is None


def test_auto_is_a_grid_where_all_of_it_is_to_be_tried() -> None:
    assert resolved("auto", FINITE, None) == "grid"
    assert resolved("auto", FINITE, 15) == "grid"
    assert resolved("auto", FINITE, 14) == "tpe"
    assert resolved("auto", PARAMS, 20) == "tpe"
    assert resolved("random", FINITE, 15) == "random"


def test_a_sampler_finds_better_values_and_knows_what_was_told_before() -> None:
    first = make_sampler("tpe", PARAMS, 1, ["max"])
    known = []
    for number in range(30):
        values = first.ask(number)
        assert values is not None
        known.append((number, values, [-abs(float(str(values["s.x"])) - 3)]))
        first.tell(*known[-1])
    again = make_sampler("tpe", PARAMS, 1, ["max"])
    told_again(again, [*known, (30, known[0][1], None)])
    late = []
    for number in range(31, 51):
        values = again.ask(number)
        assert values is not None
        late.append(abs(float(str(values["s.x"])) - 3))
    assert sorted(late)[10] < 2  # by chance half of them are within 3.5


@pytest.mark.parametrize("name", ["random", "tpe", "qmc"])
def test_a_sampler_made_again_goes_on_where_the_earlier_one_was(name: str) -> None:
    whole, known = make_sampler(name, PARAMS, 5, ["max"]), []
    for number in range(16):
        values = whole.ask(number)
        assert values is not None
        known.append((number, values, [float(str(values["s.x"]))]))
        whole.tell(*known[-1])

    again = make_sampler(name, PARAMS, 5, ["max"])
    told_again(again, known[:12])
    for number, values, results in known[12:]:
        assert again.ask(number) == values
        again.tell(number, values, results)


def test_without_optuna_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UsageError, match="needs Optuna") as raised:
        make_sampler("tpe", PARAMS, 1, ["max"])
    assert "open-alo[sweep]" in raised.value.fix


def test_a_grid_imports_neither_optuna_nor_ray() -> None:
    code = (
        "import sys; from alo.batch.sweep.proposals.samplers import make_sampler, resolved;"
        "from alo.batch.sweep.space import Param, parse_spec;"
        "params = [Param('train', 's', 'n', parse_spec('1..5'))];"
        "make_sampler(resolved('auto', params, None), params, 0, ['max']).ask(0);"
        "import alo.cli.actions.sweep;"
        "sys.exit(bool({'optuna', 'ray'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
