"""The args that a person may set: fields of a form from ``ui_args`` and ``ui_args_detail``.

Whatever is typed or sent is checked by the same rules; the plan's own checks come after them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from alo.json_text import json_text
from alo.plan.model import Plan, UiArg
from alo.plan.values import plan_form
from alo.plan.yaml_nodes.reader import read_value
from alo.plan.yaml_nodes.tree import YamlError
from alo.ui.problems import FieldProblem
from alo.ui.rendering.shown import arg as arg_text

INT, FLOAT, STRING = "int", "float", "string"
SINGLE, MULTI = "single_selection", "multi_selection"
YAML = "yaml"  # an arg without details: its value is written as in the plan


class Choice(NamedTuple):
    """A value that can be selected."""

    text: str
    yaml: str  # as ``--set`` takes it
    is_chosen: bool  # now


class ArgField(NamedTuple):
    """One arg in the form."""

    step: str
    key: str
    detail: UiArg
    value: object  # that it has now; of an arg that the plan does not have, the default

    @property
    def name(self) -> str:
        """What the form calls it."""
        return f"args.{self.step}.{self.key}"

    @property
    def text(self) -> str:
        """The value as the form shows it; several, one on each line."""
        if self.detail.type == MULTI and isinstance(self.value, list | tuple):
            return "\n".join(map(arg_text, self.value))
        return "" if self.value is None else arg_text(self.value)

    @property
    def choices(self) -> Sequence[Choice]:
        """What can be selected."""
        now = self.value if isinstance(self.value, list | tuple) else [self.value]
        chosen = [plan_form(each) for each in now]
        return [
            Choice(arg_text(each), as_yaml(each), plan_form(each) in chosen)
            for each in self.detail.selectable
        ]


class Chosen(NamedTuple):
    """What was chosen, and what is wrong with it."""

    args: Mapping[str, Mapping[str, object]]  # step → key → value, of those that were given
    problems: Sequence[FieldProblem]


def arg_fields(
    plan: Plan, kind: str, now: Mapping[str, Mapping[str, object]] | None = None
) -> list[ArgField]:
    """The fields of one pipeline's form.

    Args:
        kind: train or inference.
        now: step → args, in the place of the plan's own.
    """
    pipeline = plan.pipeline(kind)
    fields: list[ArgField] = []
    for step in pipeline.steps if pipeline else ():
        details = {each.name: each for each in plan.ui_args_detail.get(kind, {}).get(step.name, ())}
        args = {**step.args, **(now or {}).get(step.name, {})}
        for key in step.ui_args:
            detail = details.get(key) or UiArg(key, YAML)
            fields.append(ArgField(step.name, key, detail, args.get(key, detail.default)))
    return fields


def as_yaml(value: object) -> str:
    """A value as ``--set`` reads it."""
    text = json_text(value)
    try:
        if plan_form(read_value(text.encode())) == plan_form(value):
            return text
    except YamlError:
        pass
    import yaml

    dumped: str = yaml.safe_dump(value, default_flow_style=True, width=10**9)
    return dumped.removesuffix("...\n").strip()


def from_form(fields: Sequence[ArgField], form: Mapping[str, object]) -> Chosen:
    """What the fields of a form say; those that are as they were are not chosen."""
    args: dict[str, dict[str, object]] = {}
    problems: list[FieldProblem] = []
    for field in fields:
        given = form.get(field.name)
        if not isinstance(given, str):
            continue
        if field.detail.type == MULTI:
            given = "\n".join(filter(None, given.splitlines()))
        if given == field.text:
            continue
        try:
            value = _typed(field.detail, given)
            _check(field.detail, value)
        except ValueError as error:
            problems.append(FieldProblem(field.name, str(error)))
        else:
            args.setdefault(field.step, {})[field.key] = value
    return Chosen(args, problems)


def as_typed(fields: Sequence[ArgField], form: Mapping[str, object]) -> list[ArgField]:
    """The fields with what a form has in them, right or wrong."""
    return [_with_text(field, form.get(field.name)) for field in fields]


def _with_text(field: ArgField, text: object) -> ArgField:
    if not isinstance(text, str):
        return field
    value: object = text.splitlines() if field.detail.type == MULTI else text
    with suppress(ValueError):
        value = _typed(field.detail, text)
    return field._replace(value=value)


def from_json(fields: Sequence[ArgField], given: object) -> Chosen:
    """What a script has sent: ``{step: {key: value}}``."""
    if not isinstance(given, Mapping):
        return Chosen({}, [FieldProblem("args", "it has to be an object of steps")])
    known = {(field.step, field.key): field for field in fields}
    args: dict[str, dict[str, object]] = {}
    problems: list[FieldProblem] = []
    for step, values in given.items():
        if not isinstance(values, Mapping):
            problems.append(FieldProblem(f"args.{step}", "it has to be an object of args"))
            continue
        for key, value in values.items():
            field, name = known.get((step, key)), f"args.{step}.{key}"
            if field is None:
                problems.append(FieldProblem(name, "it is not in ui_args of that step"))
                continue
            try:
                _check(field.detail, value)
            except ValueError as error:
                problems.append(FieldProblem(name, str(error)))
            else:
                args.setdefault(step, {})[key] = value
    return Chosen(args, problems)


def _typed(detail: UiArg, text: str) -> object:
    match detail.type:
        case "int":
            return _number(int, text, "a whole number")
        case "float":
            return _number(float, text, "a number")
        case "string":
            return text
        case "single_selection":
            return _selected(detail, text)
        case "multi_selection":
            return [_selected(detail, part) for part in text.splitlines() if part]
    try:
        return read_value(text.encode())
    except YamlError as error:
        raise ValueError(f"it is no YAML: {error.problem.what}") from error


def _number(kind: Any, text: str, what: str) -> object:
    try:
        return kind(text.strip())
    except ValueError:
        raise ValueError(f"it has to be {what}") from None


def _selected(detail: UiArg, text: str) -> object:
    for each in detail.selectable:
        if arg_text(each) == text:
            return each
    raise ValueError(f"'{text}' is none of {', '.join(map(arg_text, detail.selectable))}")


def _check(detail: UiArg, value: object) -> None:
    """See that a value is what the details allow.

    Raises:
        ValueError: saying what is allowed.
    """
    kind = detail.type
    if kind == INT and type(value) is not int:
        raise ValueError("it has to be a whole number")
    if kind == FLOAT and type(value) not in (int, float):
        raise ValueError("it has to be a number")
    if kind == STRING and not isinstance(value, str):
        raise ValueError("it has to be a text")
    allowed = [plan_form(each) for each in detail.selectable]
    if kind == SINGLE and allowed and plan_form(value) not in allowed:
        raise ValueError(f"it has to be one of {', '.join(map(arg_text, detail.selectable))}")
    if kind == MULTI:
        chosen = value if isinstance(value, list) else None
        if chosen is None or (allowed and any(plan_form(each) not in allowed for each in chosen)):
            raise ValueError(f"it has to be some of {', '.join(map(arg_text, detail.selectable))}")
    if detail.range is None:
        return
    low, high = detail.range
    amount = len(value) if isinstance(value, str) else value
    if isinstance(amount, int | float) and not low <= amount <= high:
        what = "its length" if isinstance(value, str) else "it"
        raise ValueError(f"{what} has to be from {low:g} to {high:g}")
