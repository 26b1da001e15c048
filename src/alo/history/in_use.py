"""The run in progress, and which entries may not go while it, or the current model, needs them.

Reads what the engine leaves in ``.unfinished_run/``; the run's claim is looked at, never taken.
"""

from __future__ import annotations

from collections.abc import Mapping

from alo.claims import holder_of
from alo.history.record import RunRecord
from alo.layout import Workspace


def unfinished_record(workspace: Workspace) -> RunRecord | None:
    """The run in progress; or one that was killed, which the next run will put into history."""
    from alo.json_text import DEEPEST, json_file

    try:
        info = json_file(workspace.journal, deepest=DEEPEST)
        record = RunRecord.from_json(info.get("record") or info)
    except (OSError, ValueError, AttributeError):
        return None
    if not record.id or not record.pipeline:
        return None
    # A run of ALO 0.1.0 has no claim of its own: it holds the workspace's lock alone.
    claim = workspace.run_lock if workspace.run_lock.exists() else workspace.lock
    if holder_of(claim) is not None:
        return record._replace(status="running")
    reason = "the process was killed, or the machine went down, before the run ended"
    return record._replace(status="interrupted", reason=reason)


def ids_in_use(workspace: Workspace) -> frozenset[str]:
    """The runs that may not be removed now.

    Raises:
        HistoryError: it is not known what reviews need.
    """
    return frozenset(holders(workspace))


def holders(workspace: Workspace) -> Mapping[str, str]:
    """The runs that may not be removed now, each with what needs it, as messages name it.

    Raises:
        HistoryError: it is not known what reviews need.
    """
    from alo.history.deployment import deployed_ids
    from alo.history.models_origin import current_train_id, read_origin
    from alo.history.pins import pins
    from alo.history.promotions import promoted_ids

    found = {current_train_id(workspace): "the current model"}
    found |= dict.fromkeys(promoted_ids(workspace), "the last promotion")
    found |= dict.fromkeys(deployed_ids(workspace), "what is deployed")
    unfinished = unfinished_record(workspace)
    if unfinished is not None:
        # Models are on the move: what a note says may be true again when the run has ended.
        previous = workspace.unfinished / "previous" / "artifacts"
        ids = {read_origin(folder)[0] for folder in (workspace.artifacts("train"), previous)}
        found |= dict.fromkeys({*ids, unfinished.id, unfinished.train_id}, "the run in progress")
    return {**found, **pins(workspace)}
