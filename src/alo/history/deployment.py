"""Which train run's model services use: the choice that ``alo deploy`` records in the project.

``solution/deployment.json`` is looked at by running services, and by the clean-up of history: what
is deployed, what was before, and what runs in its shadow is never removed.
"""

import json
from pathlib import Path
from typing import NamedTuple

from alo.errors import HistoryError
from alo.files import write_whole
from alo.history.folders import entry_folder
from alo.layout import Workspace

NAME = "deployment.json"


class Deployment(NamedTuple):
    """Train runs, by id; empty: none."""

    run: str = ""  # whose model is used; none: the workspace's current one
    previous: str = ""  # for a rollback
    shadow: str = ""  # whose model sees the same requests, and whose answers are not sent

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(self) - {""}


NOTHING = Deployment()


def read_deployment(workspace: Workspace) -> Deployment:
    """What is deployed; nothing where no choice was made.

    Raises:
        HistoryError: the file is damaged.
    """
    path = _path(workspace)
    try:
        content = json.loads(path.read_bytes())
        return Deployment(**{name: str(content.get(name, "")) for name in Deployment._fields})
    except FileNotFoundError:
        return NOTHING
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise HistoryError(
            f"what is deployed cannot be read: {error}",
            where=str(path),
            fix="alo deploy RUN_ID writes it anew",
        ) from error


def write_deployment(workspace: Workspace, deployment: Deployment) -> None:
    path = _path(workspace)
    path.parent.mkdir(exist_ok=True)
    write_whole(path, f"{json.dumps(deployment._asdict(), indent=2)}\n".encode())


def deployed_ids(workspace: Workspace) -> frozenset[str]:
    """The runs that a deployment needs; none where it cannot be read."""
    try:
        return read_deployment(workspace).ids
    except HistoryError:
        return frozenset()


def deployment_stamp(workspace: Workspace) -> tuple[int, int]:
    """Differs once the choice does."""
    try:
        status = _path(workspace).stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_ino)


def models_of(workspace: Workspace, run_id: str) -> Path:
    """The folder of a train run's models.

    Raises:
        HistoryError: it is not there any more.
    """
    folder = entry_folder(workspace, "train", run_id) / "models"
    if not folder.is_dir():
        raise HistoryError(
            f"the model of run {run_id} is not in history",
            where=str(folder),
            fix="alo deploy RUN_ID takes another one",
        )
    return folder


def _path(workspace: Workspace) -> Path:
    return workspace.home / "solution" / NAME
