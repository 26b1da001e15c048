"""Which run the models in ``train_artifacts/models/`` come from, for ``train_id`` (spec 8).

A note next to the models names the run and the files; it holds only as long as those are the files.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from alo.files import write_whole
from alo.history.entries.tree import FOLDER, LINK, found_below
from alo.json_text import json_file
from alo.layout import Workspace

NO_TRAIN_RUN = "none"
EXTERNAL_MODEL = "load-external-model"
NAMELESS = (NO_TRAIN_RUN, EXTERNAL_MODEL)  # models that no run in history has made
ORIGIN = "log/model_origin.json"  # in the train artifacts


def write_origin(workspace: Workspace, train_id: str) -> None:
    """Note that the models as they are now come from this run (or are an ``EXTERNAL_MODEL``)."""
    origin = workspace.artifacts("train") / ORIGIN
    origin.parent.mkdir(parents=True, exist_ok=True)
    note = {"train_id": train_id, "files": _files(workspace.models)}
    write_whole(origin, json.dumps(note).encode(), durable=False)


def current_train_id(workspace: Workspace) -> str:
    """The run whose models are in place; ``NO_TRAIN_RUN`` where none is known, or files differ."""
    train_id, files = read_origin(workspace.artifacts("train"))
    return train_id if files == _files(workspace.models) else NO_TRAIN_RUN


def read_origin(train_artifacts: Path) -> tuple[str, object]:
    """What the note in the artifacts says: the run, and the files it speaks of."""
    try:
        note = json_file(train_artifacts / ORIGIN)
        return str(note["train_id"]), note["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return NO_TRAIN_RUN, None


def _files(models: Path) -> dict[str, list[int]]:
    """Size and time of each file, as JSON gives them back."""
    return {
        found.name: [found.size, 0 if found.kind == LINK else os.stat(found.path).st_mtime_ns]
        for found in found_below(models)
        if found.kind != FOLDER
    }
