"""``alo sweep``: a new one, and ``list``, ``show``, ``resume``, ``stop``, ``apply``, ..."""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from alo.batch.sweep.apply import apply_args
from alo.batch.sweep.definition import Definition
from alo.batch.sweep.plot import plot
from alo.batch.sweep.proposals.shared_database import check_storage
from alo.batch.sweep.sweep import Outcome, is_running, refuse_sharing
from alo.batch.sweep.trials import (
    INTERRUPTED,
    RUNNING,
    SweepFolder,
    Trial,
    best_of,
    names_of_sweeps,
)
from alo.cli.actions.dispatch import Action
from alo.cli.actions.sweep_new import request_of, run_sweep_of
from alo.cli.output import console
from alo.cli.output.sweep_report import SHOWN_TRIALS, outcome_lines, shown_value
from alo.cli.output.written import is_stdout, write_output
from alo.cli.setup_options import add_setup_arguments, setup_of
from alo.cli.sweep_options import add_limits
from alo.cli.values import named, path, run_count
from alo.errors import UsageError
from alo.files import write_whole
from alo.layout import Workspace, find_plan
from alo.plan.load import load_plan
from alo.plan.suggest import did_you_mean
from alo.plan.values import plan_form


def _list(options: argparse.Namespace) -> int:
    workspace = Workspace(options.project)
    found = []
    for name in names_of_sweeps(workspace):
        folder = SweepFolder(workspace, name)
        status, outcome = _state(folder)
        best = outcome.best[0] if outcome.best else None
        found.append((outcome.definition, outcome.counts, best, status))
    if options.json:
        console.write_json(
            [
                {
                    "name": definition.name,
                    "status": status,
                    "created": definition.created,
                    "counts": counts,
                    "best": best.to_json() if best else None,
                }
                for definition, counts, best, status in found
            ]
        )
        return 0
    rows = [
        (
            definition.name,
            status,
            definition.created[:19].replace("T", " "),
            f"{sum(counts.values()):,}",
            definition.metrics[0].name,
            shown_value(best.results.get(definition.metrics[0].name)) if best else "",
        )
        for definition, counts, best, status in found
    ]
    headers = ("name", "status", "created (UTC)", "trials", "metric", "best")
    empty = "no sweeps yet: alo sweep --param STEP.KEY=LOW..HIGH"
    console.write(console.table(headers, rows, right=(3, 5)) if rows else empty)
    return 0


def _state(folder: SweepFolder) -> tuple[str, Outcome]:
    """The status of a sweep, and what it has come to; without its process no trial runs."""
    runs, trials = is_running(folder), folder.trials()
    if not runs:
        trials = {
            number: replace(each, state=INTERRUPTED) if each.state == RUNNING else each
            for number, each in trials.items()
        }
    outcome = Outcome(folder.definition(), trials)
    return "running" if runs else "ended" if outcome.is_whole else "stopped", outcome


def _folder(options: argparse.Namespace) -> SweepFolder:
    workspace = Workspace(options.project)
    folder = SweepFolder(workspace, options.name)
    if not folder.exists:
        known = names_of_sweeps(workspace)
        raise UsageError(
            f"there is no sweep '{options.name}'; {did_you_mean(options.name, known)}",
            fix="alo sweep list names them",
        )
    return folder


def _show(options: argparse.Namespace) -> int:
    folder = _folder(options)
    status, outcome = _state(folder)
    definition, trials = outcome.definition, outcome.trials
    if options.json:
        content = definition.to_json()
        console.write_json(
            {
                "name": definition.name,
                "status": status,
                "metric": content["metric"],
                "sampler": definition.sampler,
                "seed": definition.seed,
                "params": content["params"],
                "counts": outcome.counts,
                "best": [each.to_json() for each in outcome.best[:SHOWN_TRIALS]],
                "trials": [trials[number].to_json() for number in sorted(trials)],
            }
        )
        return 0
    console.write(f"{status}; sampler {definition.sampler}, seed {definition.seed}")
    console.write("\n".join(outcome_lines(outcome, Workspace(options.project))))
    failed = [each for each in trials.values() if each.error]
    for each in failed[-3:]:
        console.write(f"trial {each.number} {each.state}: {each.error}")
    return 0


