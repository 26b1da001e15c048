"""Rules of a gate that are given beside the plan's: by options, and by a review."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace

from alo.errors import UsageError
from alo.gate.verdict import GateSettings

RULES = tuple(each.name for each in fields(GateSettings))
COUNTS = ("min_rows", "slice_min_rows")  # of rows; the others are shares
MOST_ROWS = 1_000_000_000


def read_rules(texts: Iterable[str]) -> dict[str, float]:
    """The rules of options that are ``KEY=VALUE``; the last one counts.

    Raises:
        UsageError: there is no such rule, or it takes no such value.
    """
    found: dict[str, float] = {}
    for text in texts:
        key, _, value = text.partition("=")
        if key not in RULES:
            raise UsageError(
                f"--gate takes KEY=VALUE, not '{text}'", fix=f"keys: {', '.join(RULES)}"
            )
        found[key] = _value(key, value)
    return found


def with_rules(gate: GateSettings, rules: Mapping[str, float]) -> GateSettings:
    """A gate with some of its rules given otherwise; names that are none are passed over."""
    known = {key: value for key, value in rules.items() if key in RULES}
    return replace(gate, **known)  # type: ignore[arg-type]


def _value(key: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if key in COUNTS and 0 <= number <= MOST_ROWS and number.is_integer():
        return int(number)
    if key not in COUNTS and 0 <= number <= 1:
        return number
    what = f"a whole number from 0 to {MOST_ROWS:,}" if key in COUNTS else "a share from 0 to 1"
    raise UsageError(f"--gate takes KEY=VALUE, not '{key}={text}'", fix=f"{key} is {what}")
