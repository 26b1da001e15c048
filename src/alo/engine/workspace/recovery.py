"""What a killed run left behind is put in order before the next one starts (spec 5)."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

from alo.engine.faults import disk_errors
from alo.engine.records import summary_of
from alo.engine.workspace import unfinished
from alo.events.log_lines import warning
from alo.events.types import Listener, RunFinished
from alo.history.entries.folders import sweep
from alo.history.entries.names import entry_name
from alo.history.entries.save import entry_folder, save_entry
from alo.history.entries.seal import seal_what_is_left
from alo.history.ids import utc_text
from alo.history.record import RunRecord
from alo.layout import Workspace


def recover(workspace: Workspace, listener: Listener) -> None:
    """Finish or undo the run that a kill or a power failure cut off; the lock is the caller's.

    Raises:
        RunError: that cannot be; what the run had replaced is still there.
    """
    fix = f"see what is in the way; {workspace.unfinished} has what was there before"
    with disk_errors("what a run had replaced cannot be put back", workspace.unfinished, fix=fix):
        left = unfinished.find(workspace)
        if left is not None:
            _recover(left, listener)


def _recover(left: unfinished.UnfinishedRun, listener: Listener) -> None:
    from alo.engine.workspace.models import mend_models  # only what comes after a kill pays for it

    record = RunRecord.from_json(left.info.get("record") or dict(left.info))._replace(
        status="interrupted",
        end_time=utc_text(time.time()),
        reason="the process was killed, or the machine went down, before the run ended",
    )
    if _is_in_history(left):
        # It was cut off after it had succeeded. A run of a part leaves the artifacts alone.
        left.put_back() if record.part else left.discard()
        return
    note = "its artifacts were not whole; the previous ones are back"
    sweep(left.workspace.history / left.kind)  # it may have been killed while its entry was made
    try:
        _keep(left, record)
    except OSError as error:
        note = f"{note}, and it is not in history: {error}"
    train_id = str(left.info.get("train_id") or "") if left.kind == "inference" else ""
    left.put_back(lambda: mend_models(left.workspace, train_id, listener))
    listener(warning(f"the run before, {record.id}, was killed: {note}"))


def seal_history(workspace: Workspace, listener: Listener) -> None:
    """Have nothing in history that the next run could change by writing into the artifacts."""
    for run_id, error in seal_what_is_left(workspace).items():
        what = f"large files of run {run_id} are in history by a second name only: {error.strerror}"
        listener(warning(f"{what}; what writes into them in the artifacts changes both"))


def _is_in_history(left: unfinished.UnfinishedRun) -> bool:
    folder = entry_folder(left.workspace, left.kind, left.run_id)
    return folder.is_dir() and not folder.name.endswith("-error")


def _keep(left: unfinished.UnfinishedRun, record: RunRecord) -> None:
    workspace = left.workspace
    in_history = entry_folder(workspace, left.kind, left.run_id).is_dir()
    if in_history or not unfinished.has_artifacts_of(left):
        return
    plan, artifacts = left.info.get("plan"), workspace.artifacts(left.kind)
    project = left.info.get("project")  # of which the workspace is a copy
    shown = Workspace(Path(project)) if isinstance(project, str) else workspace
    _end_events(record, artifacts, shown)
    save_entry(
        workspace,
        record,
        plan=plan.encode("utf-8", "surrogateescape") if isinstance(plan, str) else b"",
        artifacts=artifacts,
        code=_code_of(left),
    )


def _end_events(record: RunRecord, artifacts: Path, shown: Workspace) -> None:
    from alo.events.stored import end_of_killed

    entry = shown.history / record.pipeline / entry_name(record.id, record.status)
    finished = RunFinished(
        record.id,
        record.pipeline,
        record.status,
        record.seconds,
        summary_of(record),
        str(shown.artifacts(record.pipeline)),
        str(entry),
    )
    with suppress(OSError):  # they go into history as they are
        end_of_killed(artifacts / "log", finished)


def _code_of(left: unfinished.UnfinishedRun) -> dict[str, Path]:
    """The copies of its code that the run had taken: name in the entry → file."""
    known = left.info.get("code")
    folder = left.workspace.unfinished / "code"
    copies = known.items() if isinstance(known, dict) else ()
    files = {str(name): folder / Path(str(copy)).name for name, copy in copies}
    return {name: file for name, file in files.items() if file.is_file()}
