"""What a step does to the files around it, found by how they are before it and after.

Here: what is looked at, and what has changed. A link counts as where it says that it leads, never
as what is there. Not here: keeping it and doing it again (``alo/store/results``).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from alo.files import checksum_of
from alo.history.entries.tree import Found, found_below
from alo.layout import Workspace
from alo.named_tuples import NamedTuple
from alo.store.results import Effect, lasting_checksum

ARTIFACTS = "_artifacts"
LOGS = "log"
MODELS = "models"
LARGE = 16_000_000  # bytes
PIECE = 1 << 20


class Snapshot(NamedTuple):
    """The files, links and folders below some folders, by their names in the project's folder."""

    files: Mapping[str, os.stat_result]
    links: Mapping[str, str]
    folders: frozenset[str]

    @classmethod
    def of(cls, home: Path, tops: Sequence[str]) -> Snapshot:
        """As they are now.

        Args:
            tops: the folders' names in ``home``.
        """
        files: dict[str, os.stat_result] = {}
        links: dict[str, str] = {}
        folders: set[str] = set()
        for top in tops:
            for found in _below(home, top):
                name = f"{top}/{found.name}"
                if found.status is not None:
                    files[name] = found.status
                elif found.kind == "link":
                    links[name] = os.readlink(found.path)
                else:
                    folders.add(name)
        return cls(files, links, frozenset(folders))

    def effect(self, after: Snapshot) -> Effect:
        """What has been done to them since."""
        files = [name for name, now in after.files.items() if _differ(self.files.get(name), now)]
        twins = _twins(files, after)
        kinds = zip(self, after, strict=True)
        gone = [name for before, now in kinds for name in before if name not in now]
        return Effect(
            tuple(sorted(name for name in files if name not in twins)),
            {name: at for name, at in sorted(after.links.items()) if self.links.get(name) != at},
            twins,
            tuple(sorted(after.folders - self.folders)),
            tuple(sorted(gone)),
        )


def seen_folders(workspace: Workspace, kind: str) -> tuple[str, ...]:
    """The folders in which a step of a pipeline sees what the steps before it have done."""
    places = [workspace.artifacts(kind), workspace.input(kind)]
    if kind == "inference":
        places.append(workspace.artifacts("train"))
    return tuple(str(place.relative_to(workspace.home)) for place in places)


def train_files(workspace: Workspace) -> dict[str, str]:
    """What an inference may read of the train run: the model, and the rest; a checksum each.

    Here what is behind links counts too, and of large files next to the model only when they were
    written.
    """
    artifacts = workspace.artifacts("train").name
    lines: dict[str, list[str]] = {"model": [], "other train artifacts": []}
    model, rest = lines.values()
    for found in sorted(_below(workspace.home, artifacts)):
        of_model = found.name.partition("/")[0] == MODELS
        content = _content(found, None if of_model else LARGE)
        (model if of_model else rest).append(f"{found.name}\0{content}\n")
    return {name: _checksum_of_lines(each) for name, each in lines.items()}


def _below(home: Path, top: str) -> Iterator[Found]:
    """What is below one of the folders; the logs in the artifacts are the run's own."""
    found = found_below(home / top)
    if not top.endswith(ARTIFACTS):
        return found
    return (each for each in found if each.name.partition("/")[0] != LOGS)


def _content(found: Found, large: int | None, above: Collection[str] = ()) -> str:
    """A text that differs where the content does.

    Args:
        large: from how many bytes on only the time of a file counts; None: never.
        above: folders that links have led to on the way.
    """
    path = Path(found.path)
    if found.kind == "folder":
        return "/"
    if found.kind == "file":
        return _of_file(path, large)
    behind = ""
    if path.is_file():
        behind = _of_file(path, large)
    elif path.is_dir():
        folder = os.path.realpath(path)
        if folder not in above and not _is_in(os.path.realpath(path.parent), folder):
            found_there = sorted(found_below(path))
            inner = (f"{e.name} {_content(e, large, (*above, folder))}" for e in found_there)
            behind = _checksum_of_lines(inner)
    return f"-> {os.readlink(path)} {behind}"


def _is_in(path: str, folder: str) -> bool:
    return f"{path}{os.sep}".startswith(f"{folder}{os.sep}")


def _of_file(path: Path, large: int | None) -> str:
    status = path.stat()
    if large is not None and status.st_size > large:
        return f"{status.st_size} {status.st_mtime_ns}"
    return lasting_checksum(path)


def _checksum_of_lines(lines: Iterable[str]) -> str:
    return checksum_of("\n".join(lines).encode("utf-8", "surrogateescape"))


def _differ(before: os.stat_result | None, now: os.stat_result) -> bool:
    if before is None or _stamp(before) != _stamp(now):
        return True
    # History may give a file a second name, and take it back: that is nobody's writing.
    return before.st_nlink == now.st_nlink == 1 and before.st_ctime_ns != now.st_ctime_ns


def _stamp(status: os.stat_result) -> tuple[int, ...]:
    return status.st_size, status.st_mtime_ns, status.st_ino


def _twins(written: Sequence[str], after: Snapshot) -> dict[str, str]:
    """Of the written files, those that are a second name of another one, and which."""
    if not any(after.files[name].st_nlink > 1 for name in written):
        return {}
    first: dict[tuple[int, int], str] = {}
    is_new = frozenset(written)
    for name in sorted(after.files, key=lambda name: (name in is_new, name)):
        first.setdefault((after.files[name].st_dev, after.files[name].st_ino), name)
    twins = {
        name: first[status.st_dev, status.st_ino]
        for name in written
        if (status := after.files[name]).st_nlink > 1
    }
    return {name: other for name, other in sorted(twins.items()) if other != name}


def holds(path: Path, text: bytes) -> bool:
    """Whether a text is in a file, which is read in chunks; a folder or a file that is gone: no."""
    try:
        with open(path, "rb", buffering=0) as file:
            before = b""
            while piece := file.read(PIECE):
                if text in before + piece:
                    return True
                before = piece[-len(text) :]
    except (FileNotFoundError, IsADirectoryError):
        pass
    return False
