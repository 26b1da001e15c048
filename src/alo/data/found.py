"""What is in ``input/<kind>/`` now: every file with its state, and every folder."""

import stat
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from alo.data.manifest import State
from alo.files import entries_of
from alo.named_tuples import NamedTuple

TYPE = stat.S_IFMT(0xFFFF)  # the bits of a mode that distinguish a file from a folder
LINK: State = (-1, -1, -1)  # stands for what is no regular file: never equal to a remembered state


class Found(NamedTuple):
    """What is in ``input/<kind>/``."""

    files: list[tuple[str, int, int, int]]  # name and state; links count as files
    folders: list[str]  # parents before what they hold
    has_empty: bool  # whether there is nothing in one of them

    @property
    def columns(self) -> Sequence[Sequence[Any]]:
        """Names, sizes, mtimes and ctimes, in the order of names."""
        return list(zip(*sorted(self.files, key=itemgetter(0)), strict=True)) or [()] * 4

    @property
    def states(self) -> dict[str, State]:
        """By name."""
        return {name: (size, mtime, ctime) for name, size, mtime, ctime in self.files}


def found_in(root: Path) -> Found:
    """All that is below a folder."""
    files: list[tuple[str, int, int, int]] = []
    folders: list[str] = []
    waiting, has_empty = [""], False
    while waiting:
        prefix = waiting.pop()
        before = len(files), len(folders)
        with entries_of(f"{root}/{prefix}") as entries:
            for entry in entries:
                name, found = prefix + entry.name, entry.stat(follow_symlinks=False)
                kind = found.st_mode & TYPE  # no call for each of many files
                if kind == stat.S_IFREG:
                    files.append((name, found.st_size, found.st_mtime_ns, found.st_ctime_ns))
                elif kind == stat.S_IFDIR:
                    folders.append(name)
                    waiting.append(f"{name}/")
                else:
                    files.append((name, *LINK))
        has_empty = has_empty or (bool(prefix) and before == (len(files), len(folders)))
    return Found(files, folders, has_empty)


def folders_of(names: Sequence[str]) -> set[str]:
    """Every folder that these files need, or that is one of them."""
    folders = {name.rpartition("/")[0] for name in names}
    for folder in list(folders):
        while folder := folder.rpartition("/")[0]:
            folders.add(folder)
    return folders - {""}
