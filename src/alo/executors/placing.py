"""Has the data and the model of a task in the workspace of a process, and takes its results out.

Folders that a task names are linked to, not copied: they stay as they are.
"""

from __future__ import annotations

import os
from pathlib import Path

from alo.files import discard
from alo.history.entries.names import FAILED
from alo.history.models_origin import write_origin
from alo.layout import Workspace

LOG = "log"


def place_input(workspace: Workspace, kind: str, folder: Path | None) -> None:
    """Have ``input/<kind>/`` lead to a folder; None: it is the workspace's own again.

    Raises:
        OSError: it cannot be.
    """
    place = workspace.input(kind)
    if place.is_symlink():
        if folder is not None and os.readlink(place) == str(folder):
            return
        place.unlink()
    elif folder is not None and place.exists():
        discard(place)
    if folder is not None:
        place.parent.mkdir(exist_ok=True)
        place.symlink_to(folder)


def place_models(workspace: Workspace, folder: Path | None, train_id: str) -> None:
    """Have a folder where the models of the last train run are; None: not the one of a task before.

    Args:
        train_id: the run that has made them; empty: none is known.
    Raises:
        OSError: it cannot be.
    """
    artifacts = workspace.artifacts("train")
    if folder is None and not workspace.models.is_symlink():
        return
    discard(artifacts)
    if folder is not None:
        artifacts.mkdir()
        workspace.models.symlink_to(folder)
        if train_id:
            write_origin(workspace, train_id)


def take_out(workspace: Workspace, kind: str, run_id: str, output: Path) -> Path | None:
    """Put a run's entry and the artifacts that it made into one new folder, by renames.

    The entry has the logs, the record and the code alone then.

    Args:
        output: the new folder; its parent is there.
    Returns:
        it; None where there is no such entry.
    Raises:
        OSError: it cannot be put there.
    """
    folder = workspace.history / kind
    failed = folder / f"{run_id}{FAILED}"
    entry = folder / run_id
    if failed.is_dir():
        os.rename(failed, output)
        return output
    if not entry.is_dir():
        return None
    artifacts = workspace.artifacts(kind)
    for each in sorted(artifacts.iterdir()):
        if each.name != LOG and not (entry / each.name).exists():
            os.rename(each, entry / each.name)
    os.rename(entry, output)
    return output
