"""One run at a time in a workspace: a lock that ends with its process, and a note of who has it."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep

from alo.engine.messages import warning
from alo.errors import AloError, WorkspaceBusy
from alo.events import Listener
from alo.files import write_whole
from alo.layout import Workspace

POLL_S = 0.1
_held: set[int] = set()  # descriptors of this process, for the children it forks


@contextmanager
def hold_workspace(
    workspace: Workspace, *, wait: bool, listener: Listener, what: str
) -> Iterator[bool]:
    """Have the workspace alone while inside; gives whether another run had it before.

    Args:
        what: for others who wait: what this run does.
    Raises:
        WorkspaceBusy: someone else has it and ``wait`` is false.
    """
    descriptor = _lock_now(workspace)
    if is_taken := descriptor is None:
        holder = _holder(workspace)
        if not wait:
            raise WorkspaceBusy(
                f"another run has this workspace: {holder}",
                where=str(workspace.home),
                fix="wait until it has ended, or leave --no-wait out to wait here",
            )
        listener(warning(f"waiting for another run in this workspace: {holder}"))
        while (descriptor := _lock_now(workspace)) is None:
            sleep(POLL_S)
    try:
        note = {"pid": os.getpid(), "what": what}
        write_whole(workspace.lock_holder, json.dumps(note).encode(), durable=False)
        yield is_taken
    finally:
        _held.discard(descriptor)
        os.close(descriptor)


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
        # Whoever deletes .alo/ while we open the lock leaves us one that no one else will ever see.
        if os.path.samestat(os.fstat(descriptor), os.stat(workspace.lock)):
            _held.add(descriptor)
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
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
        return f"{note['what']} (process {note['pid']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "it has just begun"
