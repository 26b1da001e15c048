"""The newest candidate of a data set stays in history, with the model that it was compared with.

So it is until the next one is trained, or the data set is removed.
"""

from __future__ import annotations

from collections.abc import Sequence

from alo.datasets.catalog import Catalog, Version
from alo.history.pins import pin, unpin
from alo.layout import Workspace


def keep_candidate(workspace: Workspace, name: str, runs: Sequence[str]) -> None:
    """These runs are needed for a data set now, and those of the candidate before no more.

    Raises:
        OSError: it cannot be noted.
    """
    pin(workspace, _holder(name), [run for run in runs if run])


def remove_version(workspace: Workspace, version: Version) -> None:
    """Delete a version of a data set; the candidate of one without versions is needed no more."""
    catalog, name = Catalog(workspace), version.manifest.name
    catalog.remove(version)
    if not catalog.versions(name):
        unpin(workspace, _holder(name))


def _holder(name: str) -> str:
    """What needs a run, as messages name it."""
    return f"the newest candidate of data set {name}"
