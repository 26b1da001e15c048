"""What is in ``input/<kind>/`` now: every file with its state, and every folder."""

from collections.abc import Sequence
from pathlib import Path

from alo.data.manifest import State
from alo.files import entries_of
from alo.named_tuples import NamedTuple

LINK: State = (-1, -1, -1)  # stands for what is no regular file: never equal to a remembered state


class Found(NamedTuple):
    """What is in ``input/<kind>/``."""

    files: list[tuple[str, int, int, int]]  # name and state; links count as files
    folders: list[str]  # parents before what they hold

    @property
    def states(self) -> dict[str, State]:
        """By name."""
        return {name: (size, mtime, ctime) for name, size, mtime, ctime in self.files}


def found_in(root: Path) -> Found:
    """All that is below a folder."""
    files: list[tuple[str, int, int, int]] = []
    folders: list[str] = []
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        with entries_of(f"{root}/{prefix}") as entries:
            for entry in entries:
                name = prefix + entry.name
                if entry.is_dir(follow_symlinks=False):
                    folders.append(name)
                    waiting.append(f"{name}/")
                elif entry.is_file(follow_symlinks=False):
                    found = entry.stat(follow_symlinks=False)  # no call for each of many files
                    files.append((name, found.st_size, found.st_mtime_ns, found.st_ctime_ns))
                else:
                    files.append((name, *LINK))
    return Found(files, folders)


def folders_of(names: Sequence[str]) -> set[str]:
    """Every folder that these files need, or that is one of them."""
    folders = {name.rpartition("/")[0] for name in names}
    for folder in list(folders):
        while folder := folder.rpartition("/")[0]:
            folders.add(folder)
    return folders - {""}
