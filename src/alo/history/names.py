"""What the entries of history are called, and how they are found; imports little, for quick lists.

``history/<kind>/<run id>`` is the entry of a run that succeeded, ``<run id>-error`` of any other.
"""

from __future__ import annotations

import os
from pathlib import Path

from alo.layout import Workspace

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
