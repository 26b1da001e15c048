"""Edits of a plan in memory, and how a change is shown: one line each."""

from __future__ import annotations

from collections.abc import Mapping
from json import dumps

from alo.masking import masked
from alo.plan.model import Plan
from alo.plan.values import form

MAX_SHOWN = 200
NOT_IN_PLAN = "(not in the plan"


def with_args(plan: Plan, kind: str, args: Mapping[str, Mapping[str, object]]) -> Plan:
    """The plan with other args for steps of one pipeline; ``args`` has all of each that it names.

    Whatever args are set for a run goes through here: by ``--set``, by metadata, in a notebook or
    with a request.
    """
    pipeline = plan.pipeline(kind)
    if pipeline is None:
        return plan
    steps = tuple(step._replace(args=args.get(step.name, step.args)) for step in pipeline.steps)
    return plan.with_pipeline(pipeline._replace(steps=steps))


def changed_line(key: str, old: object, new: object) -> str:
    """``train_pipeline.train.n_estimators: 100 -> 5``."""
    before, after = _short(old), _short(new)
    if before == after:  # a date and its text, say
        before, after = (masked(form(value))[:MAX_SHOWN] for value in (old, new))
    return f"{key}: {before} -> {after}"


def unplanned_line(key: str, new: object, near: str = "") -> str:
    """The line for an arg that the plan leaves out, with the arg that may have been meant."""
    hint = f", did you mean '{near}'?" if near else ""
    return f"{key}: {_short(new)} {NOT_IN_PLAN}{hint})"


def is_unplanned(line: str) -> bool:
    """Whether a line is of ``unplanned``: it may be a slip of the pen, and is worth a warning."""
    return NOT_IN_PLAN in line


def _short(value: object) -> str:
    if value is None or value == "":
        return "empty"
    try:
        text = dumps(value, ensure_ascii=False, default=str)
    except TypeError:  # a key that JSON has no form for, such as a date
        text = form(value)
    text = masked(text)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."
