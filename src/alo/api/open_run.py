"""A run that a notebook has begun and not yet saved: the workspace it holds, the steps it has run.

A notebook leaves runs open in every way there is: a cell is interrupted, its variables are
deleted or made anew, the kernel ends. What is open here is known to the process, so that the next
one finds it, and it is given up in order at the latest when Python ends.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import NamedTuple, NoReturn

from alo.engine.faults import disk_errors
from alo.engine.marks import (
    Files,
    Mark,
    continue_from,
    find_files,
    go_back,
    input_files,
    mark,
    written,
)
from alo.engine.pipeline_run import GivenUp, PipelineRun, begin
from alo.engine.request import RunOutcome
from alo.engine.spec import Job
from alo.engine.workspace.lock import hold_workspace
from alo.engine.workspace.recovery import recover
from alo.errors import ExportError, ResultError, WorkspaceBusy
from alo.events.log_lines import warning
from alo.events.types import Listener
from alo.history.record import RunRecord
from alo.layout import Workspace
from alo.plan.model import StepPlan
from alo.processes.inherited import default_sigchld
from alo.processes.signals import SignalGuard, Signalled

Args = Mapping[str, object]


class Ran(NamedTuple):
    """A step that has run: with which args, and the run after it."""

    args: Args
    mark: Mark


class Ended(NamedTuple):
    """The steps of a run that has been saved, or could not be."""

    record: RunRecord
    ran: Mapping[str, Ran]


class OpenRun:
    """One pipeline's run in a notebook, from its beginning until it is saved or given up.

    Args:
        pipeline: its name.
    """

    def __init__(self, pipeline: str, listener: Listener) -> None:
        self.pipeline, self._listener = pipeline, listener
        self.run: PipelineRun | None = None
        self.latest: PipelineRun | None = None  # the same, and after it has ended
        self.ran: dict[str, Ran] = {}
        self._inputs: Files = {}  # the input data as this run began with it
        self._added: dict[str, set[str]] = {}  # to the artifacts of this run, by step
        self.outcome: RunOutcome | None = None  # of the latest, once it has been saved
        self._ended: Ended | None = None
        self._failure: BaseException | None = None  # what the last step ended with
        self._guard = SignalGuard()
        self._lock = threading.RLock()
        self._hold = ExitStack()
        self._process = os.getpid()
        self._thread = threading.current_thread()

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """One thread at a time; signals end what is in progress in order."""
        if not self._lock.acquire(blocking=False):
            self._listener(warning(f"waiting for another thread that uses this {self.pipeline}"))
            self._lock.acquire()
        try:
            with default_sigchld(), self._guard.installed():
                yield
        except Signalled as signalled:
            _pass_on(signalled)
        finally:
            self._lock.release()

    def begin(
        self,
        check: Callable[[], Job],
        set_up: Callable[[Job], Job],
        after: str = "",
    ) -> None:
        """Take the workspace, and begin a run in it.

        Args:
            check: gives the job, or says why there is none; nothing is held by then.
            set_up: the job with all that it needs in place.
            after: the step of the run before to continue from; empty: from the start.
        """
        job = check()
        _make_way(job.workspace, self)
        with ExitStack() as opened:
            what = f"{self.pipeline} in a notebook"
            waited = opened.enter_context(
                hold_workspace(job.workspace, wait=True, listener=self._listener, what=what)
            )
            if waited:  # the world may be another one by now
                job = check()
            recover(job.workspace, self._listener)
            run, ran = self._begin(set_up(job), after)
            with self._guard.held():
                self._hold = opened.pop_all()
                self.run = self.latest = run
                self.ran, self._added, self.outcome, self._failure = ran, {}, None, None
                self._inputs = input_files(run)
                self._thread = threading.current_thread()
                _open_runs.append(self)

    def run_step(self, job: Job, step: StepPlan, number: int, args: Args) -> None:
        """Run one step on what the step before it has saved.

        Raises:
            StepError: the step failed.
        """
        run = self.run
        assert run is not None  # noqa: S101 - the caller has begun it
        names = [each.name for each in job.pipeline.steps]
        added: set[str] = set()
        for name in names[number:]:
            self.ran.pop(name, None)
            added |= self._added.pop(name, set())
        before = self.ran[names[number - 1]].mark if number else None
        go_back(run, before, added)
        run.session.take(job, step.name)
        with self._noting_failure(), self._noting_files(run, step.name):
            with disk_errors("the run cannot continue"):
                run.session.run_step(step, number, may_reuse=False)
            if (values := run.session.values) is not None:
                self.ran[step.name] = Ran(args, mark(run, values, self._inputs))

    def save(self) -> RunOutcome:
        """End the run. It stays open where its results or their export are at fault.

        Raises:
            ResultError: mend the step, run it again, and save.
            ExportError: see to the place, and save again.
        """
        run = self.run
        assert run is not None  # noqa: S101 - the caller has begun it
        try:
            with self._noting_failure():
                outcome = run.save()
        except (ResultError, ExportError):
            raise
        except BaseException as error:
            if run.outcome is None or not isinstance(error, KeyboardInterrupt):
                self._end(error)
                raise
            outcome = run.outcome  # it is in history: nothing can fail it any more
        self.run, self.outcome = None, outcome
        self._ended = Ended(run.record, dict(self.ran))
        self._give_back()
        return outcome

    def give_up(self, why: str) -> None:
        """End a run that is not to be saved; the artifacts from before it come back."""
        if self.run is not None and self._process == os.getpid():  # a fork has its parent's too
            self._end(self._failure or GivenUp(why))
        self.ran = dict(self._ended.ran) if self._ended else {}

    def forget(self) -> None:
        """No run is continued from here on."""
        self.ran, self._ended = {}, None

    def can_be_replaced(self) -> bool:
        """Whether its thread does nothing with it now, and is the caller's or has ended."""
        return self._thread is threading.current_thread() or not self._thread.is_alive()

    def holds(self, workspace: Workspace) -> bool:
        """Whether it is open in this workspace."""
        return self.run is not None and self.run.workspace.home == workspace.home

    def _begin(self, job: Job, after: str) -> tuple[PipelineRun, dict[str, Ran]]:
        ended = self._ended
        if not after or ended is None:
            return self._begin_run(job, lambda run: {})
        names, marks = list(ended.ran), [each.mark for each in ended.ran.values()]
        number = names.index(after)
        files = find_files(job, marks, marks[number], ended.record)

        def continued(run: PipelineRun) -> dict[str, Ran]:
            moved = continue_from(run, marks, number, ended.record, files)
            pairs = zip(names, moved, strict=False)  # of the later steps there are no marks
            return {name: Ran(ended.ran[name].args, each) for name, each in pairs}

        return self._begin_run(job, continued)

    def _begin_run(
        self, job: Job, fill: Callable[[PipelineRun], dict[str, Ran]]
    ) -> tuple[PipelineRun, dict[str, Ran]]:
        run = begin(job, self._guard, self._listener, stays=True)
        try:
            run.load()
            return run, fill(run)
        except BaseException as error:
            run.fail(error)
            raise

    @contextmanager
    def _noting_failure(self) -> Iterator[None]:
        """What goes wrong is the reason in history, should the run be given up now."""
        self._failure = None
        try:
            yield
        except BaseException as error:
            self._failure = error
            raise

    @contextmanager
    def _noting_files(self, run: PipelineRun, step: str) -> Iterator[None]:
        """What a step adds to the artifacts goes before it runs again, also if it fails."""
        before = written(run)
        try:
            yield
        finally:
            self._added[step] = written(run).keys() - before.keys()

    def _end(self, error: BaseException) -> None:
        run, self.run = self.run, None
        try:
            if run is not None:
                run.fail(error)
        finally:
            self._give_back()

    def _give_back(self) -> None:
        if self in _open_runs:
            _open_runs.remove(self)
        self._hold.close()


