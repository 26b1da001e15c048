"""The life of ``alo run``: check, take the workspace, run each pipeline, give it back."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from signal import Signals
from typing import TypeVar

from alo.engine.preflight import Checked, check_solution
from alo.engine.request import RunOutcome, RunRequest, Setup
from alo.engine.session import PipelineRun, begin
from alo.engine.spec import Job, needs_setup
from alo.engine.workspace.lock import hold_workspace
from alo.engine.workspace.recovery import recover
from alo.errors import Interrupted
from alo.events.log_lines import warning
from alo.events.types import Event, Listener
from alo.layout import Workspace
from alo.processes.inherited import told_of_children
from alo.processes.signals import SignalGuard, Signalled
from alo.sources.git.repositories import changing_steps

T = TypeVar("T")


def run_solution(request: RunRequest, listener: Listener) -> tuple[RunOutcome, ...]:
    """Run the pipelines that were asked for, one after the other; the first failure ends it.

    Raises:
        AloError: of the class that says what went wrong; the workspace is as it was before then.
    """

    def choose(jobs: Sequence[Job]) -> Sequence[Job]:
        if not (request.resume or request.first or request.last):
            return jobs
        from alo.engine.selection import choose_jobs

        return choose_jobs(request, jobs)

    return run_jobs(
        lambda: check_solution(request),
        request.home,
        listener,
        wait=request.wait,
        choose=choose,
        setup=request.setup,
    )


def run_jobs(
    check: Callable[[], Checked],
    home: Path,
    listener: Listener,
    *,
    wait: bool,
    choose: Callable[[Sequence[Job]], Sequence[Job]] = lambda jobs: jobs,
    setup: Setup = Setup(),  # noqa: B008 - immutable
) -> tuple[RunOutcome, ...]:
    """Run what ``check`` says is ready to run.

    Args:
        choose: which of the jobs, and which part of them, once the workspace is in order.
    """
    listener = one_at_a_time(listener)
    guard = SignalGuard()
    outcomes: list[RunOutcome] = []
    jobs: Sequence[Job] = ()
    try:
        with told_of_children(), guard.installed():
            checked = check()
            for problem in () if _goes_on() else checked.warnings:
                listener(warning(str(problem)))
            what = " and ".join(job.pipeline.name for job in checked.jobs)
            with hold_workspace(Workspace(home), wait=wait, listener=listener, what=what) as waited:
                if waited:  # the world may be another one by now
                    checked = check()
                recover(Workspace(home), listener)
                jobs = choose(checked.jobs)
                if jobs and needs_setup(jobs):
                    from alo.engine.setup import set_up

                    jobs = set_up(jobs, setup, listener)
                if not jobs:
                    listener(warning("there is nothing to resume: the last run has succeeded"))
                _run_each(jobs, setup, guard, listener, outcomes)
    except Signalled as signal:
        if not outcomes or len(outcomes) < len(jobs):
            raise _interrupted(signal, outcomes) from None
    if guard.received is not None:
        name = Signals(guard.received).name
        listener(warning(f"{name} came when all had succeeded, and has changed nothing"))
    return tuple(outcomes)


def _goes_on() -> bool:
    """Whether this is the rest of a run that began in another environment, and has told all."""
    environment = os.environ.get("ALO_ENVIRONMENT")
    return bool(environment) and sys.prefix.endswith(str(environment))


def _interrupted(signal: Signalled, outcomes: Sequence[RunOutcome]) -> Interrupted:
    """The error for a caller who knows nothing of signals, where no run was going on."""
    ended = [f"the {each.pipeline} run {each.run_id} has succeeded" for each in outcomes]
    what = ", ".join([*ended, "the next one has not begun"]) if ended else "no run had begun"
    return Interrupted(f"interrupted by {signal}: {what}", signal_number=signal.number)


def _run_interrupted(signal: Signalled, run: PipelineRun) -> Interrupted:
    back = "are back" if run.is_undone else "come back when the next run starts"
    return Interrupted(
        f"the run was interrupted by {signal}; the previous artifacts {back}",
        signal_number=signal.number,
    )


def _run_each(
    jobs: Sequence[Job],
    setup: Setup,
    guard: SignalGuard,
    listener: Listener,
    outcomes: list[RunOutcome],
) -> None:
    """One after the other, each on its own code where they have other code for one folder.

    Args:
        outcomes: of each that has succeeded, also if the next one does not.
    """
    is_changing = bool(changing_steps([job.pipeline for job in jobs]))
    for number, job in enumerate(jobs):
        if number and is_changing:
            from alo.engine.setup import fetch_code

            fetch_code([job], setup, listener)
        _run_job(job, guard, listener, outcomes)


def _run_job(job: Job, guard: SignalGuard, listener: Listener, outcomes: list[RunOutcome]) -> None:
    guard.raise_if_received()  # at the end of the run before, where it had to wait
    recover(job.workspace, listener)  # what the run before could not clean up
    with guard.held():  # so that no signal comes between the run and what is to be done about it
        run = begin(job, guard, listener)
        try:
            with guard.released():
                _run_steps(run)
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


def _run_steps(run: PipelineRun) -> None:
    run.load()
    for number, step in enumerate(run.job.pipeline.steps):
        run.run_step(step, number)
        if step.name == run.job.part.last:
            run.save_part()
            return
    run.save()


def one_at_a_time(listener: Listener) -> Listener:
    """Threads of an asset may print too; and a listener that fails is not asked again.

    Whoever closes the terminal that a run writes to must not end the run.
    """
    lock = threading.RLock()
    failed = False

    def tell(event: Event) -> None:
        nonlocal failed
        with lock:
            if failed:
                return
            try:
                listener(event)
            except Exception:
                failed = True

    return tell
