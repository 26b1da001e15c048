"""The folders in which a worker's requests run, and what a request may have left running there."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from alo.copies import copy_folder
from alo.files import discard, empty_folder, make_link
from alo.history.entries.tree import copy_tree
from alo.layout import Workspace

GRACE_S = 0.05  # for threads that are just ending


class RequestFolders:
    """The workspace that assets are given; of one that threads still know, no name comes again.

    Args:
        home: a folder that does not exist; it and those of its name are the worker's own.
        models: the folder whose models are used; a copy of it is.
    """

    def __init__(self, project: Workspace, home: Path, models: Path) -> None:
        self._project, self._first, self._count = project, Workspace(home), 0
        self.current = self._first
        home.mkdir(parents=True)
        _link(project.assets, self.current.assets)
        copy_tree(models, self.current.models)

    def clean(self) -> None:
        """Nothing of one request is there for the next, but folders that each of them needs.

        Making a file or folder costs a disk the more, the more of them have just been removed.
        """
        artifacts = str(self.current.artifacts("inference"))
        # Each request pays for this. No one mounts volumes in folders whose names are random.
        empty_folder(str(self.current.input("inference")), may_hold_volumes=False)
        empty_folder(artifacts, stays="log", may_hold_volumes=False)

    def renew(self) -> None:
        """Use names that no request has been given; what the last one has made goes."""
        last, first = self.current, self._first
        self._count += 1
        fresh = Workspace(first.home.with_name(f"{first.home.name}.{self._count}"))
        fresh.home.mkdir()
        _link(self._project.assets, fresh.assets)
        _link(first.models, fresh.models)
        self.current = fresh
        if last is first:  # it has the code and the models
            discard(first.home / "input")
            discard(first.artifacts("inference"))
        else:
            discard(last.home)


def _link(target: Path, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    if not make_link(str(target), path):
        copy_folder(target, path)


class Leftovers:
    """Knows what a request has left running, by what ran before it."""

    def __init__(self) -> None:
        self._before = _running()

    def of_request(self) -> list[str]:
        """The threads and processes that are new and still run, as messages name them."""
        new = _running().keys() - self._before.keys()
        if not new:
            return []
        end = time.monotonic() + GRACE_S
        for each in new:
            if isinstance(each, threading.Thread):
                each.join(max(0.0, end - time.monotonic()))
        now = _running()
        return [now[each] for each in new if each in now]


def _running() -> dict[threading.Thread | int, str]:
    """Threads, and processes that this one has started, each with words for it."""
    found: dict[threading.Thread | int, str] = {
        thread: f"thread {thread.name!r}" for thread in threading.enumerate()
    }
    found.update((pid, f"process {pid}") for pid in _children())
    return found


def _children() -> list[int]:
    """Processes that this one has started and that run; without ``/proc``, none are known."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:  # the usual case costs one call
        return []
    from alo.processes.resources import running_children

    return running_children()
