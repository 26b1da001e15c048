"""What a run replaces is kept until it has succeeded, and put back if it has not (spec 5).

While a run is in progress the project has ``.unfinished_run/``: ``run.json`` says which run,
``previous/`` holds what stood there before, and an empty ``train/`` or ``inference/`` says whose it
was should the journal be damaged. Every step below is a rename, and each may be the last
one before a kill: ``put_back`` and ``discard`` can be begun again at any point.

Where a folder cannot be renamed in one (``files:move_aside``) it is on its way until all of it has
been moved, and what has been is put back.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from alo.claims import left_behind, ours, take
from alo.errors import RunError
from alo.events.journal import EVENTS_LOG
from alo.files import discard, move_aside, return_half, sweep_leftovers, write_whole
from alo.json_text import DEEPEST, json_file
from alo.layout import KINDS, RERUN_PREFIX, SCRATCH_PREFIX, TRASH_PREFIX, Workspace
from alolib.disk import fix_of


class UnfinishedRun:
    """The journal of the run in progress, and what it has moved out of the way."""

    def __init__(self, workspace: Workspace, info: Mapping[str, object]) -> None:
        self.workspace, self.info = workspace, info

    @property
    def run_id(self) -> str:
        """The id of the run in progress."""
        return str(self.info["id"])

    @property
    def kind(self) -> str:
        """Its pipeline: ``train`` or ``inference``."""
        return str(self.info["pipeline"])

    @property
    def replaced_artifacts(self) -> Path:
        """The artifacts folder that was there before the run."""
        return self._previous("artifacts")

    def note(self, **more: object) -> None:
        """Add to the journal; JSON."""
        self.info = {**self.info, **more}
        _write(self.workspace, self.info)

    def replace_models(self, *, borrowed: bool) -> None:
        """Move ``train_artifacts/models/`` aside, to be put back if the run fails.

        Args:
            borrowed: put it back in any case.
        """
        if borrowed:
            self.note(models="borrowed")
        self._set_aside(self.workspace.models, "models")

    def replace_artifacts(self) -> None:
        """Move the artifacts folder aside, and make an empty one."""
        live = self.workspace.artifacts(self.kind)
        self._set_aside(live, "artifacts")
        (live / "log").mkdir(parents=True)

    def put_back(self, then: Callable[[], object] = lambda: None) -> None:
        """Undo: the previous artifacts are back, with this run's log files in them.

        Args:
            then: what is to be put in order with them; it is done again should this be cut off.
        """
        self._put_back("models", self.workspace.models)
        live = self.workspace.artifacts(self.kind)
        self._put_back("artifacts", live)
        for dropped in self.workspace.unfinished.glob("dropped/artifacts-*"):
            _keep_logs(dropped / "log", live / "log")
        then()
        self._discard_folder()

    def discard(self) -> None:
        """The run has succeeded: drop what it replaced."""
        if self.info.get("models") == "borrowed":
            self._put_back("models", self.workspace.models)
        self._discard_folder()

    def _set_aside(self, live: Path, what: str) -> None:
        if not live.is_symlink():
            live.mkdir(parents=True, exist_ok=True)
        move_aside(live, self._previous(what))

    def _put_back(self, what: str, live: Path) -> None:
        previous = self._previous(what)
        return_half(previous, live)
        if os.path.lexists(previous):
            if os.path.lexists(live):
                os.rename(live, self._dropped(what))
            live.parent.mkdir(exist_ok=True)
            os.rename(previous, live)

    def _discard_folder(self) -> None:
        trash, claim = self.workspace.trash(), ours(self.workspace.run_lock)
        os.rename(self.workspace.unfinished, trash)  # from here on the run is no longer unfinished
        if claim is not None:
            claim.release()
        discard(trash)

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
    Raises:
        RunError: the previous artifacts cannot be moved.
    """
    (workspace.unfinished / "previous").mkdir(parents=True)
    take(workspace.run_lock, str(info["id"]))
    (workspace.unfinished / "dropped").mkdir()  # a full disk would not let us later
    (workspace.unfinished / str(info["pipeline"])).mkdir()
    _write(workspace, info)
    run = UnfinishedRun(workspace, info)
    try:
        run.replace_artifacts()
    except OSError as error:
        live = workspace.artifacts(run.kind)
        other = "make it an ordinary folder on the project's own disk, not a mount point"
        raise RunError(
            f"{live.name}/ cannot be moved aside for the run: {error.strerror}",
            where=str(live),
            fix=fix_of(error, other=other),
        ) from error
    return run


