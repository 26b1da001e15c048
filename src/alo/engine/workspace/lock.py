"""One run at a time in a workspace, whichever process, container or machine it is of."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep

from alo.claims import Claim, Holder, holder_of, ours, take
from alo.errors import AloError, WorkspaceBusy
from alo.events.log_lines import warning
from alo.events.types import Listener
from alo.layout import Workspace

POLL_S = 0.1
_held: dict[Claim, tuple[str, threading.Thread]] = {}  # workspace, and who took it here


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
    claim = _claim_now(workspace, what)
    is_taken = claim is None
    if claim is None:
        _refuse_waiting_for_oneself(workspace)
        if not wait:
            raise WorkspaceBusy(
                f"another run has this workspace: {_holder(workspace)}",
                where=str(workspace.home),
                fix="wait until it has ended, or leave --no-wait out to wait here",
            )
        claim = _claim_when_free(workspace, what, listener)
    if claim.is_without_lock:
        what = (
            "has no locks: a run that another container or machine begins at the very same moment"
        )
        listener(warning(f"the disk of {workspace.internal} {what} is not noticed"))
    try:
        _held[claim] = str(workspace.home), threading.current_thread()
        yield is_taken
    finally:
        _held.pop(claim, None)
        claim.release()


def _claim_when_free(workspace: Workspace, what: str, listener: Listener) -> Claim:
    shown = ""
    while (claim := _claim_now(workspace, what)) is None:
        holder = _holder(workspace)  # without a note it has just begun, or is about to end
        if str(holder) != shown and (holder.what or not shown):
            shown = str(holder)
            listener(warning(f"waiting for another run in this workspace: {shown}"))
        sleep(POLL_S)
    return claim


def _refuse_waiting_for_oneself(workspace: Workspace) -> None:
    """No one else would give it back: the caller has it, or a thread of this process that ended."""
    here = threading.current_thread()
    for home, thread in _held.values():
        if home == str(workspace.home) and (thread is here or not thread.is_alive()):
            raise WorkspaceBusy(
                f"this process has the workspace already: {_holder(workspace)}",
                where=str(workspace.home),
                fix="end the run in progress here first (of a notebook: save() or close() it); "
                "an asset cannot run its own project",
            )


def _claim_now(workspace: Workspace, what: str) -> Claim | None:
    """The claim, or None where someone else has it."""
    try:
        workspace.internal.mkdir(exist_ok=True)
        claim = take(workspace.lock, what)
    except OSError as error:
        raise _unusable(workspace, error) from error
    if claim is not None and _runs_without_lock(workspace) is not None:
        claim.release()
        return None
    return claim


def _unusable(workspace: Workspace, error: OSError) -> AloError:
    if error.filename is None:  # it could be opened
        return AloError(
            f"the project's folder cannot be locked: {error.strerror}",
            where=str(workspace.lock),
            fix="keep the project on a file system that has locks",
        )
    return AloError(
        f"cannot write to the project's folder: {error.strerror}",
        where=str(error.filename),
        fix="a run needs a project folder that it may write to",
    )


def _runs_without_lock(workspace: Workspace) -> Holder | None:
    """The other process whose run continues though it has lost the lock: ``.alo/`` was deleted."""
    return None if ours(workspace.run_lock) else holder_of(workspace.run_lock)


def _holder(workspace: Workspace) -> Holder:
    return holder_of(workspace.lock) or _runs_without_lock(workspace) or Holder()


os.register_at_fork(after_in_child=_held.clear)  # a fork does not have it
