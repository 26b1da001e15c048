"""A folder for what lasts no longer than this process drives runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alo.claims import locked_folder
from alo.files import discard
from alo.layout import Workspace


@contextmanager
def scratch_folder(workspace: Workspace) -> Iterator[Path]:
    """A new folder below ``.alo/`` until the end of the block; what a kill leaves, others sweep."""
    workspace.internal.mkdir(exist_ok=True)
    folder, descriptor = locked_folder(workspace.past_code)
    try:
        yield folder
    finally:
        discard(folder)
        os.close(descriptor)
