"""The models that an inference has spoilt are taken from the history of the run that made them."""

from __future__ import annotations

import os
from pathlib import Path

from alo.events.log_lines import warning
from alo.events.types import Listener
from alo.files import checksum, discard, is_leftover, rename_folder, temporary_beside
from alo.history.entries.save import copy_tree, entry_folder
from alo.history.entries.tree import found_below
from alo.history.models_origin import EXTERNAL_MODEL, NO_TRAIN_RUN, current_train_id, write_origin
from alo.layout import Workspace


def restore_models(workspace: Workspace, train_id: str) -> bool:
    """Put the models of a train run back in place if they are not what it had left.

    Args:
        train_id: of the run whose models an inference has used; others are not known.
    Returns:
        whether they had changed, and are back.
    """
    if train_id in ("", NO_TRAIN_RUN, EXTERNAL_MODEL):
        return False
    kept = entry_folder(workspace, "train", train_id) / "models"
    if not kept.is_dir() or _is_intact(workspace, train_id, kept):
        return False
    # Next to the models: the project's folder may be on another disk.
    fresh, spoilt = temporary_beside(workspace.models), temporary_beside(workspace.models)
    _sweep(workspace.models)
    copy_tree(kept, fresh)
    if os.path.lexists(workspace.models):
        rename_folder(workspace.models, spoilt)
    os.rename(fresh, workspace.models)
    write_origin(workspace, train_id)
    discard(spoilt)
    return True


def _is_intact(workspace: Workspace, train_id: str, kept: Path) -> bool:
    if current_train_id(workspace) != train_id:
        return False
    # A file system that counts in seconds does not show what was written within one.
    seconds = [
        found.name
        for found in found_below(kept)
        if found.status is not None
        and os.stat(workspace.models / found.name).st_mtime_ns % 1_000_000_000 == 0
    ]
    return all(checksum(workspace.models / name) == checksum(kept / name) for name in seconds)


def mend_models(workspace: Workspace, train_id: str, listener: Listener) -> None:
    """Restore what an inference that failed may have spoilt, and report what came of it."""
    try:
        if restore_models(workspace, train_id):
            listener(warning("the failed run had changed the models: they are restored"))
    except OSError as error:
        _sweep(workspace.models)
        kept = entry_folder(workspace, "train", train_id) / "models"
        what = f"the failed run had changed the models, which cannot be restored: {error.strerror}"
        listener(warning(f"{what}; {kept} has them as they were"))


def _sweep(models: Path) -> None:
    """Remove what a restoration that was cut off has left."""
    for path in models.parent.glob(f".{models.name}.*"):
        if is_leftover(path.name):
            discard(path)
