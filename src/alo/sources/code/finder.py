"""How a project's modules are found and read while a step runs; all others are left to Python.

Python by itself would take what ``__pycache__`` has for a file that was edited within a second, let
a project's ``queue.py`` stand in for Python's own, also for Python itself, and prefer any installed
``utils`` to a folder of that name without ``__init__.py``.
"""

from __future__ import annotations

import marshal
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from functools import lru_cache, partial
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
    SourcelessFileLoader,
)
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import alo
import alolib
from alo.sources.code.view import CodeView, real

SUFFIXES = (*SOURCE_SUFFIXES, *EXTENSION_SUFFIXES)
NOT_OF_A_PROJECT = sys.stdlib_module_names | {"alo", "alolib"}
# Python's cache knows a file by its size and the second of its last edit.
SETTLED_S = 2
PYCACHE = "__pycache__"
STDLIB = os.path.join(os.path.dirname(os.__file__), "")
ENGINE = tuple(
    os.path.join(os.path.dirname(str(package.__file__)), "") for package in (alo, alolib)
)
INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


class Roots:
    """Folders that hold a project's code, under the names that lead to them."""

    def __init__(self, *folders: str | os.PathLike[str]) -> None:
        names = {name for each in map(os.path.abspath, folders) for name in (each, real(each))}
        self._prefixes = tuple(os.path.join(name, "") for name in names)
        self.foreign: dict[str, object] = {}  # path → its finder, where both are known to be

    def hold(self, path: str) -> bool:
        """Whether the file or folder is in one of them, and is not an installed package's."""
        if is_installed(path):  # first, because it costs least and says most
            return False
        return self.name(path) or self.name(real(path))

    def name(self, path: str) -> bool:
        """Whether the path, as it is written, leads into one of them."""
        return f"{path}{os.sep}".startswith(self._prefixes)


@lru_cache(maxsize=4096)
def is_installed(path: str) -> bool:
    """Whether the file or folder belongs to Python or to an installed package."""
    place = f"{path}{os.sep}"
    return place.startswith((STDLIB, *ENGINE)) or any(part in place for part in INSTALLED)


def module_names(folder: str | os.PathLike[str]) -> set[str]:
    """The names under which modules in a folder are imported."""
    return _names_and_folders(folder)[0]


def _names_and_folders(folder: str | os.PathLike[str]) -> tuple[set[str], bool]:
    """The names of its modules, and whether it has folders, in which there may be more."""
    names, has_folders = set(), False
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name == PYCACHE:
                continue
            is_folder = entry.is_dir()
            has_folders = has_folders or is_folder
            name, dot, _ = entry.name.partition(".")
            if entry.name.endswith(SUFFIXES) or (is_folder and not dot and _holds_modules(entry)):
                names.add(name)
    return names - NOT_OF_A_PROJECT, has_folders


class ModuleNames:
    """``module_names`` of a folder, which is not listed again while nothing in it can be new."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._names = str(folder), frozenset[str]()
        self._changed = -1  # when the folder had, at the time that counts; -1: it is listed again

    def now(self) -> Set[str]:
        """As the folder is now; none without it."""
        try:
            found = os.stat(self._folder)
        except OSError:
            return frozenset()
        if found.st_mtime_ns != self._changed:
            self._list(found)
        return self._names

    def _list(self, found: os.stat_result) -> None:
        if not stat.S_ISDIR(found.st_mode):
            self._names = frozenset()
            return
        names, has_folders = _names_and_folders(self._folder)
        self._names = frozenset(names)
        # A file that comes right after another may leave it as old; one in a folder below it does.
        is_settled = time.time_ns() - found.st_mtime_ns > SETTLED_S * 10**9
        self._changed = found.st_mtime_ns if is_settled and not has_folders else -1


def _holds_modules(folder: str | os.DirEntry[str]) -> bool:
    """Whether the folder is a package, with or without ``__init__.py``."""
    try:
        return any(name.endswith(SUFFIXES) for name in os.listdir(folder))
    except OSError:
        return False


@contextmanager
def project_imports(roots: Roots, view: CodeView) -> Iterator[None]:
    """While inside, what lies in these folders is found and read as a project's code is."""
    hook = _hook(roots, view)
    _forget_finders(roots)
    sys.path_hooks.insert(0, hook)
    try:
        yield
    finally:
        if hook in sys.path_hooks:
            sys.path_hooks.remove(hook)
        _forget_finders(roots)


def _hook(roots: Roots, view: CodeView) -> Callable[[str], ProjectFinder]:
    def find(path: str) -> ProjectFinder:
        other_place = view.other_place(path)
        if not other_place and not (os.path.isdir(path) and roots.hold(path)):
            raise ImportError("not a folder of the project", path=path)
        return ProjectFinder(other_place or path, view)

    return find


