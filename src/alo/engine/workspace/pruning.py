"""What goes when a run has ended, so that history and what steps have stored stay within bounds."""

from collections.abc import Sequence

from alo.engine.spec import Job, stores_steps
from alo.errors import HistoryError
from alo.history.entries.tally import has_room
from alo.layout import Workspace
from alo.processes.signals import SignalGuard


def prune(job: Job, run_id: str, guard: SignalGuard) -> None:
    """Remove what history has no room for; that may take long, and a signal ends it.

    Args:
        run_id: of the run that has ended.
        guard: held.
    """
    workspace = job.workspace
    with guard.released():
        removed = _remove_oldest(workspace, job.plan.control.backup_size, run_id)
        if removed or stores_steps(job):
            _forget(workspace, removed, run_id)


def _remove_oldest(workspace: Workspace, size_mb: float, run_id: str) -> list[str]:
    if has_room(workspace, size_mb):  # which most runs find
        return []
    from alo.history.in_use import ids_in_use
    from alo.history.retention import keep_within

    try:
        in_use = ids_in_use(workspace)
    except HistoryError:  # in doubt nothing goes; alo history prune says what is wrong
        return []
    return keep_within(workspace, size_mb, {run_id, *in_use})


def _forget(workspace: Workspace, removed: Sequence[str], run_id: str) -> None:
    """Remove what runs had stored whose history is gone."""
    from alo.engine.steps.reuse import forget_runs, forget_unknown_runs

    forget_runs(workspace, removed)
    forget_unknown_runs(workspace, run_id)
