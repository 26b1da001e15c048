"""What a service has in the project, ``.alo/serve/<name>/``, and whether it still runs.

The claim ``.alo/claims/<name>`` says so. What a service has left that was killed is removed by the
next one, or by one that runs. Its claim stays for a while: it is how others of the same machine
know at once that the requests of that service are no one's any more.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from alo.claims import Claim, died_here, holder_of, take
from alo.errors import ServeError
from alo.files import remove_tree
from alo.history.entries.tree import copy_tree
from alo.layout import Workspace

PINNED = "models-"
KEPT_S = 86400.0  # for so long the claims of dead services stay
_EARLIER = re.compile(r"(?:(?:serve|loop)-)?(\d{1,7})(?: (\d+))?")


class ServiceFolder:
    """That of a service of this process."""

    def __init__(self, path: Path, claim: Claim, what: str) -> None:
        self.path, self._claim, self._what = path, claim, what

    @property
    def name(self) -> str:
        """Like that of no other service, wherever it runs."""
        return self.path.name

    def worker_names(self, count: int) -> list[str]:
        """Names for its workers where all services of all projects see them."""
        return [f"{self.name}-{number}" for number in range(count)]

    def pin(self, models: Path) -> Path:
        """A copy of a folder of models that stays as it is; the workers make theirs of it.

        Raises:
            OSError: it cannot be made.
        """
        target = self.path / f"{PINNED}{os.urandom(3).hex()}"
        if models.is_dir():
            copy_tree(models, target)
        else:
            target.mkdir()
        return target

    def unpin(self, but: Path) -> None:
        """Remove the copies of models, but for one."""
        for path in self.path.glob(f"{PINNED}*"):
            if path != but:
                remove_tree(path)

    def restore(self) -> None:
        """Make it anew where ``.alo/`` was deleted while the service runs.

        Raises:
            OSError: it cannot be made.
        """
        claim = self._claim.path
        if not claim.exists():
            claim.parent.mkdir(parents=True, exist_ok=True)
            self._claim.release()
            self._claim = take(claim, self._what) or self._claim
        self.path.mkdir(parents=True, exist_ok=True)

    def remove(self) -> None:
        """The service has ended."""
        with suppress(OSError):  # what is left goes with the next service
            remove_tree(self.path)
        self._claim.release(remove=True)


def make_folder(workspace: Workspace, kind: str) -> ServiceFolder:
    """A folder for a new service of a kind, serve or loop."""
    sweep(workspace)
    name = f"{kind}-{os.urandom(6).hex()}"
    path, claim_path = folder_of(workspace, name), _claim_of(workspace, name)
    claim_path.parent.mkdir(parents=True, exist_ok=True)
    what = f"alo {kind}"
    claim = take(claim_path, what)
    if claim is None:
        raise ServeError("the project's folder .alo/ was deleted just now", where=str(claim_path))
    path.mkdir(parents=True)  # after its claim: without one it would be no one's
    return ServiceFolder(path, claim, what)


def names_of_live(workspace: Workspace, kind: str) -> Iterator[str]:
    """The services of a kind that run, in whichever container."""
    for path in _listed(folder_of(workspace, "")):
        if path.name.startswith(f"{kind}-") and lives(workspace, path.name):
            yield path.name


def folder_of(workspace: Workspace, name: str) -> Path:
    """The folder of a service; one service of this name at a time uses it."""
    return workspace.internal / "serve" / name


def lives(workspace: Workspace, name: str) -> bool:
    """Whether the service of this name runs; of another machine, as far as is known."""
    return holder_of(_claim_of(workspace, name)) is not None or _earlier_process(name) != 0


def earlier_services(workspace: Workspace) -> list[int]:
    """The processes of the services of ALO 0.1.0 that run in the project."""
    found = (_earlier_process(path.name) for path in _listed(folder_of(workspace, "")))
    return [process for process in found if process]


def _earlier_process(name: str) -> int:
    """The process of a service that has no claim, as those of ALO 0.1.0; 0: it has ended.

    Args:
        name: of its folder (``loop-549``), or as the owner of a request (``549 18273``).
    """
    named = _EARLIER.fullmatch(name)
    process = int(named[1]) if named else 0
    if named is None or process == os.getpid():
        return 0
    try:
        began = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()[19]
    except OSError:
        return 0
    return process if named[2] in (None, began.decode()) else 0


def has_worker_died(workspace: Workspace, worker: str) -> bool:
    """Whether a worker of this name is known to have died on this machine.

    Of one of another machine, or of another copy of the project, this cannot be known.
    """
    name = worker.rpartition("-")[0]
    is_name = re.fullmatch(r"[a-z]+-[0-9a-f]+", name)
    return is_name is not None and died_here(_claim_of(workspace, name))


def sweep(workspace: Workspace) -> None:
    """Remove what services have left that do not run any more."""
    for path in _listed(folder_of(workspace, "")):
        with suppress(OSError):  # another one sweeps too, or a worker is just ending
            if not lives(workspace, path.name):
                remove_tree(path)
    for claim in _listed(_claim_of(workspace, "")):
        with suppress(OSError):
            is_old = abs(time.time() - claim.stat().st_mtime) > KEPT_S
            if is_old and not lives(workspace, claim.name):
                claim.unlink()


def _claim_of(workspace: Workspace, name: str) -> Path:
    return workspace.internal / "claims" / name


def _listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