def _add_resume(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    add_limits(parser)
    add_setup_arguments(parser)
    parser.add_argument(
        "--anyway", action="store_true", help="also if data or code has changed since it began"
    )


def _resume(options: argparse.Namespace) -> int:
    workspace, folder = Workspace(options.project), _folder(options)
    definition = folder.definition()
    if options.trials is not None:
        definition = replace(definition, trials=options.trials)
    if options.storage:
        check_storage(options.storage)
        refuse_sharing(folder)
    options.system = definition.system
    options.config = Path(definition.config) if definition.config else None
    request = request_of(options, definition.mode, definition.overrides, setup_of(options))
    return run_sweep_of(workspace, definition, request, options)


def _stop(options: argparse.Namespace) -> int:
    folder = _folder(options)
    if not is_running(folder):
        console.write(f"sweep {folder.name} does not run")
        return 0
    folder.ask_to_stop()
    console.write(f"sweep {folder.name} stops once the trials that run have ended")
    return 0


def _add_apply(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    parser.add_argument("--trial", type=run_count, metavar="N", help="this trial (the best)")
    parser.add_argument("--dry-run", action="store_true", help="show what would change")


def _apply(options: argparse.Namespace) -> int:
    workspace, folder = Workspace(options.project), _folder(options)
    definition, trials = folder.definition(), folder.trials()
    trial = _chosen(definition, trials, options.trial)
    plan = load_plan(find_plan(workspace.home), home=workspace.home)
    changed = apply_args(plan, definition.params, trial.values)
    if not options.dry_run:
        write_whole(plan.path, changed.text)
    if options.json:
        console.write_json({"trial": trial.number, "changes": list(changed.changes)})
        return 0
    verb = "would change" if options.dry_run else "changed"
    console.write(f"trial {trial.number}: {verb} {plan.file}")
    for line in changed.changes or ["nothing: the plan has these values"]:
        console.write(f"  {line}")
    return 0


def _chosen(definition: Definition, trials: Mapping[int, Trial], number: int | None) -> Trial:
    if number is not None:
        if number not in trials:
            raise UsageError(
                f"sweep '{definition.name}' has no trial {number}",
                fix=f"alo sweep show {definition.name} lists them",
            )
        return trials[number]
    best = best_of(trials.values(), definition.metrics)
    if not best:
        raise UsageError(
            f"sweep '{definition.name}' has no complete trial",
            fix=f"alo sweep show {definition.name} says what became of them",
        )
    if len(definition.metrics) > 1 and len(best) > 1:
        numbers = ", ".join(str(each.number) for each in best)
        raise UsageError(
            f"no trial is best in both metrics: {numbers} are each best in their way",
            fix=f"choose one: alo sweep apply {definition.name} --trial {best[0].number}",
        )
    return best[0]


def _add_plot(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    parser.add_argument(
        "--out", metavar="DIR", type=path, required=True, help="folder for the pictures"
    )


def _plot(options: argparse.Namespace) -> int:
    folder = _folder(options)
    written = plot(folder.definition(), folder.trials(), options.out)
    if options.json:
        console.write_json([str(each) for each in written])
    else:
        for each in written:
            console.write(f"written {each}")
    return 0


def _add_export(parser: argparse.ArgumentParser) -> None:
    _add_name(parser)
    parser.add_argument(
        "--csv", metavar="FILE", type=path, required=True, help="the table; -: standard output"
    )


def _export(options: argparse.Namespace) -> int:
    _, outcome = _state(_folder(options))
    definition, trials = outcome.definition, outcome.trials
    metrics = [metric.name for metric in definition.metrics]
    params = [param.name for param in definition.params]
    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow(["trial", "state", *metrics, *params, "seconds", "run", "error"])
    for number in sorted(trials):
        trial = trials[number]
        table.writerow(
            [
                number,
                trial.state,
                *[trial.results.get(name, "") for name in metrics],
                *[_cell(trial.values.get(name)) for name in params],
                trial.seconds,
                trial.run_id,
                trial.error,
            ]
        )
    if is_stdout(options.csv):
        console.write(out.getvalue().removesuffix("\r\n"))
        return 0
    write_output(options.csv, out.getvalue().encode("utf-8", "surrogatepass"))
    if options.json:
        console.write_json({"file": str(options.csv), "trials": len(trials)})
    else:
        console.write(f"written {len(trials):,} trials to {options.csv}")
    return 0


def _cell(value: object) -> object:
    """A value as the plan writes it, with all of its digits."""
    return value if isinstance(value, str) else "" if value is None else plan_form(value)


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", type=named, help="of the sweep")


def _add_nothing(parser: argparse.ArgumentParser) -> None:
    """It takes nothing."""


ACTIONS = {
    "list": Action("List the sweeps.", _add_nothing, _list),
    "show": Action("Show a sweep and its best trials.", _add_name, _show),
    "resume": Action("Resume a sweep, with its own args.", _add_resume, _resume),
    "stop": Action("Have a sweep stop once its trials have ended.", _add_name, _stop),
    "apply": Action("Write the best values into the plan.", _add_apply, _apply),
    "plot": Action("Draw history, parallel coordinates and importance.", _add_plot, _plot),
    "export": Action("Write a table of all trials.", _add_export, _export),
}
