"""Takes the models out of a run's entry, which says so and stays whole for ``verify``."""

from __future__ import annotations

import os
from contextlib import suppress

from alo.files import checksum_of, discard, write_whole
from alo.history.entries.checksums import read_checksums, stamp, write_checksums
from alo.history.entries.names import RECORD, entry_folder, read_record
from alo.json_text import json_bytes
from alo.layout import Workspace

MODELS = "models"


def drop_models(workspace: Workspace, run_id: str, why: str) -> None:
    """Drop the models of a train run; of an entry that is gone there is nothing to drop.

    First the record says that there are none, then they go: a kill between leaves only files that
    nobody counts on.

    Args:
        why: for who looks for them.
    Raises:
        OSError: the disk does not let us.
    """
    entry = entry_folder(workspace, "train", run_id)
    models = entry / MODELS
    if not models.is_dir():
        return
    record = read_record(entry)._replace(models_dropped=why)
    content = json_bytes(record.to_json(), indent=1)
    with suppress(FileNotFoundError, ValueError):  # an entry without checksums, or damaged ones
        checksums = {
            name: known
            for name, known in read_checksums(entry).items()
            if not name.startswith(f"{MODELS}/")
        }
        write_whole(entry / RECORD, content)
        checksums[RECORD] = stamp(str(entry / RECORD), checksum_of(content))
        write_checksums(entry, checksums)
    trash = workspace.trash()
    os.rename(models, trash)
    discard(trash)
