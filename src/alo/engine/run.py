"""The life of ``alo run``: check, take the workspace, run each pipeline, give it back."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from signal import Signals
from typing import TypeVar

from alo.engine.checks.preflight import Checked, check_solution
from alo.engine.faults import disk_errors
from alo.engine.isolation.only_steps import while_only_steps_run
from alo.engine.pipeline_run import PipelineRun, begin
from alo.engine.request import LOCAL, RunOutcome, RunRequest, Setup, moves_nothing
from alo.engine.spec import Job, needs_setup
from alo.engine.workspace.lock import hold_workspace
from alo.engine.workspace.recovery import recover
from alo.errors import Interrupted
from alo.events.envelope import Envelope, envelope_listener
from alo.events.log_lines import warning
from alo.events.types import Event, Listener
from alo.layout import Workspace
from alo.plan.yaml_nodes.cache import keep_nodes
from alo.processes.inherited import default_sigchld
from alo.processes.signals import SignalGuard, Signalled
from alo.sources.git.repositories import changing_steps

T = TypeVar("T")


def run_solution(
    request: RunRequest, listener: Listener, check: Callable[[], Checked] | None = None
) -> tuple[RunOutcome, ...]:
    """Run the pipelines that were asked for, one after the other; the first failure ends it.

    Args:
        check: gives what is ready to run; without it, what ``check_solution`` finds to be.
    Raises:
        AloError: of the class that says what went wrong; the workspace is as it was before then.
        GoesElsewhere: the request leaves that to the plan, which names an executor.
    """
    workspace, setup = Workspace(request.home), request.setup
    check = check or partial(check_solution, request, skips_known=True)
    listener = OneAtATime(listener)
    guard = SignalGuard()
    outcomes: list[RunOutcome] = []
    jobs: Sequence[Job] = ()
    try:
        with default_sigchld(), guard.installed():
            checked = check()
            if request.computing != LOCAL and checked.plan.control.computing != LOCAL:
                raise GoesElsewhere(checked.plan.control.computing)
            if request.transfer:
                raise moves_nothing(LOCAL)
            for problem in () if _continues() else checked.warnings:
                listener(warning(str(problem)))
            what = " and ".join(job.pipeline.name for job in checked.jobs)
            with hold_workspace(workspace, wait=request.wait, listener=listener, what=what) as late:
                if late:  # the world may be another one by now
                    checked = check()
                recover(workspace, listener)
                with suppress(OSError):  # which the next command is faster with
                    keep_nodes(checked.plan.text, workspace.plan_nodes)
                jobs = prepared(_chosen(request, checked.jobs), setup, listener)
                if checked.inspected is not None:  # and this continues in no other environment
                    with suppress(OSError):
                        checked.inspected.keep()
                if not jobs:
                    listener(warning("there is nothing to resume: the last run has succeeded"))
                is_changing = bool(changing_steps([job.pipeline for job in jobs]))
                if while_only_steps_run():
                    gc.freeze()  # the plan stays until the end, and is not looked through again
                for number, job in enumerate(jobs):
                    if number and is_changing:  # each on its own code, where they share a folder
                        _fetch_code(job, setup, listener)
                    run_job(job, guard, listener, outcomes)
    except Signalled as signal:
        if not outcomes or len(outcomes) < len(jobs):
            raise _interrupted(signal, outcomes) from None
    if guard.received is not None:
        name = Signals(guard.received).name
        listener(warning(f"{name} came when all had succeeded, and has changed nothing"))
    return tuple(outcomes)


def ready(
    request: RunRequest, listener: Listener, check: Callable[[], Checked] | None = None
) -> Sequence[Job]:
    """What a request would run, checked and with its code and packages in place.

    Args:
        check: gives what is ready to run; without it, what ``check_solution`` finds to be.
    Raises:
        CheckError: with every problem that was found.
        ContinueIn: the command has to continue in an environment of the project.
    """
    checked = check() if check else check_solution(request)
    for problem in () if _continues() else checked.warnings:
        listener(warning(str(problem)))
    return prepared(checked.jobs, request.setup, listener)


def _chosen(request: RunRequest, jobs: Sequence[Job]) -> Sequence[Job]:
    """Which of the jobs, and which part of them; reported once the workspace is in order."""
    if not (request.resume or request.first or request.last):
        return jobs
    from alo.engine.selection import choose_jobs

    return choose_jobs(request, jobs)


def prepared(jobs: Sequence[Job], setup: Setup, listener: Listener) -> Sequence[Job]:
    """The jobs with their code and packages in place; the lock of the workspace is the caller's.

    Raises:
        ContinueIn: the command has to continue in an environment of the project.
    """
    if not (jobs and needs_setup(jobs)):
        return jobs
    from alo.engine.setup import set_up

    return set_up(jobs, setup, listener)


def _fetch_code(job: Job, setup: Setup, listener: Listener) -> None:
    from alo.engine.setup import fetch_code

    fetch_code([job], setup, listener)


def _continues() -> bool:
    """Whether this is the rest of a run that began in another environment, and has reported all."""
    environment = os.environ.get("ALO_ENVIRONMENT")
    return bool(environment) and sys.prefix.endswith(str(environment))


def _interrupted(signal: Signalled, outcomes: Sequence[RunOutcome]) -> Interrupted:
    """The error for a caller who knows nothing of signals, where no run was in progress."""
    ended = [f"the {each.pipeline} run {each.run_id} has succeeded" for each in outcomes]
    what = ", ".join([*ended, "the next one has not begun"]) if ended else "no run had begun"
    return Interrupted(f"interrupted by {signal}: {what}", signal_number=signal.number)


def _run_interrupted(signal: Signalled, run: PipelineRun) -> Interrupted:
    back = "are back" if run.is_undone else "come back when the next run starts"
    return Interrupted(
        f"the run was interrupted by {signal}; the previous artifacts {back}",
        signal_number=signal.number,
    )


def run_job(
    job: Job,
    guard: SignalGuard,
    listener: Listener,
    outcomes: list[RunOutcome],
    work: Callable[[PipelineRun], object] | None = None,
) -> None:
    """Run one pipeline, in a workspace that the caller has alone.

    Args:
        guard: installed.
        outcomes: of each that has succeeded, also if the next one does not.
        work: in place of loading, running the steps here, and saving.
    Raises:
        AloError, KeyboardInterrupt: why it has not succeeded; the workspace is as it was before.
    """
    guard.raise_if_received()  # at the end of the run before, where it had to wait
    recover(job.workspace, listener)  # what the run before could not clean up
    with guard.held():  # so that no signal comes between the run and what is to be done about it
        run = begin(job, guard, listener)
        try:
            with guard.released():
                if work is not None:
                    work(run)
                else:
                    run.load()
                    with disk_errors("the run cannot continue"):
                        for number, step in enumerate(run.steps):
                            run.session.run_step(step, number)
                    run.save()
        except KeyboardInterrupt as error:
            if run.outcome is None:
                run.fail(error)
                if isinstance(error, Signalled):
                    raise _run_interrupted(error, run) from None
                raise
        except BaseException as error:
            run.fail(error)
            raise
        if run.outcome is not None:  # nothing can fail it any more
            outcomes.append(run.outcome)


class GoesElsewhere(Exception):  # noqa: N818
    """The plan names an executor for its runs."""

    def __init__(self, computing: str) -> None:
        super().__init__(f"the run goes to {computing}")
        self.computing = computing


class OneAtATime:
    """A listener in front of another: threads of an asset may print too.

    One that fails is not asked again: whoever closes the terminal that a run writes to must not
    end the run.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener, self._of_run = listener, envelope_listener(listener)
        self._lock = threading.RLock()
        self._has_failed = False

    def __call__(self, event: Event) -> None:
        self._send(self._listener, event)

    def of_run(self, envelope: Envelope) -> None:
        """An event of a run, with its place in it."""
        self._send(self._of_run, envelope)

    def _send(self, listener: Callable[[T], None], what: T) -> None:
        with self._lock:
            if self._has_failed:
                return
            try:
                listener(what)
            except Exception:
                self._has_failed = True
