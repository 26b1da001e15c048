"""A plan back to YAML: what history keeps of the plan as it ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from alo.layout import KINDS
from alo.masking import masked
from alo.plan.model import (
    Aggregate,
    Control,
    PipelinePlan,
    Plan,
    Resources,
    ReviewPlan,
    Source,
    StepPlan,
    SweepPlan,
    UiArg,
)
from alo.plan.passwords import without_passwords

HEADER = "# The plan as it ran. Changed for this run:"
WITHOUT = "# The plan as it ran, without the passwords and queries of its URLs."


def render_plan(plan: Plan, changes: Sequence[str]) -> bytes:
    """The plan as it ran: the file as it was, or, with changes, a new document that says it all.

    Passwords of URLs (of code, packages, data and models) are in neither, nor are their queries.
    """
    plan = without_passwords(plan)
    if plan.text and not changes:
        return plan.text
    about = HEADER if changes else WITHOUT
    header = "\n".join([about, *(f"#   {_one_line(masked(change))}" for change in changes)])
    from alo.plan.yaml_nodes.dumper import dump  # with PyYAML

    return f"{header}\n{dump(_document(plan))}".encode()


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def _document(plan: Plan) -> dict[str, object]:
    """In the form that ALO 2.x writes: its clients look pipelines up by position."""
    pipelines = plan.pipelines
    sources = [(p, [_source(step) for step in p.steps]) for p in pipelines if _has_sources(p)]
    document = {
        "name": plan.name,
        "version": plan.version,
        "external_path": _list_form(plan.external._asdict()),
        "external_path_permission": _list_form({"aws_key_profile": plan.aws_key_profile}),
        "user_parameters": [{p.name: [_user_step(step) for step in p.steps]} for p in pipelines],
        "asset_source": [{pipeline.name: steps} for pipeline, steps in sources],
        "control": _control(plan.control),
        "alarm": _list_form(plan.alarm._asdict()) if plan.alarm else [],
        "review": _review(plan.review) if plan.review else [],
        "sweep": _sweep(plan.sweep) if plan.sweep else [],
        "ui_args_detail": [
            {f"{kind}_pipeline": _details(plan.ui_args_detail[kind])}
            for kind in KINDS
            if kind in plan.ui_args_detail
        ],
    }
    return {key: value for key, value in document.items() if value != []}


def _control(control: Control) -> list[dict[str, object]]:
    aggregate = {} if control.aggregate == Aggregate() else control.aggregate._asdict()
    values = {**control._asdict(), "aggregate": aggregate}
    return _list_form({name: each for name, each in values.items() if each != {}})


def _review(review: ReviewPlan) -> list[dict[str, object]]:
    nested: dict[str, object] = {
        "probabilities": dict(review.probabilities) or None,
        "truth": dict(review.truth._asdict()) if review.truth else None,
        "labels": [dict(label._asdict()) for label in review.labels] or None,
        "gate": dict(review.gate._asdict()),
    }
    return _list_form({**review._asdict(), **nested})


def _sweep(sweep: SweepPlan) -> list[dict[str, object]]:
    params = {
        name: {
            key: _blank_or(value)
            for key, value in param._asdict().items()
            if value not in (None, "", ())
        }
        for name, param in sweep.params.items()
    }
    return _list_form({**sweep._asdict(), "params": params or None})


def _list_form(section: Mapping[str, object]) -> list[dict[str, object]]:
    return [{name: _blank_or(value)} for name, value in section.items()]


def _blank_or(value: object) -> object:
    return None if value in ("", ()) else list(value) if isinstance(value, tuple) else value


def _user_step(step: StepPlan) -> dict[str, object]:
    usual = StepPlan(step.name, {})
    options = {
        "ui_args": (step.ui_args, usual.ui_args),
        "cache": (step.cache, usual.cache),
        "isolation": (step.isolation, usual.isolation),
        "environment": (step.environment, usual.environment),
        "timeout": (step.timeout_s, usual.timeout_s),
        "retries": (step.retries, usual.retries),
        "resources": (_asked(step.resources), {}),
    }
    return {
        "step": step.name,
        "args": [{name: value} for name, value in step.args.items()] or None,
        **{name: _blank_or(value) for name, (value, unset) in options.items() if value != unset},
    }


def _asked(resources: Resources) -> dict[str, object]:
    values = {key: each for key, each in resources._asdict().items() if each}
    if resources.memory:
        values["memory"] = f"{resources.memory}B"
    return values


def _has_sources(pipeline: PipelinePlan) -> bool:
    return any(step.source != Source() for step in pipeline.steps)


def _source(step: StepPlan) -> dict[str, object]:
    own = step.source
    if own.is_shared:
        own = Source(requirements=own.requirements)
    source = {name: _blank_or(value) for name, value in own._asdict().items()}
    del source["is_shared"]
    return {"step": step.name, "source": source}


def _details(details: Mapping[str, Sequence[UiArg]]) -> list[dict[str, object]]:
    return [
        {"step": step, "args": [_ui_arg(arg) for arg in args] or None}
        for step, args in details.items()
    ]


def _ui_arg(arg: UiArg) -> dict[str, object]:
    return {
        name: _blank_or(value)
        for name, value in arg._asdict().items()
        if value not in ("", (), None)
    }
