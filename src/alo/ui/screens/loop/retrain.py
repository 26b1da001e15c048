"""``POST /models/retrain``: train a candidate as a job, for the gate to judge; and the form."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping

from alo.datasets.catalog import Catalog, Version
from alo.datasets.rows import TRAIN
from alo.errors import AloError, DatasetError, UsageError
from alo.history.deployment import run_in_use
from alo.plan.overrides import for_pipeline
from alo.ui.access.roles import OPERATOR
from alo.ui.arg_fields import arg_fields, as_typed, as_yaml
from alo.ui.ask import Ask
from alo.ui.problems import FieldProblem, UiError, problem_at, refused_value
from alo.ui.refused import or_again
from alo.ui.rendering.page import Page, Redirect
from alo.ui.screens.models import deployed_now
from alo.ui.screens.run_again import check_run, chosen_args, plan_now

YES = (True, "true", "1", "on")


def form(ask: Ask) -> Page:
    """The form; ``dataset`` of the URL is chosen."""
    ask.query.allow("dataset", "against")
    versions = [each.manifest for each in Catalog(ask.studio.workspace).all()]
    references = [each.reference for each in versions]
    chosen = ask.query.one("dataset", references[0] if references else "")
    planned = arg_fields(plan_now(ask), TRAIN)
    fields = as_typed(planned, ask.body) if ask.body else planned
    content = {
        "datasets": references,
        "dataset": chosen,
        "against": ask.query.one("against") or _in_use(ask),
        "fields": [
            {"field": each.name, "type": each.detail.type, "value": each.text} for each in fields
        ],
    }
    shown = {
        "fields": fields,
        "planned": {each.name: each.text for each in planned},
        "named": ask.query.one("against"),
        "key": os.urandom(8).hex(),
        "command": shlex.join(["alo", "retrain", "--dataset", chosen]) if chosen else _MAKE,
    }
    return Page("retrain", "Retrain", content, shown, folder="loop/")


_MAKE = "alo dataset make NAME --review REVIEW"


def start(ask: Ask) -> Page | Redirect:
    """Check what was asked for, and queue it; a form that is refused is shown as it was sent."""
    return or_again(ask, _start, form)


def _start(ask: Ask) -> Redirect:
    deploy, force = _is_set(ask, "deploy"), _is_set(ask, "force")
    overrides = _overrides(ask)
    if (deploy or force) and not ask.who.may(OPERATOR):
        what = "to deploy needs an operator"
        fields = [FieldProblem("deploy", what)]
        raise UiError(403, what, fix="retrain without deploy, or ask one", fields=fields)
    reason = " ".join(ask.text("reason").split())
    if force and not (deploy and reason):
        what = "a model that the gate holds is deployed with deploy and a reason"
        raise refused_value("reason", what)
    version, against = _dataset(ask), ask.text("against").strip()
    if against:
        _check_against(ask, against)
    check_run(ask, TRAIN, tuple(overrides), _metadata(version))
    words = ["retrain", f"--dataset={version.manifest.reference}", "--json"]
    words += [f"--against={against}"] if against else []
    words += [f"--set={text}" for text in overrides]
    words += ["--deploy"] if deploy else []
    words += ["--force", f"--reason={reason}"] if force else []
    job = ask.studio.jobs.add(words, "", ask.who.name, ask.text("key"), is_form=ask.is_form)
    return Redirect(f"/jobs/{job.id}", job.to_json(), json_status=202)


def _is_set(ask: Ask, key: str) -> bool:
    value = ask.body.get(key, False)
    if value in YES:
        return True
    if value in (False, "", "false", "0", None):
        return False
    raise refused_value(key, "it is true or false")


def _dataset(ask: Ask) -> Version:
    name = ask.text("dataset").strip()
    try:
        return Catalog(ask.studio.workspace).find(name)
    except (UsageError, DatasetError) as error:
        raise refused_value(*problem_at("dataset", error)) from error


def _check_against(ask: Ask, run_id: str) -> None:
    from alo.engine.rerun import require_models  # the engine, which no page needs

    try:
        require_models(ask.studio.workspace, run_id)
    except AloError as error:
        raise refused_value("against", error.what) from error


def _overrides(ask: Ask) -> list[str]:
    """What is set otherwise than in the plan: args of ``ui_args``; of an operator, any other."""
    chosen = chosen_args(ask, plan_now(ask), TRAIN)
    if chosen.problems:
        raise UiError(422, "some args cannot be so", fields=chosen.problems)
    found = [
        f"{TRAIN}.{step}.{key}={as_yaml(value)}"
        for step, values in chosen.args.items()
        for key, value in values.items()
    ]
    given = ask.body.get("set", [])
    texts = given.splitlines() if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(each, str) for each in texts):
        raise refused_value("set", "it has to be a list of STEP.ARG=VALUE")
    if texts and not ask.who.may(OPERATOR):
        raise UiError(403, "to set any arg needs an operator", fix="args takes those of ui_args")
    return found + [for_pipeline(each, TRAIN) for each in texts if each]


def _metadata(version: Version) -> str:
    """Solution metadata that names the data set as train data."""
    paths = list(map(str, version.train_paths))
    pipeline: Mapping[str, object] = {"type": TRAIN, "dataset_uri": paths}
    return json.dumps({"pipeline": [pipeline]})


def _in_use(ask: Ask) -> str:
    """The run whose model a candidate is compared with, where none is named."""
    deployment, _ = deployed_now(ask.studio.workspace)
    return run_in_use(ask.studio.workspace, deployment)