_open_runs: list[OpenRun] = []  # of this process


def give_up_all(workspace: Workspace) -> None:
    """Give up what is open in a workspace in this process."""
    for each in [each for each in _open_runs if each.holds(workspace)]:
        with each.in_use():
            each.give_up("given up in the notebook")


def make_way(workspace: Workspace) -> None:
    """See that no run is open here that the caller would have to wait for in vain.

    Raises:
        WorkspaceBusy: one is.
    """
    _make_way(workspace, None)


def _make_way(workspace: Workspace, new: OpenRun | None) -> None:
    """A pipeline that is begun anew takes the place of the one before it, as a cell run again does.

    Another kind of run does not: what is open may be what it is to build upon.
    """
    for each in _waiting_in_vain(workspace):
        if new is None or each.pipeline != new.pipeline:
            gc.collect()  # one that nobody has any more ends with that
    for each in _waiting_in_vain(workspace):
        if new is None or each.pipeline != new.pipeline:
            raise WorkspaceBusy(
                f"a run of the {each.pipeline} is open in this notebook, and not saved",
                where=str(workspace.home),
                fix="save() or close() that pipeline first; the project's close() gives it up",
            )
        with each.in_use():
            each.give_up("given up in the notebook: the pipeline was begun anew")
        new._listener(warning(f"the run of the {each.pipeline} that was open here is given up"))


def _waiting_in_vain(workspace: Workspace) -> list[OpenRun]:
    return [each for each in _open_runs if each.holds(workspace) and each.can_be_replaced()]


def _pass_on(signalled: Signalled) -> NoReturn:
    """Do what the signal does to this process when no step is in the way."""
    if signal.getsignal(signalled.number) is not signal.default_int_handler:
        signal.raise_signal(signalled.number)
    raise KeyboardInterrupt().with_traceback(signalled.__traceback__) from None


@atexit.register
def _give_up_at_exit() -> None:
    for each in list(_open_runs):
        each.give_up("Python ended before it was saved")


os.register_at_fork(after_in_child=_open_runs.clear)  # they are the parent's
