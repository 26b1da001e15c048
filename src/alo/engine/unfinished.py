"""What a run replaces is kept until it has succeeded, and put back if it has not (spec 5).

While a run goes on there is ``.unfinished_run/`` in the project: ``run.json`` says which run,
``previous/`` holds what stood there before. Every step below is a rename, and each may be the last
one before a kill: ``put_back`` and ``discard`` can be begun again at any point.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from alo.files import remove_tree, write_whole
from alo.layout import TRASH_PREFIX, Workspace


class UnfinishedRun:
    """The journal of the run in progress, and what it has moved out of the way."""

    def __init__(self, workspace: Workspace, info: Mapping[str, object]) -> None:
        self.workspace, self.info = workspace, info

    @property
    def run_id(self) -> str:
        return str(self.info["id"])

    @property
    def kind(self) -> str:
        return str(self.info["pipeline"])

    def replace_models(self, *, borrowed: bool) -> None:
        """Move ``train_artifacts/models/`` aside, to be put back if the run fails.

        Args:
            borrowed: put it back in any case.
        """
        if borrowed:
            self.info = {**self.info, "models": "borrowed"}
            _write(self.workspace, self.info)
        self.workspace.models.mkdir(parents=True, exist_ok=True)
        os.rename(self.workspace.models, self._previous("models"))

    def put_back(self) -> None:
        """Undo: the previous artifacts stand again, with this run's log files in them."""
        self._put_back_models()
        previous, live = self._previous("artifacts"), self.workspace.artifacts(self.kind)
        if previous.is_dir():
            if live.is_dir():
                _keep_logs(live / "log", previous / "log")
                os.rename(live, self._dropped("artifacts"))
            os.rename(previous, live)
        self._discard_folder()

    def discard(self) -> None:
        """The run has succeeded: drop what it replaced."""
        if self.info.get("models") == "borrowed":
            self._put_back_models()
        self._discard_folder()

    def _put_back_models(self) -> None:
        if self._previous("models").is_dir():
            if self.workspace.models.is_dir():
                os.rename(self.workspace.models, self._dropped("models"))
            self.workspace.models.parent.mkdir(parents=True, exist_ok=True)
            os.rename(self._previous("models"), self.workspace.models)

    def _discard_folder(self) -> None:
        self.workspace.internal.mkdir(exist_ok=True)
        trash = self.workspace.trash()
        os.rename(self.workspace.unfinished, trash)  # from here on the run is no longer unfinished
        remove_tree(trash)

    def _previous(self, what: str) -> Path:
        return self.workspace.unfinished / "previous" / what

    def _dropped(self, what: str) -> Path:
        dropped = self.workspace.unfinished / "dropped"
        dropped.mkdir(exist_ok=True)
        return dropped / f"{what}-{os.urandom(4).hex()}"


def begin(workspace: Workspace, info: Mapping[str, object]) -> UnfinishedRun:
    """Note the run in the journal, move the previous artifacts aside and make empty ones.

    Args:
        info: ``id`` and ``pipeline`` (train or inference) at least; JSON.
    """
    live = workspace.artifacts(str(info["pipeline"]))
    (workspace.unfinished / "previous").mkdir(parents=True)
    _write(workspace, info)
    live.mkdir(exist_ok=True)
    os.rename(live, workspace.unfinished / "previous" / "artifacts")
    (live / "log").mkdir(parents=True)
    return UnfinishedRun(workspace, info)


def find(workspace: Workspace) -> UnfinishedRun | None:
    """The run that a killed process left behind, if any; also sweeps what is only waste."""
    for trash in workspace.internal.glob(f"{TRASH_PREFIX}*"):
        remove_tree(trash)
    if not workspace.unfinished.is_dir():
        return None
    try:
        info = json.loads(workspace.journal.read_bytes())
        return UnfinishedRun(workspace, {"id": info["id"], "pipeline": info["pipeline"], **info})
    except (OSError, ValueError, KeyError, TypeError):
        # Killed before the journal was written: nothing had been moved.
        if not any((workspace.unfinished / "previous").glob("*")):
            remove_tree(workspace.unfinished)
            return None
        raise


def has_artifacts_of(run: UnfinishedRun) -> bool:
    """Whether the artifacts folder is the run's own, not what was there before it."""
    return (run.workspace.unfinished / "previous" / "artifacts").is_dir()


def _write(workspace: Workspace, info: Mapping[str, object]) -> None:
    write_whole(workspace.journal, json.dumps(info, default=str).encode())


def _keep_logs(source: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for log in source.glob("*.log"):
        os.replace(log, target / log.name)
