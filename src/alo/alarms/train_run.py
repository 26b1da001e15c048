"""The class mix that a train run has reported: the ``probability`` of its summary."""

from __future__ import annotations

from alo.alarms.class_mix import UNKNOWN, Shares, normalized
from alo.history.entries.names import entry_folder, read_record
from alo.history.models_origin import NAMELESS
from alo.layout import Workspace


def train_mix(workspace: Workspace, run_id: str) -> Shares:
    """The share of each class, of a train run in history; empty: it is not known.

    A model that was loaded from another place has no train run here, and a train run that has
    saved no ``probability`` says nothing of its classes; nothing is guessed then.
    """
    if not run_id or run_id in NAMELESS:
        return UNKNOWN
    try:
        record = read_record(entry_folder(workspace, "train", run_id))
    except OSError:
        return UNKNOWN
    return normalized(record.probability)
