"""Run a step in a process of its own, so that a crash or a hang of it is not the engine's.

The engine starts the process (``worker.py``), hands it its assignment, passes on what it tells and
prints, and finds out how it ended.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alo.engine.steps.process_main import Assignment, Done
from alo.engine.steps.task import FailedStep
from alo.errors import InstallError, StoreError
from alo.events.types import Listener
from alo.processes.child import POLL_S, Child
from alo.processes.crash_report import death_error, hang_error

EXIT_S = 5.0  # for threads and exit handlers of the asset, once its result is here


def run_apart(
    assignment: Assignment, python: str, timeout_s: float | None, listener: Listener
) -> Done | FailedStep:
    """Run one step in a process of its own, and wait for its end.

    Args:
        python: the interpreter; the one that runs now, or one of another environment.
        timeout_s: after so many seconds it is ended; None: no limit.
    Raises:
        StoreError: what the step is given cannot be read, or what it saves not be stored.
        KeyboardInterrupt: the user ended it; all that it had started has ended too.
    """
    task = assignment.task
    with _child(assignment, python, listener) as child:
        child.send(assignment)
        result, is_late = _watch(child, timeout_s)
        if is_late:
            child.show_stacks()
            child.end()
        last, ending = child.wait()
        result = next(iter([*([result] if result else []), *last]), None)
    if isinstance(result, StoreError):
        raise result
    if isinstance(result, Done | FailedStep):
        return result._replace(peak_bytes=ending.peak_bytes)
    if is_late and timeout_s is not None:
        error = hang_error(task.name, task.home, ending, timeout_s)
    else:
        _refuse_broken(python, task.name)
        error = death_error(task.name, task.home, ending)
    return FailedStep(error, ending.cpu_seconds, ending.peak_bytes, "")


def _refuse_broken(python: str, step: str) -> None:
    """An environment that does not work, which shows only when it is used, is made anew next time.

    Raises:
        InstallError: it is the environment that is at fault.
    """
    if python == sys.executable:
        return
    from alo.sources.packages.trial import forget, try_out

    folder = Path(python).parents[1]
    if fault := try_out(folder):
        forget(folder)
        raise InstallError(
            f"step '{step}': the environment of its own does not work: {fault}",
            where=str(folder),
            fix="run again: the environment is then made anew",
        )


@contextmanager
def _child(assignment: Assignment, python: str, listener: Listener) -> Iterator[Child]:
    child = Child("alo.engine.steps.process_main", python, assignment.stacks, listener)
    try:
        yield child
    except BaseException:
        child.end()
        child.wait()
        raise
    finally:
        child.close()


def _watch(child: Child, timeout_s: float | None) -> tuple[object, bool]:
    """Its result, once it has ended, and whether its time was over before that."""
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    result: object = None
    exit_by = 0.0
    while True:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        messages, ended = child.poll(left if result is None else POLL_S)
        if messages and result is None:
            result, exit_by = messages[0], time.monotonic() + EXIT_S
        if ended:
            return result, False
        if result is not None and time.monotonic() > exit_by:
            child.end()
        elif result is None and deadline is not None and time.monotonic() >= deadline:
            return None, True
