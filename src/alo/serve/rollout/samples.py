"""Requests that went well, kept to be asked again: of a new model, or of one in the shadow.

They are in ``.alo/samples/``, a folder each, and outlive the service: the next one checks the model
that it starts with as a running one checks a new model.
"""

from __future__ import annotations

import json
import os
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

from alo.files import remove_tree, set_mode, write_new, write_whole
from alo.json_text import json_file
from alo.layout import Workspace
from alo.workers.protocol import NO_FILES, Request

FILE = "request.json"
DUE_S = 10.0  # without a shadow, one sample in so many seconds is enough
LEFT_S = 3600.0  # what other services have left is removed when it is older
MOST = 101  # as many as may wait for a shadow, and the newest


class Samples:
    """Those of one service; the newest of any service counts until there is an own one."""

    def __init__(self, workspace: Workspace) -> None:
        self._root = workspace.internal / "samples"
        self._own: deque[Path] = deque()
        self._kept_at = float("-inf")
        self.newest: Request | None = self._left_by_others()

    @property
    def is_due(self) -> bool:
        """Whether the last request was kept so long ago that another one is to be."""
        return time.monotonic() > self._kept_at + DUE_S

    def keep(self, request: Request, *, takes_data: bool) -> Request:
        """Keep a request that has been answered; returns it as it can be asked again.

        Args:
            takes_data: its data is not needed any more and is moved here; else it stays where
                it is, and need not be there when it is asked for.
        Raises:
            OSError: it cannot be kept.
        """
        folder = self._root / f"{request.id}-{os.urandom(3).hex()}"
        folder.mkdir(parents=True)
        self._own.append(folder)
        while len(self._own) > MOST:
            remove_tree(self._own.popleft())
        kept = request._replace(exports=False)
        if request.files:
            write_new(request.files, folder)
            tops = sorted({name.partition("/")[0] for name in request.files})
            kept = kept._replace(data=tuple(f"{folder}/{top}" for top in tops), files=NO_FILES)
        elif takes_data:
            kept = kept._replace(data=tuple(_moved(path, folder) for path in request.data))
        self._kept_at, self.newest = time.monotonic(), kept
        self._write(folder, kept)
        return kept

    def _write(self, folder: Path, request: Request) -> None:
        content = request._asdict()
        write_whole(folder / FILE, json.dumps(content, default=str).encode(), durable=False)
        set_mode(folder, 0o700)  # what a client sent is for no one else

    def _left_by_others(self) -> Request | None:
        """The newest sample there is; old ones go."""
        found: list[tuple[float, Path]] = []
        for path in self._root.glob(f"*/{FILE}"):
            with suppress(OSError):
                found.append((path.stat().st_mtime, path))
        found.sort(reverse=True)
        for when, path in found[1:]:
            if time.time() - when > LEFT_S:
                with suppress(OSError):
                    remove_tree(path.parent)
        return _read(found[0][1]) if found else None


def _moved(path: str, folder: Path) -> str:
    target = folder / os.path.basename(path)
    os.rename(path, target)
    return str(target)


def _read(path: Path) -> Request | None:
    try:
        content = json_file(path)
        return Request(**{**content, "data": tuple(content["data"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
