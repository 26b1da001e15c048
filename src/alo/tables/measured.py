"""Whether a column holds measured numbers, which are no classes."""

from __future__ import annotations

import math
from collections.abc import Iterable

MOST_CLASSES = 200  # so many different numbers may be codes of classes
MOST_PARTS = 20  # so many, where some are no whole numbers


def are_measured(values: Iterable[str]) -> bool:
    """Whether these are numbers, and too many different ones to be the codes of classes."""
    different = {value for value in values if value}
    if len(different) <= MOST_PARTS:
        return False
    numbers = [_number(value) for value in different]
    if any(math.isnan(each) for each in numbers):
        return False
    return len(different) > MOST_CLASSES or not all(each.is_integer() for each in numbers)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
