"""``alo sweep apply``: puts values into the text of a plan, and touches nothing else of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from alo.batch.sweep.space import Param, Values
from alo.errors import PlanError, SweepError
from alo.plan.changes import changed_line, unplanned_line
from alo.plan.load import parse_plan
from alo.plan.model import Plan, StepPlan
from alo.plan.values import plan_form

BOM = "\ufeff"
BY_HAND = "set the values in the plan by hand"
WIDEST = 1 << 30  # no line of a value is broken


@dataclass(frozen=True, slots=True)
class Applied:
    """A plan's text with other values."""

    text: bytes
    changes: Sequence[str]  # a line each


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: str


def apply_args(plan: Plan, params: Sequence[Param], values: Values) -> Applied:
    """The plan's text with these values of the params; all else stays byte for byte.

    Raises:
        SweepError: the plan has no such step any more, or is written so that this cannot be done.
    """
    changes: list[str] = []
    for param in params:
        value = values[param.name]
        step = _step_of(plan, param)
        key = f"{param.pipeline}_pipeline.{step.name}.{param.key}"
        if param.key in step.args:
            before = step.args[param.key]
            if plan_form(before) == plan_form(value):
                continue
            changes.append(changed_line(key, before, value))
        else:
            changes.append(unplanned_line(key, value, ""))
        plan = _with_value(plan, param, value)
    return Applied(plan.text, changes)


def _step_of(plan: Plan, param: Param) -> StepPlan:
    pipeline = plan.pipeline(param.pipeline)
    step = pipeline.step(param.step) if pipeline else None
    if step is None:
        raise SweepError(
            f"the {param.pipeline} pipeline has no step '{param.step}' any more",
            where=plan.file,
            fix="bring it back, or begin another sweep",
        )
    return step


def _with_value(plan: Plan, param: Param, value: object) -> Plan:
    """The plan with one value in the place of another, read again to see that it is so."""
    text = plan.text.decode("utf-8")
    head = BOM if text.startswith(BOM) else ""
    text = text.removeprefix(BOM)
    edit = _edit_of(plan, text, param, value)
    written = f"{head}{text[: edit.start]}{edit.text}{text[edit.end :]}".encode()
    try:
        changed = parse_plan(written, path=plan.path, home=plan.path.parent)
    except PlanError:
        changed = plan
    wanted = _args_of(plan)
    wanted[f"{param.pipeline}.{param.step}"][param.key] = value
    if plan_form(wanted) != plan_form(_args_of(changed)):
        raise SweepError(
            f"{param.name} cannot be set to {plan_form(value)} in the plan's text",
            where=plan.file,
            fix=f"set it by hand: {param.key}: {_shown(value)}",
        )
    return changed._replace(file=plan.file)


def _args_of(plan: Plan) -> dict[str, dict[str, object]]:
    """The args of all steps: another one may share them by an anchor."""
    return {
        f"{pipeline.kind}.{step.name}": dict(step.args)
        for pipeline in plan.pipelines
        for step in pipeline.steps
    }


def _edit_of(plan: Plan, text: str, param: Param, value: object) -> _Edit:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert root is not None  # noqa: S101 - a plan that was read has content
    number = _number_of(plan, param)
    at = f"user_parameters.{param.pipeline}_pipeline[{number}]"
    line_end = "\r\n" if "\r\n" in text else "\n"
    if f"{at}.args" not in plan.places:
        step = _node_at(root, plan.places[f"{at}.step"])
        indent = " " * _column_of_key(text, step)
        end = _end_of_line(text, step.end_mark.index)
        return _Edit(end, end, f"{line_end}{indent}args: {{{param.key}: {_shown(value)}}}")
    args = _node_at(root, plan.places[f"{at}.args"])
    for key, node in _entries(args):
        if key.value == param.key:
            return _replaced(text, key, node, value)
    return _added(text, args, f"{param.key}: {_shown(value)}", line_end)


