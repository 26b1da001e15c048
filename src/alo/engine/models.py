"""The models that an inference has spoilt are taken from the history of the run that made them."""

from __future__ import annotations

import os

from alo.files import remove_tree
from alo.history.entry import copy_tree, entry_folder
from alo.history.models_origin import EXTERNAL_MODEL, NO_TRAIN_RUN, current_train_id, write_origin
from alo.layout import Workspace


def restore_models(workspace: Workspace, train_id: str) -> bool:
    """Put the models of a train run back in place if they are not what it had left.

    Args:
        train_id: of the run whose models an inference has used; others are not known.
    Returns:
        whether they had changed, and are back.
    """
    if train_id in ("", NO_TRAIN_RUN, EXTERNAL_MODEL) or current_train_id(workspace) == train_id:
        return False
    kept = entry_folder(workspace, "train", train_id) / "models"
    if not kept.is_dir():
        return False
    workspace.internal.mkdir(exist_ok=True)
    fresh, spoilt = workspace.trash(), workspace.trash()
    copy_tree(kept, fresh)
    workspace.models.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(workspace.models):
        os.rename(workspace.models, spoilt)
    os.rename(fresh, workspace.models)
    write_origin(workspace, train_id)
    remove_tree(spoilt)
    return True
