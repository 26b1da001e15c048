"""``POST /deploy``: deploy a model, go back to the one before, or let one run in the shadow."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from alo.errors import AloError, HistoryError, RetrainError, UsageError
from alo.ui.ask import Ask
from alo.ui.problems import FieldProblem, UiError
from alo.ui.refused import or_again
from alo.ui.rendering.page import Page, Redirect
from alo.ui.screens import models
from alo.ui.screens.loop import candidate


def deploy(ask: Ask) -> Page | Redirect:
    """Deploy a run, roll back, or set the shadow: exactly one of them."""
    if not ask.is_form:
        return _deploy(ask)
    if "reason" not in ask.body:
        return or_again(ask, _deploy, models.show, ask.page_at("/models"))
    run_id = ask.text("run")
    at = ask.page_at(f"/models/{quote(run_id, safe='')}")
    return or_again(
        ask, _deploy, lambda ask: candidate.show(replace(ask, names={"run": run_id})), at
    )


def _deploy(ask: Ask) -> Redirect:
    # What checks a model imports the engine, which no page needs.
    from alo.serve.rollout.choose import deploy_model, noted, roll_back, set_shadow

    given = {key: ask.body[key] for key in ("run", "rollback", "shadow") if key in ask.body}
    if len(given) != 1:
        raise UiError(422, "name exactly one of run, rollback and shadow")
    workspace, who = ask.studio.workspace, ask.who.name
    reason = " ".join(ask.text("reason").split())
    if reason and "run" not in given:
        raise UiError(422, "a reason is of a model that the gate holds: name its run")
    note = ask.studio.audit.add
    ((key, value),) = given.items()
    try:
        match key, value:
            case "run", str() if value:
                run_id = _whole_id(ask, value)
                after = deploy_model(
                    workspace,
                    run_id,
                    who,
                    force_reason=reason,
                    note=noted(note, who, "deploy", reason),
                )
            case "rollback", True | "true" | "1":
                after = roll_back(workspace, who, ask.text("seen"), noted(note, who, "rollback"))
            case "shadow", None | "":
                after = set_shadow(workspace, "", noted(note, who, "shadow"))
            case "shadow", str():
                shadow = _whole_id(ask, value)
                after = set_shadow(workspace, shadow, noted(note, who, "shadow"))
            case _:
                what = f"{value!r} is no value of {key}"
                raise UiError(422, what, fields=[FieldProblem(key, what)])
    except (HistoryError, RetrainError, UsageError) as error:
        raise UiError(409, error.what, where=error.where, fix=error.fix) from error
    return Redirect("/models", after.in_short())


def _whole_id(ask: Ask, run_id: str) -> str:
    try:
        return ask.studio.history.look_up(run_id).id
    except AloError as error:
        raise UiError(404, error.what, fix="/models lists what can be deployed") from error
