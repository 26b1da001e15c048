"""Which rows test a model and are never learned from.

Only rows that chance took into a review can test: what people or the model chose would not
represent all. The choice hangs on the case alone, so it is the same in every version of a data set.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from alo.datasets.rows import ReviewedRow

RANDOM = "random"
TEST_SHARE = 0.2  # of the random rows, where nothing else is asked for
_ALL = 1 << 64


@dataclass(frozen=True, slots=True)
class Split:
    """The rows of a data set, apart."""

    train: Sequence[ReviewedRow]
    test: Sequence[ReviewedRow]
    left_out: Mapping[str, int] = field(default_factory=dict)  # why -> how many


def split_rows(
    rows: Sequence[ReviewedRow], name: str, share: float, tested: Collection[str]
) -> Split:
    """Divide rows into those to learn from and those to test with.

    Args:
        name: of the data set; two data sets choose differently.
        share: of the random rows that test, 0 to 1.
        tested: content ids that tested a version of this data set before.
    """
    train: list[ReviewedRow] = []
    test: list[ReviewedRow] = []
    left_out: Counter[str] = Counter()
    place_of = places(name)
    for row in _one_a_case(rows, left_out):
        is_test = row.content in tested or place_of(row.content) < share
        if is_test and row.source == RANDOM:
            test.append(row)
        elif row.content in tested:
            left_out["tested a version before, and was not drawn at random now"] += 1
        else:
            train.append(row)
    return Split(train, test, dict(left_out))


def places(name: str) -> Callable[[str], float]:
    """What gives, by its content id, where a case is in the random order of a data set, 0 to 1."""
    keyed = hashlib.blake2b(key=hashlib.sha256(name.encode()).digest(), digest_size=8)

    def place_of(content: str) -> float:
        found = keyed.copy()
        found.update(content.encode())
        return int.from_bytes(found.digest(), "big") / _ALL

    return place_of


def _one_a_case(rows: Sequence[ReviewedRow], left_out: Counter[str]) -> Sequence[ReviewedRow]:
    """The rows, each case once; a case that was labelled in two ways is none."""
    if len({row.content for row in rows}) == len(rows):
        return rows
    cases: dict[str, list[ReviewedRow]] = {}
    for row in rows:
        cases.setdefault(row.content, []).append(row)
    found: list[ReviewedRow] = []
    for same in cases.values():
        if len(same) == 1:
            found += same
            continue
        if len({row.label for row in same}) > 1:
            left_out["conflict"] += len(same)
            continue
        left_out["the same case as another"] += len(same) - 1
        # One that was drawn at random can test: it represents the others.
        found.append(next((row for row in same if row.source == RANDOM), same[0]))
    left_out += Counter()  # without the zeros
    return found
