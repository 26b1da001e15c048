"""One run at a time in a workspace: a lock that ends with its process, and a note of who has it."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import sleep

from alo.engine.messages import warning
from alo.engine.processes import lives
from alo.engine.unfinished import holder_of
from alo.errors import AloError, WorkspaceBusy
from alo.events import Listener
from alo.files import write_whole
from alo.layout import Workspace

POLL_S = 0.1
_held: dict[int, tuple[str, int]] = {}  # descriptor → workspace and thread, in this process


@contextmanager
def hold_workspace(
    workspace: Workspace, *, wait: bool, listener: Listener, what: str
) -> Iterator[bool]:
    """Have the workspace alone while inside; gives whether another run had it before.

    Args:
        what: for others who wait: what this run does.
    Raises:
        WorkspaceBusy: someone else has it and ``wait`` is false, or the caller has it already.
    """
    descriptor = _lock_now(workspace)
    is_taken = descriptor is None
    if descriptor is None:
        _refuse_waiting_for_oneself(workspace)
        if not wait:
            raise WorkspaceBusy(
                f"another run has this workspace: {_holder(workspace)}",
                where=str(workspace.home),
                fix="wait until it has ended, or leave --no-wait out to wait here",
            )
        descriptor = _lock_when_free(workspace, listener)
    try:
        _held[descriptor] = str(workspace.home), threading.get_ident()
        note = {"pid": os.getpid(), "what": what}
        with suppress(OSError):  # a full disk: others wait all the same, and are not told for whom
            write_whole(workspace.lock_holder, json.dumps(note).encode(), durable=False)
        yield is_taken
    finally:
        if _held.pop(descriptor, None):  # else we are a fork, which has closed it
            os.close(descriptor)


def _lock_when_free(workspace: Workspace, listener: Listener) -> int:
    told = ""
    while (descriptor := _lock_now(workspace)) is None:
        if (holder := _holder(workspace)) != told:
            told = holder
            listener(warning(f"waiting for another run in this workspace: {holder}"))
        sleep(POLL_S)
    return descriptor


def _refuse_waiting_for_oneself(workspace: Workspace) -> None:
    if (str(workspace.home), threading.get_ident()) in _held.values():
        raise WorkspaceBusy(
            f"this process has the workspace already: {_holder(workspace)}",
            where=str(workspace.home),
            fix="end the run that is open here first: save() or close() its pipeline",
        )


def _lock_now(workspace: Workspace) -> int | None:
    """The locked file's descriptor, or None where someone else has the lock."""
    try:
        workspace.internal.mkdir(exist_ok=True)
        descriptor = os.open(workspace.lock, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise AloError(
            f"cannot write to the project's folder: {error.strerror}",
            where=str(error.filename or workspace.home),
            fix="a run needs a project folder that it may write to",
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever deletes .alo/ while we open the lock leaves us one that no one else will ever see;
        # whoever does while a run has it, one that the run knows nothing of.
        is_ours = os.path.samestat(os.fstat(descriptor), os.stat(workspace.lock))
        if is_ours and not holder_of(workspace):
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError as error:
        os.close(descriptor)
        raise AloError(
            f"the project's folder cannot be locked: {error.strerror}",
            where=str(workspace.lock),
            fix="keep the project on a file system that has locks",
        ) from error
    os.close(descriptor)
    return None


def _close_in_child() -> None:
    """A flock is shared with forked children; one that outlives its parent must not keep it."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_close_in_child)


def _holder(workspace: Workspace) -> str:
    try:
        note = json.loads(workspace.lock_holder.read_bytes())
        if lives(note["pid"]):
            return f"{note['what']} (process {note['pid']})"
    except (OSError, ValueError, KeyError, TypeError):
        pass
    holder = holder_of(workspace)
    return f"process {holder}" if holder else "it has just begun"
