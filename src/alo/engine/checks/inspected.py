"""Which assets were inspected before the last run and found well, so that the next run need not
parse them again.

An asset counts as inspected while every path that its inspection has looked at is as it was, and
so is what is installed. A run writes that; ``alo check`` always looks at all of it. Should a change
not be seen (same size, same times), a problem shows when the step runs in place of before the run;
what a step's result depends on is decided by content alone (``steps/dependencies.py``).
"""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alo.errors import Problem
from alo.files import write_whole
from alo.json_text import json_file
from alo.version import __version__

# What is younger may change once more without another time: file systems count up to 2 s at once.
SETTLED_NS = 2_000_000_000
MISSING, FOLDER = [0], [1]


class Inspected:
    """The inspections of one project.

    Args:
        file: where they are remembered; it may be damaged, or not there.
    """

    def __init__(self, file: Path) -> None:
        self._file, self._here = file, _here()
        self._stamps: dict[str, Sequence[int]] = {}  # by path, as they are now
        self._known: dict[str, Any] = {}  # asset → whether it installs, and path → stamp
        self._is_new = False
        try:
            here, known = json_file(file)
        except (OSError, ValueError, TypeError):
            return
        if here == self._here and isinstance(known, dict):
            self._known = known

    def problems(self, folder: Path, step: str, *, home: Path, installs: bool) -> list[Problem]:
        """What is wrong with a step's asset, as ``inspect_asset`` finds it."""
        name = os.fspath(folder)
        if self._is_known(name, installs):
            return []
        from alo.sources.code.inspection import inspection_of  # with what parses Python

        self._known.pop(name, None)
        self._is_new = True
        started_ns = time.time_ns()
        found = inspection_of(folder, step, home=home, installs=installs)
        stamps = {path: _stamp(path) for path in found.looked_at}
        newest = max((max(each[:2]) for each in stamps.values()), default=0)
        if found.is_lasting and not found.problems and newest < started_ns - SETTLED_NS:
            self._known[name] = [installs, stamps]
        return found.problems

    def keep(self) -> None:
        """Remember what has been found well.

        Raises:
            OSError: the file cannot be written.
        """
        if self._is_new and _here() == self._here:
            self._file.parent.mkdir(exist_ok=True)
            write_whole(self._file, json.dumps([self._here, self._known]).encode(), durable=False)

    def _is_known(self, name: str, installs: bool) -> bool:
        try:
            knew, stamps = self._known[name]
            return knew == installs and all(map(self._is_as_it_was, stamps, stamps.values()))
        except (LookupError, TypeError, ValueError, AttributeError):
            return False

    def _is_as_it_was(self, path: str, stamp: object) -> bool:
        if path not in self._stamps:  # many assets look for the same modules
            self._stamps[path] = _stamp(path)
        return self._stamps[path] == stamp


def _here() -> list[object]:
    """What is installed: installers make and remove names in the folders that Python looks in."""
    return [__version__, sys.version, [[path, *_folder_stamp(path)] for path in sys.path]]


def _folder_stamp(path: str) -> Sequence[int]:
    try:
        found = os.stat(path or ".")
    except OSError:
        return MISSING
    return [found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def _stamp(path: str) -> Sequence[int]:
    """What differs as soon as a file has changed. What is in a folder has a stamp of its own."""
    try:
        found = os.stat(path)
    except OSError:
        return MISSING
    if not stat.S_ISREG(found.st_mode):
        return FOLDER
    return [found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino]
