"""Passwords in the sources of a plan: history does not keep them, and a rerun finds them again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from alo.errors import PlanError
from alo.masking import masked
from alo.plan.load import parse_plan
from alo.plan.model import PipelinePlan, Plan


def without_passwords(plan: Plan) -> Plan:
    """The plan whose repositories, requirements and package indexes have no passwords.

    Its text is empty where they cannot just be cut out of it.
    """
    hidden = {text: masked(text) for text in _source_texts(plan) if masked(text) != text}
    if not hidden:
        return plan
    text = plan.text
    for whole, shown in hidden.items():
        text = text.replace(whole.encode(), shown.encode())
    has_none = _has_none(plan._replace(text=text))
    return _with_source_texts(plan, hidden)._replace(text=text if has_none else b"")


def _has_none(plan: Plan) -> bool:
    """Whether the text has no passwords in its sources, in whatever way it writes them."""
    try:
        again = parse_plan(plan.text, path=plan.path, home=plan.path.parent)
    except PlanError:
        return False
    return all(masked(text) == text for text in _source_texts(again))


def with_passwords_of(plan: Plan, other: Plan) -> Plan:
    """The plan with the passwords that another one has for the same repositories and indexes."""
    return _with_source_texts(plan, {masked(text): text for text in _source_texts(other)})


def _source_texts(plan: Plan) -> Iterator[str]:
    for step in (step for pipeline in plan.pipelines for step in pipeline.steps):
        yield step.source.code
        yield from step.source.requirements


def _with_source_texts(plan: Plan, instead: Mapping[str, str]) -> Plan:
    for pipeline in plan.pipelines:
        plan = plan.with_pipeline(_with_texts(pipeline, lambda text: instead.get(text, text)))
    return plan


def _with_texts(pipeline: PipelinePlan, text_of: Callable[[str], str]) -> PipelinePlan:
    steps = [
        step._replace(
            source=step.source._replace(
                code=text_of(step.source.code),
                requirements=tuple(map(text_of, step.source.requirements)),
            )
        )
        for step in pipeline.steps
    ]
    return pipeline._replace(steps=tuple(steps))
