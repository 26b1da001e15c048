"""Has the data and the model of a task in the workspace of a process, and takes its results out.

Folders that a task names are linked to, not copied: they stay as they are.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from alo.executors.task import RUN, SUCCESS, RunDone, Task
from alo.files import discard
from alo.history.entries.names import entry_folder
from alo.history.entries.seal import seal
from alo.history.models_origin import write_origin
from alo.layout import Workspace

LOG = "log"
ENTRY, ARTIFACTS = "entry", "artifacts"  # in what comes of a run


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


def take_out(
    workspace: Workspace, task: Task, runs: Sequence[RunDone], output: Path
) -> Path | None:
    """Put what the runs of a task have made into one new folder, by renames.

    Of a run, there is ``<pipeline>/entry/<its name in history>/``, and if it has succeeded
    ``<pipeline>/artifacts/``. Of a shard it is the entry, with the artifacts in it.

    Args:
        output: the new folder; its parent is there.
    Returns:
        it; None where there is nothing.
    Raises:
        OSError: it cannot be put there.
    """
    found = [(run, entry_folder(workspace, run.pipeline, run.run_id)) for run in runs]
    found = [(run, entry) for run, entry in found if entry.is_dir()]
    if not found:
        return None
    if task.kind != RUN:
        run, entry = found[-1]
        if run.status == SUCCESS:
            _fill(entry, workspace.artifacts(run.pipeline))
        os.rename(entry, output)
        return output
    for run, entry in found:
        folder = output / run.pipeline
        (folder / ENTRY).mkdir(parents=True)
        with suppress(FileNotFoundError, ValueError):
            seal(entry)  # large files of it are the artifacts' own until then
        os.rename(entry, folder / ENTRY / entry.name)
        if run.status == SUCCESS:
            os.rename(workspace.artifacts(run.pipeline), folder / ARTIFACTS)
    return output


def entry_in(folder: Path) -> Path:
    """The history entry in what has come of a run."""
    (entry,) = (folder / ENTRY).iterdir()
    return entry


def _fill(entry: Path, artifacts: Path) -> None:
    """An entry that has the logs, the record and the code alone gets the rest."""
    for each in sorted(artifacts.iterdir()):
        if each.name != LOG and not (entry / each.name).exists():
            os.rename(each, entry / each.name)
