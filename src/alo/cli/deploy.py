"""``alo deploy``: choose the train run whose model services use."""

from __future__ import annotations

import argparse
import json

from alo.cli import console
from alo.cli.values import named
from alo.engine.preflight import find_workspace
from alo.engine.rerun import require_models
from alo.errors import HistoryError, UsageError
from alo.history.deployment import Deployment, read_deployment, write_deployment
from alo.history.models_origin import EXTERNAL_MODEL, NO_TRAIN_RUN, current_train_id
from alo.layout import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "run_id",
        nargs="?",
        metavar="RUN_ID",
        help="the train run (default: the one that made the current model)",
    )
    what.add_argument("--rollback", action="store_true", help="take the one before again")
    what.add_argument(
        "--shadow",
        metavar="RUN_ID",
        type=named,
        help="have this one see the same requests, without answering; off: none",
    )
    what.add_argument("--status", action="store_true", help="show what is deployed")
    parser.add_argument("--json", action="store_true", help="print what is deployed as JSON")


def execute(options: argparse.Namespace) -> int:
    workspace = find_workspace(options.project)
    if not options.status:
        write_deployment(workspace, _chosen(options, workspace))
    _show(workspace, options.json)
    return 0


def _chosen(options: argparse.Namespace, workspace: Workspace) -> Deployment:
    now = _read_or_nothing(workspace) if options.run_id else read_deployment(workspace)
    if options.rollback:
        if not now.previous:
            raise UsageError(
                "there is nothing to go back to: no other model was deployed before",
                fix="alo deploy RUN_ID chooses one; alo history --pipeline train lists them",
            )
        return now._replace(run=now.previous, previous=now.run)
    if options.shadow:
        is_off = options.shadow == "off"
        return now._replace(shadow="" if is_off else require_models(workspace, options.shadow))
    run_id = require_models(workspace, options.run_id or _current(workspace))
    return now if run_id == now.run else now._replace(run=run_id, previous=now.run)


def _read_or_nothing(workspace: Workspace) -> Deployment:
    """A damaged file is written anew by a choice."""
    try:
        return read_deployment(workspace)
    except HistoryError:
        return Deployment()


def _current(workspace: Workspace) -> str:
    run_id = current_train_id(workspace)
    if run_id in (NO_TRAIN_RUN, EXTERNAL_MODEL):
        raise UsageError(
            "it is not known which train run made the current model",
            fix="name one: alo deploy RUN_ID; alo history lists them",
        )
    return run_id


def _show(workspace: Workspace, as_json: bool) -> None:
    from alo.serve.shadows import compared

    deployed, shadow = read_deployment(workspace), compared(workspace)
    if as_json:
        content = {**deployed._asdict(), "compared": shadow._asdict() if shadow else None}
        console.write(json.dumps(content))
        return
    lines = [
        f"deployed  {deployed.run or 'the current model of the workspace'}",
        f"before    {deployed.previous or '-'}",
        f"shadow    {deployed.shadow or '-'}",
    ]
    if shadow and deployed.shadow:
        lines.append(
            f"          {shadow.requests} requests, {shadow.same_results} with the same result; "
            f"mean score {shadow.mean_score:.3f}, of the shadow {shadow.mean_shadow_score:.3f}"
        )
    console.write("\n".join(lines))
