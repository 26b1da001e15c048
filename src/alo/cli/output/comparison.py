"""What a comparison of two models says, in lines: how good both are, and why the gate says so."""

from __future__ import annotations

from collections.abc import Iterator

from alo.gate.comparison import Comparison
from alo.gate.verdict import (
    CANDIDATE_FAILED,
    NO_GAIN,
    NOT_SHOWN,
    ROWS_UNANSWERED,
    SLICE_WORSE,
    TEST_IN_TRAINING,
    TOO_FEW_ROWS,
)
from alo.texts import counted

SHOWN_CHANGED = 10


def comparison_lines(compared: Comparison) -> Iterator[str]:
    """Both accuracies, the difference, the first changed rows, and the verdict with its reasons."""
    for name, model in (("before", compared.old), ("candidate", compared.new)):
        if model.accuracy is not None and model.low is not None and model.high is not None:
            shown = f"{model.accuracy:.1%}, from {model.low:.1%} to {model.high:.1%}"
            yield f"  {name:9}  {shown} right of {counted(compared.rows, 'test row')}"
    if compared.difference is not None and compared.low is not None and compared.high is not None:
        yield (
            f"  difference {compared.difference:+.1%}, from {compared.low:+.1%} to "
            f"{compared.high:+.1%}; only the one before right: {compared.only_old_right}, only the "
            f"candidate: {compared.only_new_right}"
        )
    for row in compared.changed[:SHOWN_CHANGED]:
        yield f"  {row.record}: {row.label}; before {row.old}, now {row.new}"
    judged = compared.judged
    yield f"the gate: {judged.verdict}{': ' + ', '.join(judged.reasons) if judged.reasons else ''}"
    if judged.reasons:
        yield from (f"  {reason}: {_why(reason, compared)}" for reason in judged.reasons)
    elif compared.bound is not None:
        yield f"  {_bound(compared)}"


def _why(reason: str, compared: Comparison) -> str:
    gate = compared.gate
    name, _, _ = reason.partition(":")
    if name == TOO_FEW_ROWS:
        return f"{counted(compared.rows, 'test row')}, and min_rows is {gate.min_rows:,}"
    if name == NOT_SHOWN:
        return _bound(compared)
    if name == NO_GAIN:
        found = compared.difference or 0.0
        return f"the difference is {found:+.1%}, and min_gain is {gate.min_gain:.1%}"
    if name == SLICE_WORSE:
        return f"worse by more than slice_max_loss, {gate.slice_max_loss:.1%}, and not by chance"
    if name == TEST_IN_TRAINING:
        rows = counted(compared.in_training, "test row is", "test rows are")
        return f"{rows} in the train data of one of the two models"
    if name == ROWS_UNANSWERED:
        return f"no answer to {counted(compared.unanswered, 'test row')}"
    return "its inference fails on the test rows" if name == CANDIDATE_FAILED else ""


def _bound(compared: Comparison) -> str:
    """What the main rule looks at."""
    bound = -1.0 if compared.bound is None else compared.bound
    least = f"with 95% certainty the difference is at least {bound:+.1%}"
    return f"{least}, and max_loss lets {-compared.gate.max_loss:+.1%} pass"
