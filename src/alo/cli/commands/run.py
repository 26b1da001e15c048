"""``alo run``: run the pipelines of a project and show how they go."""

from __future__ import annotations

import argparse

from alo.cli.commands.loop import add_redis_arguments
from alo.cli.output.live import watched
from alo.cli.setup_options import add_computing_arguments, add_setup_arguments, setup_of
from alo.cli.values import named, path, processes, seconds, whole
from alo.cli.withheld import ALARM_SECRET, take
from alo.engine.request import (
    LOCAL,
    MODES,
    RunRequest,
    moves_nothing,
    refuse_other_computing,
)
from alo.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_plan_arguments(parser)
    add_setup_arguments(parser)
    parser.add_argument(
        "--no-wait", action="store_true", help="exit at once if another run has the project"
    )
    part = parser.add_mutually_exclusive_group()
    part.add_argument(
        "--resume", action="store_true", help="continue where the last run failed or was killed"
    )
    part.add_argument(
        "--only",
        metavar="STEP",
        type=named,
        help="run this step alone, on stored results",
    )
    part.add_argument(
        "--from",
        metavar="STEP",
        type=named,
        dest="first",
        help="take the steps before this one from stored results",
    )
    parser.add_argument("--until", metavar="STEP", type=named, help="end after this step")
    parser.add_argument(
        "--loop",
        action="store_true",
        help="keep the inference pipeline warm, and serve requests from Redis",
    )
    add_redis_arguments(parser)
    add_worker_arguments(parser)
    add_computing_arguments(parser)
    parser.add_argument(
        "--retries",
        type=whole,
        default=2,
        metavar="N",
        help="tries of a run that an executor has lost (2)",
    )
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--quiet", action="store_true", help="print nothing but errors")
    shown.add_argument("--json", action="store_true", help="print one JSON object for each event")


def add_plan_arguments(parser: argparse.ArgumentParser) -> None:
    """What says which plan runs, and how: the same for a run and for its check."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=path,
        help="another plan than solution/experimental_plan.yaml",
    )
    parser.add_argument(
        "--system",
        metavar="FILE|JSON",
        type=named,
        help="solution metadata, which overrides the plan for this run",
    )
    parser.add_argument(
        "--mode",
        choices=MODES,
        default="all",
        help="which pipelines (default: all that the plan has)",
    )
    parser.add_argument(
        "--set",
        metavar="STEP.ARG=VALUE",
        action="append",
        default=[],
        help="use this value for an arg in this run; train.STEP.ARG=VALUE: in one pipeline only; "
        "may be repeated",
    )


def add_worker_arguments(parser: argparse.ArgumentParser) -> None:
    """How requests are served."""
    parser.add_argument(
        "--workers", type=processes, default=1, metavar="N", help="number of worker processes (1)"
    )
    parser.add_argument(
        "--request-timeout",
        type=seconds,
        metavar="S",
        help="seconds that a request may take (default: no limit)",
    )
    parser.add_argument(
        "--boot-timeout",
        type=seconds,
        default=60.0,
        metavar="S",
        help="seconds in which a worker has to be ready (60)",
    )


def execute(options: argparse.Namespace) -> int:
    from alo.engine.isolation.only_steps import only_steps_run
    from alo.engine.run import GoesElsewhere, run_solution
    from alo.history.entries.seal import seal_after_us

    if options.loop:
        refuse_other_computing(computing=options.computing or LOCAL)
        if options.transfer:
            raise moves_nothing(LOCAL)
        from alo.cli.commands.loop import run_loop

        return run_loop(options, _run_request(options))
    seal_after_us()
    take(ALARM_SECRET)  # of services alone: no asset is to see it
    request = _run_request(options)._replace(
        computing=options.computing or "", transfer=options.transfer or ""
    )
    with only_steps_run(), watched(quiet=options.quiet, as_json=options.json) as listener:
        try:
            if request.computing not in ("", LOCAL):
                raise GoesElsewhere(request.computing)
            run_solution(request, listener)
        except GoesElsewhere as found:
            from alo.executors.whole_run import run_by_executor

            run_by_executor(request, found.computing, options.retries, listener)
    return 0


def _run_request(options: argparse.Namespace) -> RunRequest:
    if options.only and options.until:
        raise UsageError("--only runs one step, so --until does not go with it")
    return request_of(options)._replace(
        wait=not options.no_wait,
        resume=options.resume,
        first=options.only or options.first or "",
        last=options.only or options.until or "",
        setup=setup_of(options),
    )


def request_of(options: argparse.Namespace) -> RunRequest:
    """What the options of ``add_plan_arguments`` ask for."""
    return RunRequest(
        home=options.project,
        config=options.config,
        system=options.system or "",
        mode=options.mode,
        overrides=tuple(options.set),
    )
