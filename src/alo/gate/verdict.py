"""Whether a candidate may take the deployed model's place, and if not, why and what is missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from alo.estimates.paired import Paired, holm, tango_lower, worse_exact

PASS, HELD = "pass", "held"
TOO_FEW_ROWS = "too_few_rows"
NOT_SHOWN = "not_shown_no_worse"
NO_GAIN = "no_gain"
SLICE_WORSE = "slice_worse"
TEST_IN_TRAINING = "test_in_training"
ROWS_UNANSWERED = "rows_unanswered"
CANDIDATE_FAILED = "candidate_failed"
MOST_NEEDED = 1_000_000  # rows; more is no advice


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSettings:
    """The ``gate:`` of a plan's ``review:``."""

    min_rows: int = 50  # test rows
    max_loss: float = 0.02  # of accuracy, that the new model may be worse by
    min_gain: float = 0.0  # of accuracy, that it has to be better by
    slice_min_rows: int = 30  # of a slice that is looked at
    slice_max_loss: float = 0.05  # of accuracy, within a slice


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The test rows that have one value in a column."""

    name: str  # column=value
    rows: int
    only_old_right: int
    only_new_right: int
    is_looked_at: bool  # it has enough rows

    @property
    def difference(self) -> float:
        """How much more often the new model was right, -1 to 1."""
        return (self.only_new_right - self.only_old_right) / max(1, self.rows)

    def to_json(self) -> dict[str, object]:
        """As ``slices`` of a comparison has it."""
        return {
            "slice": self.name,
            "rows": self.rows,
            "difference": self.difference,
            "only_old_right": self.only_old_right,
            "only_new_right": self.only_new_right,
            "looked_at": self.is_looked_at,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The verdict of the gate."""

    verdict: str  # pass or held
    reasons: Sequence[str] = ()  # why it is held
    needed: int = 0  # how many more test rows could decide it
    needed_reviews: int = 0  # how many random reviews that means; 0 where none of them tests


def judge(
    counts: Paired,
    slices: Sequence[Slice],
    settings: GateSettings,
    *,
    rows: int,
    unanswered: int = 0,
    in_training: int = 0,
    test_share: float = 0.2,
) -> Judged:
    """The verdict on two models that answered the same rows.

    Args:
        counts: where only one of them was right.
        unanswered: rows without an answer of the new model.
        in_training: rows that either model has learned from.
    """
    reasons: list[str] = []
    if rows < settings.min_rows:
        reasons.append(TOO_FEW_ROWS)
    is_shown = rows > 0 and tango_lower(counts) >= -settings.max_loss
    if not is_shown:
        reasons.append(NOT_SHOWN)
    if rows and counts.difference < settings.min_gain:
        reasons.append(NO_GAIN)
    reasons += [f"{SLICE_WORSE}: {each.name}" for each in worse_slices(slices, settings)]
    if in_training:
        reasons.append(TEST_IN_TRAINING)
    if unanswered:
        reasons.append(ROWS_UNANSWERED)
    missing = max(0, settings.min_rows - rows)
    if not is_shown:
        missing = max(missing, rows_to_show(counts, settings) - rows)
    return Judged(
        verdict=HELD if reasons else PASS,
        reasons=reasons,
        needed=missing,
        needed_reviews=math.ceil(missing / test_share) if test_share > 0 else 0,
    )


def worse_slices(slices: Sequence[Slice], settings: GateSettings) -> list[Slice]:
    """Those that lose more than they may, and so much that chance does not explain it."""
    looked_at = [each for each in slices if each.is_looked_at]
    chances = [worse_exact(each.only_old_right, each.only_new_right) for each in looked_at]
    return [
        each
        for each, is_sure in zip(looked_at, holm(chances), strict=True)
        if is_sure and each.difference < -settings.slice_max_loss
    ]


def rows_to_show(counts: Paired, settings: GateSettings) -> int:
    """With how many rows a candidate that stays as it is would be shown to be no worse.

    Returns:
        0 where no number of rows would show it: it is worse by more than it may.
    """
    if settings.max_loss <= 0:
        return 0
    rows = max(counts.rows, 1.0)
    only_old, only_new = counts.only_old / rows, counts.only_new / rows
    if only_new - only_old <= -settings.max_loss:
        return 0
    low, high = 1, MOST_NEEDED

    def is_shown(size: int) -> bool:
        return tango_lower(Paired(size, size * only_old, size * only_new)) >= -settings.max_loss

    if not is_shown(high):
        return 0
    while low < high:
        middle = (low + high) // 2
        if is_shown(middle):
            high = middle
        else:
            low = middle + 1
    return low
