"""What a step imports of the project: how it is found, and how it is taken back afterwards."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import ModuleType

from alo.sources.code.finder import Roots, project_imports
from alo.sources.code.view import CodeView

Modules = Mapping[str, ModuleType]


class Imports:
    """While this is entered, a project's modules are found, and these are there.

    Args:
        roots: the folders whose modules are read as a project's are, and taken back.
        put: what is there already.
        first, last: folders that come before all others, and after.
    Attributes:
        left: the modules of the project that were there at the end; ``put`` itself, if nothing had
            come or gone.
    """

    def __init__(
        self,
        view: CodeView,
        roots: Roots,
        put: Modules,
        *,
        first: Sequence[str] = (),
        last: Sequence[str] = (),
    ) -> None:
        self._view, self._roots, self._put = view, roots, put
        self._first, self._last = first, last
        self.left: Modules = put
        self._found = project_imports(roots, view)

    def __enter__(self) -> Imports:
        self._path, self._entries = sys.path, list(sys.path)
        self._before = list(sys.modules)
        sys.modules.update(self._put)
        # The project's own folder is where a main.py lies, and so at hand in ALO 2.x.
        sys.path[:] = [*self._first, *self._entries, self._view.home, *self._last]
        self._found.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._found.__exit__(None, None, None)
        self.left = self._take_back()
        self._path[:] = self._entries
        sys.path = self._path

    def _take_back(self) -> Modules:
        now, put = sys.modules, self._put
        taken = put
        # So it is, again and again, where a process serves: nothing has come or gone.
        if list(now) != [*self._before, *put] or any(now[each] is not put[each] for each in put):
            names, size = list(now), len(self._before)
            # What has come comes last, where nothing has gone or been replaced.
            come = names[size:] if names[:size] == self._before else now.keys() - self._before
            new = {name: now[name] for name in come}
            # All are classified before any is gone that others look at.
            taken = {name: each for name, each in new.items() if is_below(each, self._roots)}
        for name in taken:
            del now[name]
        return taken


def is_below(module: ModuleType | None, roots: Roots) -> bool:
    """Whether a module comes from these folders."""
    place = place_of(module)
    return bool(place) and roots.hold(place)


def place_of(module: ModuleType | None) -> str:
    """Where a module comes from; empty for one that has no file, or hides it."""
    # Not getattr: some modules compute their attributes.
    values = vars(module) if isinstance(module, ModuleType) else {}
    place = values.get("__file__")
    if place is None:  # a package without __init__.py has folders only
        with suppress(KeyError):  # of a parent that has gone
            place = next(iter(values.get("__path__", ())), None)
    return place if isinstance(place, str) else ""


def import_root(name: str, place: str) -> str:
    """The folder in which a module of this name was found."""
    if os.path.basename(place).startswith("__init__."):
        place = os.path.dirname(place)
    for _ in name.split("."):
        place = os.path.dirname(place)
    return place


def top(name: str) -> str:
    """``a`` of the module ``a.b.c``."""
    return name.partition(".")[0]