def sweep_copies(workspace: Workspace) -> None:
    """Remove the copies of the project that killed processes have left."""
    for folder in _beginning_with(workspace.internal, RERUN_PREFIX):
        with suppress(OSError), left_behind(folder) as is_left:
            if is_left:
                discard(folder)


def find(workspace: Workspace) -> UnfinishedRun | None:
    """The run that a killed process left behind, if any; also sweeps what is only waste.

    What a run has replaced is put back at once where its journal does not say which run it was.

    Raises:
        RunError: what is left behind has been damaged by hand, so that its owner is not known.
    """
    with suppress(FileNotFoundError):
        sweep_leftovers(workspace.internal)
    for folder, prefix in (
        (workspace.home, TRASH_PREFIX),
        (workspace.internal, SCRATCH_PREFIX),
    ):
        for waste in _beginning_with(folder, prefix):
            discard(waste)
    sweep_copies(workspace)
    if not workspace.unfinished.is_dir():
        return None
    try:
        return UnfinishedRun(workspace, _checked(_read(workspace)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        _put_back_unknown(workspace, error)
        return None


def _checked(info: dict[str, Any]) -> dict[str, Any]:
    """A journal that names a run: what it says is where folders are moved to."""
    if info["pipeline"] not in KINDS or not isinstance(info["id"], str) or not info["id"]:
        raise ValueError("it names no run")
    return info


def _put_back_unknown(workspace: Workspace, reason: Exception) -> None:
    """Undo a run of which only its folder is known."""
    # Killed before the journal was written: nothing had been moved.
    if not any((workspace.unfinished / "previous").glob("*")):
        discard(workspace.unfinished)
        return
    kinds = [kind for kind in KINDS if (workspace.unfinished / kind).is_dir()]
    if len(kinds) != 1:
        raise RunError(
            f"the journal of a run that was killed cannot be read: {reason}",
            where=str(workspace.journal),
            fix=f"move what is in {workspace.unfinished}/previous/ back to its place by hand "
            "(artifacts/ is train_artifacts/ or inference_artifacts/), and delete the folder",
        ) from reason
    UnfinishedRun(workspace, {"pipeline": kinds[0]}).put_back()


def has_artifacts_of(run: UnfinishedRun) -> bool:
    """Whether the artifacts folder is the run's own, not what was there before it."""
    return (run.workspace.unfinished / "previous" / "artifacts").is_dir()


def _write(workspace: Workspace, info: Mapping[str, object]) -> None:
    # Not durable: after a power failure the artifacts can be put back without it (``find``), and
    # waiting for the disk would cost every run some milliseconds.
    write_whole(workspace.journal, json.dumps(info, default=str).encode(), durable=False)


def _read(workspace: Workspace) -> dict[str, Any]:
    """The journal; what is in it is for the caller to check."""
    info = json_file(workspace.journal, deepest=DEEPEST)
    if not isinstance(info, dict):
        raise TypeError("not an object")
    return info


def _keep_logs(source: Path, target: Path) -> None:
    for log in (*source.glob("*.log"), *source.glob(EVENTS_LOG)):
        target.mkdir(exist_ok=True)
        os.replace(log, target / log.name)


def _beginning_with(folder: Path, prefix: str) -> list[Path]:
    """What is in a folder under such names; by glob, each run would compile a pattern."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [folder / name for name in names if name.startswith(prefix)]
