"""The run in progress, and which entries may not go while it, or the current model, needs them.

Reads what the engine leaves in ``.unfinished_run/``; the run's lock is looked at, never kept.
"""

from __future__ import annotations

import fcntl
import os

from alo.history.record import RunRecord
from alo.layout import Workspace


def unfinished_record(workspace: Workspace) -> RunRecord | None:
    """The run that goes on; or one that was killed, which the next run will put into history."""
    import json

    try:
        info = json.loads(workspace.journal.read_bytes())
        record = RunRecord.from_json(info.get("record") or info)
    except (OSError, ValueError, AttributeError, RecursionError):
        return None
    if not record.id or not record.pipeline:
        return None
    if is_running(workspace):
        return record._replace(status="running")
    reason = "the process was killed, or the machine went down, before the run ended"
    return record._replace(status="interrupted", reason=reason)


def is_running(workspace: Workspace) -> bool:
    """Whether a process has the workspace."""
    try:
        descriptor = os.open(workspace.lock, os.O_RDONLY)
    except OSError:
        return False
    try:
        # A run that starts with --no-wait at this very moment would be refused: so first see
        # whether the last holder lives, which it does in all cases but a killed run's.
        if not _holder_lives(workspace):
            return False
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def ids_in_use(workspace: Workspace) -> frozenset[str]:
    """The runs that may not be removed now."""
    from alo.history.deployment import deployed_ids
    from alo.history.models_origin import current_train_id, read_origin

    ids = {current_train_id(workspace), *deployed_ids(workspace)}
    unfinished = unfinished_record(workspace)
    if unfinished is not None:
        # Models are on the move: what a note says may be true again when the run has ended.
        previous = workspace.unfinished / "previous" / "artifacts"
        ids |= {read_origin(folder)[0] for folder in (workspace.artifacts("train"), previous)}
        ids |= {unfinished.id, unfinished.train_id}
    return frozenset(ids)


def _holder_lives(workspace: Workspace) -> bool:
    import json

    try:
        os.kill(int(json.loads(workspace.lock_holder.read_bytes())["pid"]), 0)
    except ProcessLookupError:
        return False
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return True  # of another user, or not told
    return True
