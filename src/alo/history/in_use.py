"""The run in progress, and which entries may not go while it, or the current model, needs them.

Reads what the engine leaves in ``.unfinished_run/``; the run's claim is looked at, never taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from alo.claims import holder_of
from alo.history.record import RunRecord
from alo.layout import Workspace

MOST_NAMED = 5  # holders of one run


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


def holders(workspace: Workspace) -> Mapping[str, Sequence[str]]:
    """The runs that may not be removed now, each with all that needs it, as messages name that.

    Raises:
        HistoryError: it is not known what reviews need.
    """
    from alo.history.deployment import deployed_ids
    from alo.history.models_origin import current_train_id, read_origin
    from alo.history.pins import pins
    from alo.history.promotions import promoted_ids

    found: dict[str, list[str]] = {}

    def hold(ids: Iterable[str], holder: str) -> None:
        for run_id in dict.fromkeys(ids):
            found.setdefault(run_id, []).append(holder)

    for run_id, those in pins(workspace).items():
        found[run_id] = list(those)
    unfinished = unfinished_record(workspace)
    if unfinished is not None:
        # Models are on the move: what a note says may be true again when the run has ended.
        previous = workspace.unfinished / "previous" / "artifacts"
        ids = {read_origin(folder)[0] for folder in (workspace.artifacts("train"), previous)}
        hold({*ids, unfinished.id, unfinished.train_id}, "the run in progress")
    hold(deployed_ids(workspace), "what is deployed")
    hold(promoted_ids(workspace), "the last promotion")
    hold([current_train_id(workspace)], "the current model")
    return found


def need_it(those: Sequence[str]) -> str:
    """What of holders messages say: ``review a and review b need it``."""
    if len(those) == 1:
        return f"{those[0]} needs it"
    more = len(those) - MOST_NAMED
    named = [*those[:MOST_NAMED], f"{more:,} more"] if more > 0 else those
    return f"{', '.join(named[:-1])} and {named[-1]} need it"
