"""``alo sweep`` with what is to be tried: checked as a whole, then run."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from alo.batch.sweep.begin import PlannedSweep, SweepRequest, definition_of, fixed_args
from alo.batch.sweep.definition import Definition
from alo.batch.sweep.drive import Reports
from alo.batch.sweep.keep import parse_keep
from alo.batch.sweep.limits import Limits
from alo.batch.sweep.proposals.samplers import check_sampler
from alo.batch.sweep.proposals.shared_database import check_storage, without_password
from alo.batch.sweep.sweep import SweepOptions, check_free, run_sweep
from alo.batch.sweep.trials import SweepFolder, names_of_sweeps
from alo.cli.output import console
from alo.cli.output.sweep_live import sweep_display
from alo.cli.output.sweep_report import outcome_lines
from alo.engine.checks.preflight import check_solution
from alo.engine.request import RunRequest, Setup
from alo.engine.run import ready
from alo.errors import CheckError, Problem, UsageError
from alo.executors.finding import check_executor, with_executor
from alo.history.ids import utc_text
from alo.layout import Workspace, find_plan
from alo.plan.load import load_plan
from alo.texts import check_plain_name


def run_new(options: argparse.Namespace, name: str, setup: Setup) -> int:
    """Begin a sweep, and run it to its end; returns the exit status."""
    workspace = Workspace(options.project)
    if name:
        check_plain_name(name, "sweep")
    elif options.storage:
        raise UsageError("--storage needs the sweep's name", fix="alo sweep NAME --storage URL")
    request = request_of(options, options.mode, options.set, setup)
    begun: list[PlannedSweep] = []

    def begin() -> None:
        found = _begun(workspace, options, name or _free_name(workspace), request)
        storage = without_password(options.storage or "")
        definition = replace(found.definition, storage=storage)
        begun.append(PlannedSweep(definition, found.notes))
        if name:
            check_free(SweepFolder(workspace, name), definition)

    _check_all(
        begin,
        lambda: parse_keep(options.keep),
        lambda: check_sampler(options.sampler or ""),
        lambda: check_storage(options.storage) if options.storage else None,
        lambda: check_executor(options.computing or "", workspace.home),
    )
    for note in begun[0].notes:
        console.write_error(f"note: {note}")
    return run_sweep_of(workspace, begun[0].definition, request, options)


def _check_all(*checks: Callable[[], object]) -> None:
    """Make all of these checks, so that everything that is wrong is mended in one go.

    Raises:
        UsageError, CheckError: what they have found.
    """
    found: list[CheckError | UsageError] = []
    for check in checks:
        try:
            check()
        except (CheckError, UsageError) as error:
            found.append(error)
    if len(found) == 1:
        raise found[0]
    if found:
        raise CheckError([problem for error in found for problem in _problems_of(error)])


def _problems_of(error: CheckError | UsageError) -> Sequence[Problem]:
    if isinstance(error, CheckError):
        return error.problems
    return [Problem("; ".join(part for part in (error.what, error.where, error.fix) if part))]


def _begun(
    workspace: Workspace, options: argparse.Namespace, name: str, request: RunRequest
) -> PlannedSweep:
    checked = check_solution(request)
    plan = checked.plan
    untouched = load_plan(plan.path or find_plan(workspace.home), home=workspace.home)
    asked = SweepRequest(
        name=name,
        params=options.param,
        from_ui=options.from_ui,
        trials=options.trials,
        sampler=options.sampler or "",
        seed=options.seed,
        metrics=options.metric,
        mode=options.mode,
        repeats=options.repeats,
        seed_arg=options.seed_arg or "",
        pruner=options.pruner,
        overrides=options.set,
        system=_kept_place(options.system or ""),
        config=os.path.abspath(options.config) if options.config else "",
    )
    fixed = fixed_args(untouched, plan, options.set)
    return definition_of(asked, plan, fixed, name, utc_text(time.time()))


def _kept_place(system: str) -> str:
    """Solution metadata as a later command in another folder finds it."""
    is_text = not system or system.lstrip().startswith(("{", "["))
    return system if is_text else os.path.abspath(system)


def run_sweep_of(
    workspace: Workspace,
    definition: Definition,
    request: RunRequest,
    options: argparse.Namespace,
) -> int:
    """Run a sweep to its end, or on to it; returns the exit status."""
    limits = Limits(
        trials=definition.trials,
        jobs=options.jobs,
        trial_timeout_s=options.trial_timeout,
        timeout_s=options.timeout,
        max_failures=options.max_failures,
        retries=options.retries,
    )
    with sweep_display(definition, definition.trials, as_json=options.json) as display:
        request, transfer = with_executor(request, options.computing, options.transfer)
        jobs = {job.pipeline.kind: job for job in ready(request, display.of_setup)}
        sweep_options = SweepOptions(
            limits=limits,
            computing=request.computing,
            transfer=transfer,
            keep=options.keep,
            anyway=getattr(options, "anyway", False),
            storage=options.storage or "",
        )
        reports = Reports(display.started, display.ended, display.progressed, display.warned)
        outcome = run_sweep(workspace, definition, jobs, sweep_options, reports, display.watch)
        display.finished(outcome)
        if not options.json:
            console.write("\n".join(outcome_lines(outcome, workspace)))
        if outcome.problem is not None:
            raise outcome.problem
    return outcome.exit_status


def request_of(
    options: argparse.Namespace, mode: str, overrides: Sequence[str], setup: Setup
) -> RunRequest:
    """What each trial is a run of."""
    return RunRequest(
        home=options.project,
        config=options.config,
        system=options.system or "",
        mode=mode,
        overrides=tuple(overrides),
        setup=setup,
    )


def _free_name(workspace: Workspace) -> str:
    known = set(names_of_sweeps(workspace))
    number = next(each for each in range(1, len(known) + 2) if f"sweep-{each}" not in known)
    return f"sweep-{number}"
