"""Rules of a plan that look at more than one key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from alo.layout import KINDS
from alo.plan.keys.alarm import check_alarm
from alo.plan.keys.entries import DetailEntry, Pipelines, PlanEntry, StepEntry, UiArgEntry
from alo.plan.keys.review import check_review
from alo.plan.keys.sweep import check_sweep
from alo.plan.model import LOCAL
from alo.plan.suggest import did_you_mean, listed, nearest, quoted
from alo.plan.yaml_nodes.reader import NodeReader

SELECTIONS = ("single_selection", "multi_selection")
TYPES: Mapping[str, tuple[type, ...]] = {"int": (int,), "float": (int, float)}


class Entry(Protocol):
    """What stands for a step in any of the three sections that list steps."""

    @property
    def at(self) -> str:
        """Its key path in the plan."""

    @property
    def step(self) -> str:
        """The name of the step."""


E = TypeVar("E", bound=Entry)


def check_entry(entry: PlanEntry, reader: NodeReader) -> None:
    """Report to the reader all that does not fit together."""
    steps = entry.user_parameters
    for section in (steps, entry.asset_source):
        for listed_steps in section.values():
            _check_once(listed_steps, reader)
    _check_sources(entry, reader)
    _check_shared(entry, reader)
    _check_details(entry.ui_args_detail, steps, reader)
    if entry.alarm is not None:
        check_alarm(entry.alarm, reader)
    if entry.review is not None:
        check_review(entry.review, reader)
    if entry.sweep is not None:
        check_sweep(entry.sweep, reader)
    for kind in KINDS:
        described = _described(entry.ui_args_detail.get(kind, ()))
        for step in steps.get(kind, ()):
            _check_ui_args(step, described.get(step.step, ()), reader)


def _check_once(steps: Iterable[Entry], reader: NodeReader) -> None:
    first: dict[str, int] = {}
    for step in steps:
        key = f"{step.at}.step"
        if step.step in first:
            what = f"step {quoted(step.step)} is here twice (first on line {first[step.step]})"
            reader.complain(key, f"{what}: give one of them another name, such as {step.step}2")
        else:
            first[step.step] = reader.line(key)


def _check_sources(entry: PlanEntry, reader: NodeReader) -> None:
    """Where ``asset_source`` has a pipeline, it has the steps of ``user_parameters``."""
    for kind, sources in entry.asset_source.items():
        steps = entry.user_parameters.get(kind, ())
        names, sourced = [step.step for step in steps], [source.step for source in sources]
        for source in sources:
            if source.step not in names:
                hint = did_you_mean(source.step, names)
                what = f"no step {quoted(source.step)} in user_parameters.{kind}_pipeline; {hint}"
                reader.complain(f"{source.at}.step", what)
            if source.source.code == LOCAL:
                _check_local(source.at, source.source.branch, source.source.path, reader)
        for step in steps:
            if step.step not in sourced:
                what = f"step {quoted(step.step)} is missing in asset_source.{kind}_pipeline"
                hint = "add it there, or leave that pipeline out there if all its steps are local"
                reader.complain(f"{step.at}.step", f"{what}: {hint}")


def _check_shared(entry: PlanEntry, reader: NodeReader) -> None:
    """A step of both pipelines has one folder, which a repository of one of them fills."""
    sources = {
        (kind, each.step): each for kind, steps in entry.asset_source.items() for each in steps
    }
    for kind, other in zip(KINDS, reversed(KINDS), strict=True):
        for step in entry.user_parameters.get(kind, ()):
            here, there = sources.get((kind, step.step)), sources.get((other, step.step))
            if there and there.source.code != LOCAL and not (here and here.source.code != LOCAL):
                line = reader.line(f"{there.at}.source.code")
                what = f"step {quoted(step.step)} is local here, and from git in {other}_pipeline"
                what += f" (line {line}): they share a folder, and what is fetched serves both"
                at = f"{here.at}.source.code" if here else f"{step.at}.step"
                reader.warn(reader.nearest_place(at), what)


def _check_local(at: str, branch: str, path: str, reader: NodeReader) -> None:
    for name, value in (("branch", branch), ("path", path)):
        if value:
            what = f"{quoted(value)} has no effect with code: local"
            reader.warn(f"{at}.source.{name}", what)


def _check_details(
    details: Pipelines[DetailEntry], steps: Pipelines[StepEntry], reader: NodeReader
) -> None:
    """What a UI may set decides nothing about a run, so what is odd in it is at most a warning."""
    for kind, entries in details.items():
        by_name = {step.step: step for step in steps.get(kind, ())}
        for detail in entries:
            step = by_name.get(detail.step)
            if step is None:
                hint = did_you_mean(detail.step, by_name)
                what = f"no step {quoted(detail.step)} in user_parameters.{kind}_pipeline; {hint}"
                reader.warn(f"{detail.at}.step", what)
            for arg in detail.args:
                if step and step.args and arg.name not in (*step.args, *step.ui_args):
                    reader.warn(f"{arg.at}.name", _no_arg(step, arg.name))
                _check_ui_arg(arg, reader)


def _check_ui_arg(arg: UiArgEntry, reader: NodeReader) -> None:
    if arg.type in SELECTIONS:
        if arg.range is not None:
            reader.warn(f"{arg.at}.range", f"a {arg.type} has 'selectable' instead")
        if not arg.choices:
            what = f"a {arg.type} needs 'selectable', the list of values to choose from"
            reader.warn(reader.nearest_place(f"{arg.at}.selectable"), what)
    elif arg.selectable:
        reader.warn(f"{arg.at}.selectable", f"type {arg.type} has 'range' instead")
    wrong = "" if arg.default in (None, "", []) else _wrong_default(arg)
    if wrong:
        reader.warn(f"{arg.at}.default", wrong)


def _wrong_default(arg: UiArgEntry) -> str:
    """A default that a UI could not offer; ALO 2.x writes one value as a list of one, too."""
    values = arg.default if isinstance(arg.default, list) else [arg.default]
    if arg.type in SELECTIONS:
        odd = [value for value in values if value not in arg.choices]
        known = listed(map(str, arg.choices))
        return f"{odd[0]!r} is not in selectable: {known}" if odd and arg.choices else ""
    return _wrong_value(values[0] if len(values) == 1 else arg.default, arg)


def _wrong_value(value: object, arg: UiArgEntry) -> str:
    is_bool = isinstance(value, bool)
    if arg.type in TYPES and (is_bool or not isinstance(value, TYPES[arg.type])):
        return f"{value!r} is not of type {arg.type}"
    size = value if isinstance(value, (int, float)) else len(str(value))
    if arg.range and not arg.range[0] <= size <= arg.range[1]:
        return f"{value!r} is not within the range {list(arg.range)}"
    return ""


def _described(details: Iterable[DetailEntry]) -> dict[str, tuple[str, ...]]:
    return {detail.step: tuple(arg.name for arg in detail.args) for detail in details}


def _check_ui_args(step: StepEntry, described: tuple[str, ...], reader: NodeReader) -> None:
    """An operator may also set an arg that the plan leaves out, if a UI knows how to edit it.

    A step without any args leaves all of them to its asset, so there is nothing to compare with.
    """
    for n, name in enumerate(step.ui_args):
        if step.args and name not in step.args and name not in described:
            place = reader.nearest_place(f"{step.at}.ui_args[{n}]")
            reader.warn(place, _no_arg(step, name))


def _no_arg(step: StepEntry, name: str) -> str:
    """An arg that a UI may set and the plan leaves to its asset's own default, or a slip."""
    what = f"step {quoted(step.step)} has no arg {quoted(name)}"
    if " " in name:
        return f"{what}: several names are a list, each after a '-' of its own"
    near = nearest(name, step.args)
    return f"{what}; did you mean '{near}'?" if near else f"{what} in this plan: a UI may add it"
