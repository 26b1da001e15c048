"""``POST /runs``: start a run as a job; and the form for it."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Mapping, Sequence

from alo.errors import CheckError, UsageError
from alo.layout import KINDS, find_plan
from alo.plan.model import Plan
from alo.ui.arg_fields import (
    ArgField,
    Chosen,
    arg_fields,
    as_typed,
    as_yaml,
    from_form,
    from_json,
)
from alo.ui.ask import Ask
from alo.ui.found_run import find_run
from alo.ui.problems import FieldProblem, UiError
from alo.ui.refused import or_again
from alo.ui.rendering.page import Page, Redirect

Args = Mapping[str, Mapping[str, object]]
ALL = "all"  # pipelines of the plan


def new(ask: Ask) -> Page:
    """The form for a run as the plan has it."""
    ask.query.allow("pipeline")
    plan = plan_now(ask)
    kinds = [each.kind for each in plan.pipelines]
    return _form(ask, plan, ask.query.one("pipeline", kinds[0], among=kinds), {}, "")


def form(ask: Ask) -> Page:
    """The form for a run like an earlier one, with its args."""
    ask.query.allow()
    record = find_run(ask).record
    plan = plan_now(ask)
    if plan.pipeline(record.pipeline) is None:
        raise UiError(409, f"the plan has no {record.pipeline}_pipeline any more")
    return _form(ask, plan, record.pipeline, record.args, record.id)


def start(ask: Ask) -> Page | Redirect:
    """Check what was asked for, and queue it; a form that is refused is shown as it was sent."""
    return or_again(ask, _start, _form_as_sent, ask.page_at("/new"))


def _start(ask: Ask) -> Redirect:
    plan = plan_now(ask)
    kind = ask.text("pipeline", ALL)
    if kind not in (*KINDS, ALL):
        raise _refused("pipeline", f"'{kind}' is none of {', '.join((*KINDS, ALL))}")
    words = ["run", "--mode", kind, "--json"]
    overrides: list[str] = []
    for each in [kind] if kind != ALL else [pipeline.kind for pipeline in plan.pipelines]:
        chosen = chosen_args(ask, plan, each)
        if chosen.problems:
            raise UiError(422, "some args cannot be so", fields=chosen.problems)
        overrides += [
            f"{each}.{step}.{key}={as_yaml(value)}"
            for step, values in chosen.args.items()
            for key, value in values.items()
        ]
    for text in overrides:
        words += ["--set", text]
    system = _metadata(kind, ask.text("data"))
    words += ["--system", system] if system else []
    check_run(ask, kind, tuple(overrides), system)
    job = ask.studio.jobs.add(words, kind, ask.who.name, ask.text("key"), is_form=ask.is_form)
    return Redirect(f"/jobs/{job.id}", job.to_json(), json_status=202)


def _form(ask: Ask, plan: Plan, kind: str, args: Args, run_id: str) -> Page:
    return _form_of(plan, kind, arg_fields(plan, kind, args), run_id)


def _form_as_sent(ask: Ask) -> Page:
    plan = plan_now(ask)
    kinds = [each.kind for each in plan.pipelines]
    kind = ask.text("pipeline") if ask.text("pipeline") in kinds else kinds[0]
    return _form_of(plan, kind, as_typed(arg_fields(plan, kind), ask.body), "")


def _form_of(plan: Plan, kind: str, fields: Sequence[ArgField], run_id: str) -> Page:
    planned = {each.name: each.text for each in arg_fields(plan, kind)}
    content: Mapping[str, object] = {
        "pipeline": kind,
        "fields": [
            {"field": each.name, "type": each.detail.type, "value": each.text} for each in fields
        ],
    }
    shown = {
        "fields": fields,
        "planned": planned,
        "run_id": run_id,
        "kinds": [each.kind for each in plan.pipelines],
        "data": " ".join(plan.external.load_data(kind)),
        "key": os.urandom(8).hex(),
        "command": shlex.join(["alo", "run", "--mode", kind, *_sets(kind, fields, planned)]),
    }
    return Page("run_again", "Run again", content, shown, folder="runs/")


def _sets(kind: str, fields: Sequence[ArgField], planned: Mapping[str, str]) -> Iterator[str]:
    """The options that set what differs from the plan."""
    for each in fields:
        if each.text != planned[each.name]:
            yield "--set"
            yield f"{kind}.{each.step}.{each.key}={as_yaml(each.value)}"


def plan_now(ask: Ask) -> Plan:
    """The project's plan as it is now.

    Raises:
        UiError: 409: it cannot be read.
    """
    from alo.plan.load import load_plan  # long to import, and no other page needs it

    workspace = ask.studio.workspace
    try:
        return load_plan(find_plan(workspace.home), home=workspace.home)
    except CheckError as error:
        raise UiError(409, f"the plan cannot be read: {error}", fix="alo check") from error


def chosen_args(ask: Ask, plan: Plan, kind: str) -> Chosen:
    """The args that a form or a script has given for one pipeline."""
    if ask.is_form:
        return from_form(arg_fields(plan, kind), ask.body)
    given = ask.body.get("args", {})
    pipeline = plan.pipeline(kind)
    if isinstance(given, Mapping) and pipeline is not None:
        unknown = [step for step in given if not any(p.step(step) for p in plan.pipelines)]
        if unknown:
            name = f"args.{unknown[0]}"
            return Chosen({}, [FieldProblem(name, "the plan has no such step")])
        given = {step: values for step, values in given.items() if pipeline.step(step)}
    return from_json(arg_fields(plan, kind), given)


def _metadata(kind: str, data: str) -> str:
    """Solution metadata that names other data; empty where none is named."""
    paths = data.split()
    if not paths:
        return ""
    if kind == ALL:
        raise _refused("data", "name the pipeline whose data it is")
    return json.dumps({"pipeline": [{"type": kind, "dataset_uri": paths}]})


def check_run(ask: Ask, kind: str, overrides: tuple[str, ...], system: str) -> None:
    """See that the run could begin, as ``alo check`` does.

    Raises:
        UiError: 422: it could not.
    """
    # The engine is imported by who starts a run, not by who looks at some.
    from alo.engine.checks.preflight import check_solution
    from alo.engine.request import RunRequest

    request = RunRequest(
        home=ask.studio.workspace.home, mode=kind, overrides=overrides, system=system
    )
    try:
        check_solution(request, online=False)
    except CheckError as error:
        # Where other data was typed, what the plan says of its data is about that.
        data = f"external_path.load_{kind}_data_path" if system else ""
        fields = [
            FieldProblem("data" if data and each.key == data else each.key, str(each))
            for each in error.problems
        ]
        raise UiError(422, "the run cannot begin so", fields=fields) from error
    except UsageError as error:
        raise UiError(422, error.what, fix=error.fix) from error


def _refused(field: str, what: str) -> UiError:
    return UiError(422, what, fields=[FieldProblem(field, what)])
