"""Rules of a gate are read from options, and laid over others."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from alo.cli.commands import retrain
from alo.errors import UsageError
from alo.gate.rules import RULES, read_rules, with_rules
from alo.gate.verdict import GateSettings
from alo.plan.keys.review import GATE


def test_every_rule_of_the_plan_can_be_given() -> None:
    assert list(GATE.keys) == list(RULES) == list(retrain.GATE)

    values = (0, 1, 0.5, 30, 0.25)
    found = read_rules(f"{name}={value}" for name, value in zip(RULES, values, strict=True))

    assert list(found.items()) == [
        ("min_rows", 0), ("max_loss", 1.0), ("min_gain", 0.5), ("slice_min_rows", 30),
        ("slice_max_loss", 0.25),
    ]  # fmt: skip
    assert asdict(with_rules(GateSettings(), found)) == found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("odd=1", "keys: min_rows, max_loss"),
        ("min_rows", "min_rows is a whole number"),
        ("min_rows=2.5", "min_rows is a whole number"),
        ("min_rows=-1", "min_rows is a whole number"),
        ("slice_min_rows=nan", "slice_min_rows is a whole number"),
        ("min_rows=1e10", "min_rows is a whole number"),
        ("max_loss=2", "max_loss is a share"),
        ("max_loss=nan", "max_loss is a share"),
        ("min_gain=much", "min_gain is a share"),
    ],
)
def test_what_is_no_rule_is_refused_with_what_it_takes(text: str, why: str) -> None:
    with pytest.raises(UsageError, match="--gate takes KEY=VALUE") as reported:
        read_rules([text])

    assert f"not '{text}'".removesuffix("'") in str(reported.value)
    assert why in reported.value.fix


def test_what_another_version_has_given_besides_is_passed_over() -> None:
    gate = with_rules(GateSettings(min_rows=7), {"max_loss": 0.5, "of_tomorrow": 1})

    assert (gate.min_rows, gate.max_loss) == (7, 0.5)
