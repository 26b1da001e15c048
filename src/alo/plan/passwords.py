"""Passwords in the URLs of a plan: history does not keep them, and a rerun finds them again.

The URLs of code, of requirements, of data, models and exports, and of the alarm. Args stay as they
are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from alo.errors import PlanError
from alo.masking import masked
from alo.plan.load import parse_plan
from alo.plan.model import ExternalPaths, PipelinePlan, Plan

HTTP = ("http://", "https://")


def without_passwords(plan: Plan) -> Plan:
    """The plan whose URLs have no passwords and no queries, which may hold tokens.

    Its text is empty where they cannot just be cut out of it.
    """
    hidden = {text: masked(text) for text in _texts(plan) if masked(text) != text}
    text = plan.text
    for whole, shown in sorted(hidden.items(), reverse=True):  # before what it begins with
        text = text.replace(whole.encode(), shown.encode())
    text = _with_masked_comments(text)
    if text == plan.text and not hidden:
        return plan
    plan = _with_texts(plan, hidden)
    return plan._replace(text=text if _says(text, plan) else b"")


def _with_masked_comments(text: bytes) -> bytes:
    if b"://" not in text:
        return text
    return b"\n".join(map(_masked_comment, text.split(b"\n")))


def _masked_comment(line: bytes) -> bytes:
    if not line.lstrip().startswith(b"#"):
        return line
    return masked(line.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def _says(text: bytes, plan: Plan) -> bool:
    """Whether it is a text of the plan, whose URLs have no passwords, however it writes them."""
    try:
        again = parse_plan(text, path=plan.path, home=plan.path.parent)
    except PlanError:
        return False
    return list(_texts(again)) == list(_texts(plan)) and _args(again) == _args(plan)


def _args(plan: Plan) -> list[object]:
    return [step.args for pipeline in plan.pipelines for step in pipeline.steps]


def with_passwords_of(plan: Plan, other: Plan) -> Plan:
    """The plan with the passwords and queries that another one has for the same URLs."""
    found = _with_texts(plan, {masked(text): text for text in _texts(other)})
    # By their places first: several may differ in what is left out only.
    same: dict[str, Any] = {
        key: theirs
        for key, theirs in other.external._asdict().items()
        if tuple(map(masked, _values(theirs))) == _values(getattr(plan.external, key))
    }
    return found._replace(external=found.external._replace(**same))


def unknown_urls(plan: Plan, other: Plan | None) -> list[str]:
    """URLs of a plan's data and models that the other plan does not have, also not with a query."""
    known = set(map(masked, _external_texts(other))) if other else set()
    return [text for text in _external_texts(plan) if text.startswith(HTTP) and text not in known]


def _texts(plan: Plan) -> Iterator[str]:
    yield from _external_texts(plan)
    if plan.alarm is not None and plan.alarm.url:
        yield plan.alarm.url
    for step in (step for pipeline in plan.pipelines for step in pipeline.steps):
        yield step.source.code
        yield from step.source.requirements


def _external_texts(plan: Plan) -> Iterator[str]:
    for value in plan.external:
        yield from (text for text in _values(value) if "://" in text)


def _values(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _with_texts(plan: Plan, instead: Mapping[str, str]) -> Plan:
    def text_of(text: str) -> str:
        return instead.get(text, text)

    for pipeline in plan.pipelines:
        plan = plan.with_pipeline(_with_source_texts(pipeline, text_of))
    external: dict[str, Any] = {
        key: text_of(value) if isinstance(value, str) else tuple(map(text_of, value))
        for key, value in plan.external._asdict().items()
    }
    if plan.alarm is not None:
        plan = plan._replace(alarm=plan.alarm._replace(url=text_of(plan.alarm.url)))
    return plan._replace(external=ExternalPaths(**external))


def _with_source_texts(pipeline: PipelinePlan, text_of: Callable[[str], str]) -> PipelinePlan:
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
