"""Choosing what services use: deploy a model, roll back, set the shadow (spec 9).

What is named is looked up first: nothing is chosen that services could not use. Running services
follow by themselves (``follow.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from alo.database.audit import Note
from alo.engine.rerun import require_models
from alo.errors import HistoryError, RetrainError, UsageError
from alo.gate.compared import comparison_of, in_short
from alo.history.deployment import CURRENT, Changed, Deployment, change_deployment, run_in_use
from alo.history.entries.names import entry_folder
from alo.history.models_origin import NAMELESS, current_train_id
from alo.history.promotions import note_promotion
from alo.layout import Workspace
from alo.serve.rollout.status import live_services


def deploy_model(
    workspace: Workspace,
    run_id: str,
    who: str,
    *,
    why: str = "deploy",
    force_reason: str = "",
    note: Changed | None = None,
) -> Deployment:
    """Have services use the model of a train run.

    Args:
        run_id: or its beginning; empty: the run that made the current model. A run that is named
            also replaces a choice whose file is damaged.
        who: has chosen, as ``alo deploy --status`` shows it.
        why: it was chosen, for `alo models log`.
        force_reason: why it is chosen although the gate holds it; empty: then it is not.
        note: receives what was deployed and what is to be, just before it is; where it fails,
            nothing is deployed.
    Raises:
        RetrainError: the gate holds it.
        HistoryError: the run is not there, or has no models that can be used.
        UsageError: none is named, and it is not known which run made the current model.
    """
    target = require_models(workspace, run_id or _current(workspace))
    compared = comparison_of(entry_folder(workspace, "train", target))
    if compared is not None and compared.is_held:
        if not force_reason:
            raise RetrainError(
                f"the gate holds the model of {target}: {', '.join(compared.judged.reasons)}",
                fix=f"alo deploy {target} --force --reason TEXT deploys it all the same",
            )
        why = f"forced: {force_reason}"
    short = in_short(compared) if compared else None

    def chosen(now: Deployment) -> Deployment:
        if target == now.run and not now.has_failed(target):
            return now
        return now.choose(target, who, _used(now, workspace), why, short)

    return _change(workspace, chosen, note, replaces_damaged=bool(run_id))


def roll_back(
    workspace: Workspace, who: str, seen: str = "", note: Changed | None = None
) -> Deployment:
    """Have services use again what they used before the last choice.

    Args:
        seen: what they used before, as far as whoever asks knows; empty: whatever it was.
        note: as of ``deploy_model``.
    Raises:
        UsageError: there is nothing to go back to, or another choice was made meanwhile.
        HistoryError: the models of that run are not in history any more.
    """
    return _change(workspace, lambda now: _rolled_back(now, who, workspace, seen), note)


def set_shadow(workspace: Workspace, run_id: str, note: Changed | None = None) -> Deployment:
    """Have services run this model on the same requests, without answering.

    Args:
        run_id: empty: none.
        note: as of ``deploy_model``.
    Raises:
        HistoryError: the run is not there, or has no models that can be used.
    """
    shadow = require_models(workspace, run_id) if run_id else ""
    return _change(workspace, lambda now: now._replace(shadow=shadow), note)


def noted(note: Note, who: str, act: str, reason: str = "") -> Changed:
    """What adds a line to the audit for a change of what is deployed.

    Args:
        act: deploy, rollback or shadow.
        reason: why a model is deployed that the gate holds.
    """

    def add(before: Deployment, after: Deployment) -> None:
        target = after.shadow if act == "shadow" else after.run
        said = {"reason": reason} if reason else {}
        note(who, act, target, before.in_short(), {**after.in_short(), **said})

    return add


def _change(
    workspace: Workspace,
    change: Callable[[Deployment], Deployment],
    note: Changed | None,
    *,
    replaces_damaged: bool = False,
) -> Deployment:
    """Change what is deployed, with a line in the log of promotions, and where else it is noted."""

    def first(before: Deployment, after: Deployment) -> None:
        note_promotion(workspace, before)  # where a kill, or a full disk, has left it out
        if note is not None:
            note(before, after)

    def then(_: Deployment, after: Deployment) -> None:
        with suppress(OSError):  # it is deployed; the next change comes after its line
            note_promotion(workspace, after)

    return change_deployment(
        workspace, change, replaces_damaged=replaces_damaged, first=first, then=then
    )


def _rolled_back(now: Deployment, who: str, workspace: Workspace, seen: str) -> Deployment:
    if seen and seen != now.before:
        raise UsageError(
            f"something else was deployed meanwhile; the model before is {now.before or 'none'}",
            fix="see what is deployed now, and choose again",
        )
    if not now.before or now.before == now.run:
        raise UsageError(
            "there is nothing to go back to: no other model was deployed before",
            fix="alo deploy RUN_ID chooses one; alo history lists them",
        )
    run_id = "" if now.before == CURRENT else require_models(workspace, now.before)
    return now.choose(run_id, who, _used(now, workspace), "rollback")


def _used(now: Deployment, workspace: Workspace) -> str:
    """The run whose model services use; or would, if one were started now."""
    used = [use.run for use in live_services(workspace, now).values()]
    run_id = used[0] if used else run_in_use(workspace, now)
    with suppress(HistoryError, UsageError):
        return require_models(workspace, run_id)
    return CURRENT


def _current(workspace: Workspace) -> str:
    run_id = current_train_id(workspace)
    if run_id in NAMELESS:
        raise UsageError(
            "it is not known which train run made the current model",
            fix="name one: alo deploy RUN_ID; alo history lists them",
        )
    return run_id
