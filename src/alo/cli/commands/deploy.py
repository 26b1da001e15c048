"""``alo deploy``: choose the train run whose model services use."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from alo.cli.audited import audited
from alo.cli.output import console
from alo.cli.person import person
from alo.cli.values import named, seconds
from alo.engine.checks.preflight import find_workspace
from alo.errors import ServeError, UsageError
from alo.history.deployment import CURRENT, UNCHECKED, Deployment, read_deployment
from alo.layout import Workspace
from alo.serve.rollout.choose import deploy_model, noted, roll_back, set_shadow
from alo.serve.rollout.status import REFUSED, live_services, wait_for_services
from alo.texts import counted

if TYPE_CHECKING:
    from alo.serve.rollout.status import Outcome

WAIT_S = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "run_id",
        nargs="?",
        type=named,
        metavar="RUN_ID",
        help="the train run (default: the one that made the current model)",
    )
    what.add_argument(
        "--rollback", action="store_true", help="go back to the model that was deployed before"
    )
    what.add_argument(
        "--shadow",
        metavar="RUN_ID",
        type=named,
        help="run this model on the same requests, without answering; off: none",
    )
    what.add_argument("--status", action="store_true", help="show what is deployed")
    parser.add_argument(
        "--force",
        action="store_true",
        help="with --reason: also a model that the gate of alo retrain holds",
    )
    parser.add_argument("--reason", metavar="TEXT", type=named, help="why it is forced")
    parser.add_argument(
        "--wait",
        metavar="SECONDS",
        nargs="?",
        type=seconds,
        const=WAIT_S,
        help=f"wait until the running services have switched ({WAIT_S:.0f} s); exits with 0: they "
        "have, 1: the model was refused, 3: not in time, or no service runs",
    )
    parser.add_argument("--json", action="store_true", help="print what is deployed as JSON")


def execute(options: argparse.Namespace) -> int:
    workspace = find_workspace(options.project)
    if not options.status:
        _change(options, workspace)
    outcome = wait_for_services(workspace, options.wait) if options.wait else None
    _show(workspace, outcome, options.json)
    if outcome is None or options.json:
        return outcome.exit_status if outcome else 0
    if outcome.state == REFUSED:
        raise ServeError(
            f"the model was refused: {outcome.reason}",
            fix="services continue with the one before; alo deploy RUN_ID tries a model again",
        )
    if outcome.reason:
        console.write_error(outcome.reason)
    return outcome.exit_status


def _change(options: argparse.Namespace, workspace: Workspace) -> None:
    if options.force != bool(options.reason):
        raise UsageError("--force and --reason TEXT go together")
    if options.force and (options.rollback or options.shadow):
        raise UsageError("--force deploys a model that the gate holds, and does nothing else")
    who, reason = person(), options.reason or ""
    with audited(workspace) as note:
        if options.rollback:
            roll_back(workspace, who, note=noted(note, who, "rollback"))
        elif options.shadow:
            shadow = "" if options.shadow == "off" else options.shadow
            set_shadow(workspace, shadow, noted(note, who, "shadow"))
        else:
            deploy_model(
                workspace,
                options.run_id or "",
                who,
                force_reason=reason,
                note=noted(note, who, "deploy", reason),
            )


def _show(workspace: Workspace, outcome: Outcome | None, as_json: bool) -> None:
    from alo.cli.output import alarms
    from alo.serve.rollout.shadow import compared

    deployed, shadow = read_deployment(workspace), compared(workspace)
    services, raised = live_services(workspace, deployed), alarms.raised_now(workspace)
    if as_json:
        content = {
            "run": deployed.run,
            "previous": deployed.before,
            "shadow": deployed.shadow,
            "who": deployed.who,
            "when": deployed.when,
            "in_use": deployed.in_use,
            "checks": {run: check._asdict() for run, check in deployed.checks.items()},
            "services": {name: use._asdict() for name, use in services.items()},
            "alarms": alarms.as_json(raised),
            "compared": shadow._asdict() if shadow else None,
            "wait": outcome._asdict() if outcome else None,
        }
        console.write_json(content)
        return
    lines = [f"deployed  {_name(deployed.run)}{_by(deployed)}"]
    if deployed.run:
        lines.append(f"check     {_check(deployed)}")
    lines += [f"in use    {use.run}, by {name} since {use.since}" for name, use in services.items()]
    lines += [f"before    {_name(deployed.before) if deployed.before else '-'}"]
    lines += [f"shadow    {deployed.shadow or '-'}"]
    if shadow and deployed.shadow:
        lines.append(
            f"          {counted(shadow.requests, 'request')}, {shadow.same_results} with the same"
            " result; "
            f"mean score {shadow.mean_score:.3f}, of the shadow {shadow.mean_shadow_score:.3f}"
        )
    lines += [f"alarm     {alarms.as_line(each)}" for each in raised or ()]
    console.write("\n".join(lines))


def _name(run_id: str) -> str:
    return "the current model of the workspace" if run_id in ("", CURRENT) else run_id


def _by(deployed: Deployment) -> str:
    return f", chosen by {deployed.who}, {deployed.when}" if deployed.when else ""


def _check(deployed: Deployment) -> str:
    check = deployed.check_of(deployed.run)
    if check.verdict == UNCHECKED:
        return "not yet"
    return " ".join(filter(None, (check.verdict, check.when, check.reason)))
