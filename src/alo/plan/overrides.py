"""``--set step.key=value``: args set for one run, typed as YAML.

The step's name ends at the first dot, so that an arg's own name may have dots in it. A first word
``train`` or ``inference`` is a pipeline where two more parts follow it, else a step of that name:
``train.n=5`` is arg ``n`` of step ``train``, and ``train.input.n=5`` is arg ``n`` of step ``input``
in the train pipeline. A mapping is set whole.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from alo.errors import UsageError
from alo.json_text import bad_character
from alo.layout import KINDS
from alo.plan.changes import changed_line, unplanned_line, with_args
from alo.plan.model import PipelinePlan, Plan, StepPlan
from alo.plan.suggest import did_you_mean, nearest, quoted
from alo.plan.yaml_nodes.reader import read_value
from alo.plan.yaml_nodes.tree import YamlError

VALUES = "values are YAML; to give text, put it in quotes: step.key=\"'text'\""
FORM = "write step.key=value, or train.step.key=value for one pipeline"


class Override(NamedTuple):
    """One arg to set."""

    kind: str  # train or inference; empty: every pipeline that has the step
    step: str
    key: str
    value: object


def parse_override(text: str) -> Override:
    """What was typed after ``--set``.

    Raises:
        UsageError: it does not have the form, or its value is not YAML.
    """
    if wrong := bad_character(text):
        raise UsageError(f"--set {quoted(text)}: {wrong}", fix=VALUES)
    address, equals, value = text.partition("=")
    kind, step, key = _parts(address.strip())
    if not equals or not step or not key:
        raise UsageError(f"--set {quoted(text)}: not an arg and a value", fix=FORM)
    return Override(kind, step, key, _value(text, value))


def for_pipeline(text: str, kind: str) -> str:
    """What was typed after ``--set``, as it is for one pipeline alone."""
    named, _, _ = _parts(text.partition("=")[0].strip())
    return text if named == kind else f"{kind}.{text}"


def _parts(address: str) -> tuple[str, str, str]:
    first, _, rest = address.partition(".")
    kind = first.removesuffix("_pipeline")
    if kind in KINDS and "." in rest:
        step, _, key = rest.partition(".")
        return kind, step, key
    return "", first, rest


def _value(text: str, value: str) -> object:
    try:
        return read_value(value.encode())
    except YamlError as error:
        what = f"--set {quoted(text)}: {error.problem.what}"
    raise UsageError(what, fix=VALUES)


def apply_overrides(plan: Plan, overrides: Sequence[Override]) -> tuple[Plan, tuple[str, ...]]:
    """The plan with other args, and a line for each change.

    Raises:
        UsageError: for a step that is not there.
    """
    changes: list[str] = []
    for override in overrides:
        for pipeline in _pipelines_with_step(plan, override):
            step = pipeline.step(override.step)
            if step is not None:
                _refuse_inner_key(step, override)
                changes.append(_told(pipeline, step, override))
                args = {**step.args, override.key: override.value}
                plan = with_args(plan, pipeline.kind, {step.name: args})
    return plan, tuple(changes)


def _pipelines_with_step(plan: Plan, override: Override) -> list[PipelinePlan]:
    pipelines = [p for p in plan.pipelines if override.kind in ("", p.kind)]
    found = [pipeline for pipeline in pipelines if pipeline.step(override.step)]
    if found:
        return found
    shown = quoted(f"{override.step}.{override.key}")
    if not pipelines:
        raise UsageError(f"--set {shown}: the plan has no {override.kind}_pipeline")
    names = dict.fromkeys(step.name for pipeline in pipelines for step in pipeline.steps)
    where = f"{override.kind}_pipeline" if override.kind else "the plan"
    what = f"--set {shown}: no step {quoted(override.step)} in {where}"
    raise UsageError(what, fix=did_you_mean(override.step, names))


def _refuse_inner_key(step: StepPlan, override: Override) -> None:
    """``model.depth`` would be a new arg next to the mapping ``model``, which nobody means."""
    outer, dot, _ = override.key.partition(".")
    if dot and override.key not in step.args and isinstance(step.args.get(outer), Mapping):
        what = f"--set {step.name}.{override.key}: '{outer}' is a mapping, which is set whole"
        raise UsageError(what, fix=f"write {step.name}.{outer}={{key: value, ...}}")


def _told(pipeline: PipelinePlan, step: StepPlan, override: Override) -> str:
    key = f"{pipeline.name}.{step.name}.{override.key}"
    if override.key in step.args:
        return changed_line(key, step.args[override.key], override.value)
    return unplanned_line(key, override.value, nearest(override.key, step.args))