def _forget_finders(roots: Roots) -> None:
    """Those of the import system, which hold what was in a folder when they last looked."""
    finders = sys.path_importer_cache
    if finders == roots.foreign:
        return
    for path, finder in list(finders.items()):
        if isinstance(finder, ProjectFinder) or (not is_installed(path) and roots.name(path)):
            del finders[path]
    roots.foreign = dict(finders)


class ProjectFinder(FileFinder):
    """Finds the modules in one folder of a project."""

    def __init__(self, path: str, view: CodeView) -> None:
        of_source: Any = partial(ProjectLoader, view)
        super().__init__(
            path,
            (ExtensionFileLoader, EXTENSION_SUFFIXES),
            (of_source, SOURCE_SUFFIXES),
            (SourcelessFileLoader, BYTECODE_SUFFIXES),
        )

    def find_spec(self, fullname: str, target: ModuleType | None = None) -> ModuleSpec | None:
        """Called by Python's import: a module of this folder, with a loader of ours; else None."""
        if fullname in NOT_OF_A_PROJECT:
            return None
        spec = super().find_spec(fullname, target)
        if spec is not None and spec.loader is None and "." not in fullname:
            (folder,) = spec.submodule_search_locations or [""]
            if _holds_modules(folder):
                loader: Any = FolderLoader()
                spec.loader = loader  # without one, Python continues looking
        return spec


class FolderLoader:
    """Makes a package of a folder without ``__init__.py``."""

    def create_module(self, spec: ModuleSpec) -> None:
        """Python's usual one will do."""

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to execute."""


class ProjectLoader(SourceFileLoader):
    """Reads code as its run has it, and ``__pycache__`` only where it cannot be mistaken."""

    def __init__(self, view: CodeView, fullname: str, path: str) -> None:
        super().__init__(fullname, path)
        self._view = view

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """The module that the run already has of this file, if any; None lets Python make one."""
        return self._view.known.get((spec.name, self.path))

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code, unless the run already has the module."""
        if module.__spec__ is not None:
            module.__spec__.loader_state = stamp_of(self.path)
        if (module.__name__, self.path) in self._view.known:
            self._view.content(self.path)
        else:
            super().exec_module(module)

    def get_code(self, fullname: str) -> CodeType | None:
        """The code of the module, compiled by now or earlier."""
        return self._compiled() or super().get_code(fullname)

    def _compiled(self) -> CodeType | None:
        """What Python has compiled of the source, as ``super`` would find it, with fewer looks.

        None: it is to be found out by that, which asks ``path_stats`` and ``get_data``.
        """
        try:
            source = os.stat(self.path)
            if not self._view.is_as_run(self.path, source):
                return None
            with open(cache_from_source(self.path), "rb", buffering=0) as file:
                compiled_at, content = os.fstat(file.fileno()).st_mtime, file.read()
        except (OSError, NotImplementedError):  # the latter of a Python that keeps none
            return None
        second = int(source.st_mtime)
        is_settled = min(time.time(), compiled_at) >= second + SETTLED_S
        stamp = b"".join(_four_bytes(each) for each in (0, second, source.st_size))
        if not is_settled or not content.startswith(MAGIC_NUMBER + stamp):
            return None
        code = marshal.loads(content[len(MAGIC_NUMBER + stamp) :])  # noqa: S302 - by Python's rules
        return code if isinstance(code, CodeType) and code.co_filename == self.path else None

    def path_stats(self, path: str) -> Mapping[str, float]:
        """Size and time of the source, by which Python judges ``__pycache__``.

        Raises:
            OSError: ``__pycache__`` is to be left alone; Python then compiles the source.
        """
        stats = super().path_stats(path)
        if time.time() - stats["mtime"] < SETTLED_S:
            raise OSError("edited a moment ago: neither read nor write what is compiled")
        if not self._view.takes_compiled(path):
            raise OSError("what is compiled is not the code of this run")
        return stats

    def get_data(self, path: str) -> bytes:
        """The source as the run has it, or what was compiled of it.

        Raises:
            OSError: what was compiled may be of an earlier source; Python then compiles it.
        """
        if path == self.path:
            return self._view.content(path)
        is_compiled = path.endswith(tuple(BYTECODE_SUFFIXES))
        if is_compiled and os.stat(path).st_mtime < int(os.stat(self.path).st_mtime) + SETTLED_S:
            raise OSError("compiled within the second of the last edit, or before it")
        return super().get_data(path)

    def source_to_code(self, data: Any, path: Any, **options: Any) -> CodeType:  # type: ignore[override]
        """Compile the source, under the path that tracebacks are to show."""
        return super().source_to_code(data, self._view.shown(os.fspath(path)), **options)


def _four_bytes(number: int) -> bytes:
    return (number & 0xFFFFFFFF).to_bytes(4, "little")


def stamp_of(path: str) -> tuple[int, ...]:
    """What distinguishes a file that was edited from the one that a module was made of."""
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
