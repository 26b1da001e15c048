"""``alo check``: everything that is looked at before a run, and no run."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from alo.cli.commands.run import add_plan_arguments, request_of
from alo.cli.output import console
from alo.engine.checks.preflight import Checked, check_solution
from alo.engine.spec import Job, needs_setup
from alo.errors import CheckError, Problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_plan_arguments(parser)
    parser.add_argument(
        "--online",
        action="store_true",
        help="check git repositories and remote data, models and targets, too",
    )
    parser.add_argument(
        "--json", action="store_true", help="print errors and warnings as a list of JSON objects"
    )


def execute(options: argparse.Namespace) -> int:
    try:
        checked = _check(options)
    except CheckError as error:
        if not options.json:
            raise
        _write_json(errors=error.problems)
        return error.exit_status
    if options.json:
        _write_json(warnings=checked.warnings)
    else:
        console.write("\n".join(_lines(checked)))
    return 0


def _check(options: argparse.Namespace) -> Checked:
    checked = check_solution(request_of(options), online=options.online)
    if not needs_setup(checked.jobs):
        return checked
    from alo.engine.setup import pending_setup

    problems, warnings = pending_setup(checked.jobs, online=options.online)
    if problems:
        raise CheckError(problems)
    return checked._replace(warnings=(*checked.warnings, *warnings))


def _lines(checked: Checked) -> list[str]:
    """What was looked at and found well, then what is only odd."""
    good = [f"plan       {checked.plan.path}"]
    for job in checked.jobs:
        steps = ", ".join(step.name for step in job.pipeline.steps)
        good.append(f"{job.pipeline.kind:9}  {steps}; data: {_data(job)}")
    warnings = [f"{console.style('warning:', 'yellow')} {problem}" for problem in checked.warnings]
    return [*(f"{console.style('ok', 'green')}  {line}" for line in good), *warnings]


def _data(job: Job) -> str:
    if job.inputs.sources is None:
        return "what is in input/ now"
    if job.inputs.lists_late:
        return "what the run before it makes"
    number = len(job.inputs.sources)
    return "1 file" if number == 1 else f"{number} files"


def _write_json(errors: Sequence[Problem] = (), warnings: Sequence[Problem] = ()) -> None:
    found = [{"severity": "error", **problem._asdict()} for problem in errors]
    found += [{"severity": "warning", **problem._asdict()} for problem in warnings]
    console.write_json(found, indent=2)