def _number_of(plan: Plan, param: Param) -> int:
    """The place of the step in user_parameters."""
    line = _step_of(plan, param).line
    number = 0
    while (
        place := plan.places.get(f"user_parameters.{param.pipeline}_pipeline[{number}].step")
    ) is not None:
        if place[0] == line:
            return number
        number += 1
    raise SweepError(
        f"step '{param.step}' is not found in the plan's text", where=plan.file, fix=BY_HAND
    )


def _node_at(node: yaml.Node, place: tuple[int, int]) -> yaml.Node:
    """The outermost node that begins at a line and column, from 1."""
    for each in _walk(node):
        if (each.start_mark.line + 1, each.start_mark.column + 1) == place:
            return each
    line, column = place
    raise SweepError(f"nothing in the plan begins at line {line}, column {column}", fix=BY_HAND)


def _walk(node: yaml.Node) -> Iterator[yaml.Node]:
    yield node
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _walk(key)
            yield from _walk(value)
    elif isinstance(node, yaml.SequenceNode):
        for each in node.value:
            yield from _walk(each)


def _entries(args: yaml.Node) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """Keys and values of args, as one mapping or as a list of them; the last of a key counts."""
    if isinstance(args, yaml.MappingNode):
        yield from reversed(args.value)
    elif isinstance(args, yaml.SequenceNode):
        for each in reversed(args.value):
            yield from _entries(each)


def _replaced(text: str, key: yaml.Node, node: yaml.Node, value: object) -> _Edit:
    start, end = node.start_mark.index, _end_of(node)
    shown = _shown(value, node.style if isinstance(node, yaml.ScalarNode) else None)
    if end == start:  # nothing was written
        start = end = text.index(":", key.end_mark.index) + 1
        return _Edit(start, end, f" {shown}")
    is_block = isinstance(node, yaml.CollectionNode) and not node.flow_style
    if is_block:  # it goes up to its key, where a value in one line is
        start = text.index(":", key.end_mark.index) + 1
        shown = f" {shown}"
    return _Edit(start, end, shown)


def _added(text: str, args: yaml.Node, entry: str, line_end: str) -> _Edit:
    """An arg more, in the form that its neighbours have."""
    if isinstance(args, yaml.ScalarNode):  # blank
        at = args.start_mark.index
        return _Edit(at, _end_of(args), f" {{{entry}}}")
    if not isinstance(args, yaml.CollectionNode):
        raise SweepError("the args in the plan are neither a mapping nor a list", fix=BY_HAND)
    is_list = isinstance(args, yaml.SequenceNode)
    if args.flow_style:
        end = args.end_mark.index - 1  # before the bracket
        shown = f"{{{entry}}}" if is_list else entry
        return _Edit(end, end, f", {shown}" if args.value else shown)
    at = _end_of_line(text, _end_of(args))
    indent = " " * args.start_mark.column
    dash = "- " if is_list else ""
    return _Edit(at, at, f"{line_end}{indent}{dash}{entry}")


def _end_of(node: yaml.Node) -> int:
    """Where the last thing written of a node ends: a block ends before the comments behind it."""
    if not isinstance(node, yaml.CollectionNode) or not node.value or node.flow_style:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end_of(last[1] if isinstance(node, yaml.MappingNode) else last)


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    if end < 0:
        return len(text)
    return end - 1 if text[end - 1] == "\r" else end


def _column_of_key(text: str, step: yaml.Node) -> int:
    """The column of the key ``step``, whose value begins at another one."""
    start = text.rfind("\n", 0, step.start_mark.index) + 1
    return text.index("step", start) - start


def _shown(value: object, style: str | None = None) -> str:
    """A value in one line of YAML; of a text in the quotes that were there."""
    if isinstance(value, str) and style in ("'", '"'):
        dumped = yaml.safe_dump(value, default_style=style, width=WIDEST, allow_unicode=True)
    else:
        dumped = yaml.safe_dump(value, default_flow_style=True, width=WIDEST, allow_unicode=True)
    return dumped.strip().removesuffix("...").strip()
