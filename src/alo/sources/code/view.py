"""The code that steps import: from which folder it comes, and as what it is read.

A run is made with the code as it was when it began, whatever an editor does meanwhile; and with
that of its own project folder, wherever else a step's ``sys.path`` leads.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES
from types import ModuleType

from alo.layout import OWN_FOLDERS, in_entry
from alo.named_tuples import NamedTuple

MODULES = (*SOURCE_SUFFIXES, *EXTENSION_SUFFIXES)


class Source(NamedTuple):
    """A file of code as it was."""

    copy: str  # ours
    size: int  # of the file when it was copied
    mtime_ns: int


class CodeView:
    """The code of one project folder.

    Args:
        home: the folder that holds ``assets/``.
        workspace: what assets are given as the project's folder, where that is another one: its
            modules are looked for in ``home``.
        shown: the history entry that ``home`` is a copy of; tracebacks name its files.
    """

    def __init__(self, home: str, *, workspace: str = "", shown: str = "") -> None:
        self.home, self._shown = home, shown
        self._workspace = workspace if workspace != home else ""
        self._moved_to = ""
        self.sources: dict[str, Source] = {}  # by path: what must be read as it was
        self.read: dict[str, bytes] = {}  # path → content, of what else has been read
        # By name and path: what need not be made anew when it is imported.
        self.known: Mapping[tuple[str, str], ModuleType] = {}

    def __reduce__(self) -> tuple[object, ...]:
        """For another process, which has imported nothing yet."""
        view = (self.home, self._moved_to or self._workspace, self._shown, self.sources)
        return _view, view

    def freeze(self, name: str, copy: str | os.PathLike[str]) -> None:
        """From here on a file of this name in the project is read as the copy of it is."""
        if name.endswith(MODULES):
            status = os.stat(copy)  # which has the time of its original
            source = Source(os.fspath(copy), status.st_size, status.st_mtime_ns)
            self.sources[os.path.join(self.home, name)] = source

    def thaw(self, name: str) -> None:
        """The file is read as it is again."""
        self.sources.pop(os.path.join(self.home, name), None)

    def note(self, path: str) -> str | None:
        """Have a module noted, however it was imported; its name, if it is the project's."""
        name = self.name(path)
        if name is not None and path not in self.read and self._source(path) is None:
            with suppress(OSError):
                self.content(path)
        return name

    def read_by_name(self) -> dict[str, bytes]:
        """What has been read apart from the code that was known: name in the project → content."""
        names = {path: self.name(path) for path in self.read}
        return {name: self.read[path] for path, name in names.items() if name}

    def move_workspace(self, workspace: str) -> None:
        """From here on assets are given another folder; what knows the first one still works."""
        self._moved_to = workspace

    @property
    def roots(self) -> Iterator[str]:
        """The folders that hold its modules, or seem to."""
        yield self.home
        if self._workspace:
            yield self._workspace

    def other_place(self, folder: str) -> str:
        """The folder to look into in place of one on ``sys.path``; empty: in this one."""
        for workspace in filter(None, (self._workspace, self._moved_to)):
            name = _name_below(folder, workspace)
            if name is None or name.partition(os.sep)[0] in OWN_FOLDERS:
                continue
            # One of the two may lie in the other: in that of a run again, or of a service.
            if self.name(folder) is None or self.name(workspace) is not None:
                return os.path.normpath(os.path.join(self.home, name))
        return ""

    def takes_compiled(self, path: str) -> bool:
        """Whether what Python has compiled of a file will do; it also has the file's path in it.

        So it will not where the file has been edited since, or is a copy that has another name.
        """
        if self._source(path) is None:
            self.content(path)
            return not self._shown
        return self.is_as_run(path, os.stat(path))

    def is_as_run(self, path: str, status: os.stat_result) -> bool:
        """Whether a file is as the run has it, and read under its own name."""
        source = self._source(path)
        if source is None or self._shown:
            return False
        return (status.st_size, status.st_mtime_ns) == (source.size, source.mtime_ns)

    def content(self, path: str) -> bytes:
        """The content of a file as the run has it; of one that it has not yet, it is noted."""
        source = self._source(path)
        with open(source.copy if source else path, "rb") as file:
            content = file.read()
        if source is None:
            self.read[path] = content
        return content

    def shown(self, path: str) -> str:
        """The name of a file for people."""
        name = self.name(path) if self._shown else None
        return path if name is None else os.path.join(self._shown, in_entry(name))

    def name(self, path: str) -> str | None:
        """The name of a file in the project's folder; None for one outside it."""
        return _name_below(path, self.home)

    def _source(self, path: str) -> Source | None:
        source = self.sources.get(path)
        if source is not None or path.startswith(f"{self.home}{os.sep}"):
            return source
        name = self.name(path)
        if name is not None:  # by another name of the project's folder
            return self.sources.get(os.path.join(self.home, name))
        # An asset may be a link to a folder outside, and name its files by that.
        return next((each for at, each in self.sources.items() if real(at) == real(path)), None)


def _view(home: str, workspace: str, shown: str, sources: dict[str, Source]) -> CodeView:
    view = CodeView(home, workspace=workspace, shown=shown)
    view.sources = sources
    return view


def _name_below(path: str, folder: str) -> str | None:
    """``path`` from inside ``folder``, under whichever name of it; None where it is not in it."""
    name = _rest_below(path, folder)
    return _rest_below(real(path), real(folder)) if name is None else name


def _rest_below(path: str, folder: str) -> str | None:
    if path.startswith(f"{folder}{os.sep}"):
        return path[len(folder) + 1 :]
    return "" if path == folder else None


@lru_cache(maxsize=4096)
def real(path: str) -> str:
    """The path without links."""
    folder, name = os.path.split(path)
    if not os.path.isabs(folder) or name in ("", os.curdir, os.pardir) or os.path.islink(path):
        return os.path.realpath(path)
    return os.path.join(real(folder), name)  # which has been looked up for its other files
