"""How the entries of history are called, found and read; imports little, for quick lists.

``history/<kind>/<run id>`` is the entry of a run that succeeded, ``<run id>-error`` of any other.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from alo.layout import Workspace

if TYPE_CHECKING:
    from alo.history.record import RunRecord

RECORD = "log/experimental_history.json"
FAILED = "-error"


def entry_name(run_id: str, status: str) -> str:
    """The name of a run's entry."""
    return run_id if status == "success" else f"{run_id}{FAILED}"


def entry_folder(workspace: Workspace, kind: str, run_id: str) -> Path:
    """The entry of a run, or where it would be."""
    folder = workspace.history / kind
    failed = folder / f"{run_id}{FAILED}"
    return failed if failed.is_dir() else folder / run_id


def entry_names(folder: Path) -> list[str]:
    """The names of all entries of one kind, in no order."""
    return [name for name in names_in(folder) if is_entry(name)]


def read_record(folder: Path) -> RunRecord:
    """The record of an entry; of a damaged one, what its name says.

    Raises:
        FileNotFoundError: there is no such entry.
    """
    from alo.history.ids import is_utc_text, start_in_name, utc_text
    from alo.history.record import ENDED, RunRecord
    from alo.json_text import DEEPEST, json_object

    if not folder.is_dir():
        raise FileNotFoundError(folder)
    kind, name = folder.parent.name, folder.name
    try:
        content = json_object(folder / RECORD, deepest=DEEPEST)
    except (OSError, ValueError) as error:
        modified = folder.stat().st_mtime
        why = getattr(error, "strerror", None) or str(error)
        record = RunRecord("", kind, "error", "", reason=f"its record cannot be read: {why}")
    else:
        modified = 0.0
        record = RunRecord.from_json(content)
    is_own = name in (record.id, f"{record.id}{FAILED}")
    run_id = record.id if is_own else name.removesuffix(FAILED)
    start = record.start_time
    if not is_utc_text(start):
        start = start_in_name(run_id) or utc_text(modified)
    status = record.status
    if status not in ENDED:  # as in entries of ALO 2.x, which have none
        status = "error" if name.endswith(FAILED) else "success"
    return record._replace(id=run_id, pipeline=kind, status=status, start_time=start)


def names_in(folder: Path) -> list[str]:
    """All names in the folder of one kind; none where there is no such folder."""
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []


def is_entry(name: str) -> bool:
    """Whether a name may be an entry's: it is none of what is hidden, and text."""
    return not is_hidden(name) and (name.isascii() or _is_utf8(name))


def is_hidden(name: str) -> bool:
    """Whether a name is of what is being built or removed."""
    return name.startswith(".")


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
