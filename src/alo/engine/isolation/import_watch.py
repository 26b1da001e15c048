"""Reports when a module is being imported: a project's, or the outermost of libraries.

Python has a spec say of itself whether its module is being imported. Watching that leaves, unlike
a loader of our own, no frame in tracebacks and none to which warnings would be ascribed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence, Set
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Protocol

from alo.sources.code.finder import NOT_OF_A_PROJECT, FolderLoader, ProjectLoader


class Listener(Protocol):
    """Who receives it."""

    def begin_import(self) -> object:
        """Returns what ``end_import`` is given."""

    def end_import(self, begun: Any, module: ModuleType | None, *, is_of_project: bool) -> None:
        """An import has ended, also one that failed.

        Args:
            begun: what ``begin_import`` returned.
            module: what was imported; None where that failed.
            is_of_project: whether it is the project's own code, and not a library.
        """

    def has_come(self, name: str) -> None:
        """One of the modules that were asked for has been imported for the first time."""


class ImportWatch:
    """A finder that finds nothing itself; for the head of ``sys.meta_path``.

    Args:
        awaited: modules of Python's own that are to be reported too.
        unwatched: a folder whose modules need no report.
    """

    def __init__(self, listener: Listener, awaited: Set[str], unwatched: str = "") -> None:
        self._listener, self._awaited, self._unwatched = listener, awaited, unwatched
        self._library = ""  # that is being imported

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What the finders after this one find, with a spec that reports the import; else None."""
        is_known = name.partition(".")[0] in NOT_OF_A_PROJECT
        if name not in self._awaited and (is_known or self._library):
            return None
        spec = self._found(name, path, target)
        if spec is not None and spec.loader is not None and not self._is_unwatched(spec):
            _WatchedSpec.watch(spec, self)
        return spec

    def _is_unwatched(self, spec: ModuleSpec) -> bool:
        # Not what is in a package: by the name of an outer one other assets may use it as well.
        place = os.path.join(self._unwatched, f"{spec.name}.py") if self._unwatched else None
        return spec.origin == place and isinstance(spec.loader, ProjectLoader)

    def begin(self, spec: ModuleSpec) -> object:
        """The import of a spec's module begins; returns what ``end`` is given."""
        if spec.name in self._awaited:
            return None
        if not _is_of_project(spec):
            self._library = spec.name
        return self._listener.begin_import()

    def end(self, spec: ModuleSpec, begun: object) -> None:
        """The import of a spec's module has ended, also if it failed."""
        if spec.name in self._awaited:
            self._listener.has_come(spec.name)
            return
        if self._library == spec.name:
            self._library = ""
        module, is_of_project = sys.modules.get(spec.name), _is_of_project(spec)
        self._listener.end_import(begun, module, is_of_project=is_of_project)

    def _found(self, name: str, path: Any, target: Any) -> ModuleSpec | None:
        others = sys.meta_path[sys.meta_path.index(self) + 1 :]
        for finder in others:
            find: Any = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(name, path, target) if find else None
            if spec is not None:
                return spec
        return None


class _WatchedSpec(ModuleSpec):
    """A spec until its module has been imported."""

    @staticmethod
    def watch(spec: ModuleSpec, by: ImportWatch) -> None:
        if type(spec) is ModuleSpec:
            spec.__class__ = _WatchedSpec
            spec.__dict__["watches"] = {by: None}
        elif isinstance(spec, _WatchedSpec):  # by that of the step that runs this one
            spec.__dict__["watches"][by] = None

    @property
    def _initializing(self) -> bool:
        return bool(self.__dict__["_initializing"])

    @_initializing.setter
    def _initializing(self, value: bool) -> None:
        self.__dict__["_initializing"] = value
        watches: dict[ImportWatch, object] = self.__dict__["watches"]
        if value:
            watches.update({each: each.begin(self) for each in watches})
            return
        self.__class__ = ModuleSpec  # type: ignore[assignment]
        del self.__dict__["watches"]
        for each, begun in watches.items():
            each.end(self, begun)


def _is_of_project(spec: ModuleSpec) -> bool:
    return isinstance(spec.loader, ProjectLoader | FolderLoader)
