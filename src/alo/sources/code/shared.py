"""The modules of a project that are one file for all of its assets: each is imported once in a run.

What lies in an asset's folder is that asset's alone (``loader.py``). Whatever else comes from the
project's folder is one module for all steps, as in any other Python program: its classes and
Enums are the same objects in each. Only a module that imports something by a name that the asset's
own folder has too is that asset's own.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

from alo.layout import ASSETS, OWN_FOLDERS
from alo.sources.code.finder import FolderLoader, ProjectLoader, Roots, is_installed, stamp_of
from alo.sources.code.imported import imports_in
from alo.sources.code.importing import Imports, Modules, import_root, place_of, top
from alo.sources.code.view import CodeView, real

ALL, ONE, NO_ONE = "all", "one", "no one"
NEVER_HIDDEN = frozenset({"__main__", "__mp_main__"})


class SharedModules:
    """The modules that the steps of one run have in common.

    Args:
        stays: they stay imported after a step, for a notebook or a test that looks at what steps
            have made; otherwise nothing of the project does.
        since: what the process has imported of a file that has not changed since this time is as
            good as the file (seconds since 1970); None: since the process began.
    """

    def __init__(self, view: CodeView, *, stays: bool = False, since: float | None = None) -> None:
        self.view, self.stays, self._since = view, stays, since
        self.modules: dict[str, ModuleType] = {}
        self._roots = Roots(*view.roots)
        self._looked_at: list[str] = []
        self._imported: dict[str, Set[str]] = {}  # of the module in a file: first names
        self._assets: dict[str, bool] = {}  # whether a folder in assets/ is an asset's

    def roots_with(self, folder: Path) -> Roots:
        """The project's folders and an asset's, which usually lies in them.

        They then are the same for all assets, and so is what is known of them.
        """
        is_inside = all(map(self._roots.name, (str(folder), real(str(folder)))))
        return self._roots if is_inside else Roots(*self.view.roots, folder)

    @contextmanager
    def importable(self, paths: Sequence[str] = ()) -> Iterator[None]:
        """While inside, they are found, and no asset's own: to load what steps have saved.

        Args:
            paths: folders of the project to look into in addition to its own.
        """
        more = [os.path.join(self.view.home, path) for path in paths]
        imports = Imports(self.view, self._roots, self.modules, last=more)
        with self.alone():
            try:
                with imports:
                    yield
            finally:
                left = imports.left.items()
                self.modules = {n: each for n, each in left if self.owner(n, each) == ALL}

    @contextmanager
    def present(self) -> Iterator[None]:
        """While inside, those are there that have been imported: to save what steps have made."""
        others = {name: sys.modules[name] for name in self.modules if name in sys.modules}
        sys.modules.update(self.modules)
        try:
            yield
        finally:
            for name in self.modules:
                sys.modules.pop(name, None)
            sys.modules.update(others)

    @contextmanager
    def alone(self, names: Set[str] = frozenset()) -> Iterator[None]:
        """While inside, nothing is there that others have imported of the project.

        Args:
            names: first names that are to be free as well.
        """
        hidden = self._hide_others()
        if not sys.modules.keys().isdisjoint(names):
            alike = [name for name in sys.modules if top(name) in names]
            hidden.update((name, sys.modules.pop(name)) for name in alike)
        try:
            yield
        finally:
            sys.modules.update(hidden)
            if self.stays:
                sys.modules.update(self.modules)

    def forget_changed(self) -> list[str]:
        """Have all imported anew if the file of one has changed; the names of those that have."""
        self._looked_at = []  # what others have imported may have changed too
        self._imported, self._assets = {}, {}
        changed = [name for name, each in self.modules.items() if not self._is_current(each)]
        if changed:
            for name, module in self.modules.items():
                if sys.modules.get(name) is module:
                    del sys.modules[name]
            self.modules = {}
        return changed

    def owner(self, name: str, module: ModuleType | None) -> str:
        """Whose a module of the project is: of ``ALL`` its assets, of ``ONE``, or of ``NO_ONE``.

        What lies in the artifacts is no one's for longer than a step: it may be another one then.
        """
        folder = self.view.name(import_root(name, place_of(module)))
        if folder is None:
            return NO_ONE
        first, _, rest = folder.partition(os.sep)
        if first in OWN_FOLDERS:
            return NO_ONE
        is_asset = first == ASSETS and self._is_asset(rest.partition(os.sep)[0])
        return ONE if is_asset else ALL

    def for_asset(self, names: Set[str]) -> dict[str, ModuleType]:
        """Those for an asset that has modules of its own by these first names."""
        blocked = self.blocked(names, self.modules)
        return {name: each for name, each in self.modules.items() if top(name) not in blocked}

    def blocked(self, names: Set[str], modules: Modules) -> Set[str]:
        """The first names of those that are, or lead to, something of an asset's own."""
        imported: dict[str, set[str]] = {}
        for name, module in modules.items():
            imported.setdefault(top(name), set()).update(self._imported_by(module))
        blocked: Set[str] = names & imported.keys()
        size = -1
        while len(blocked) > size:
            size = len(blocked)
            blocked |= {first for first, used in imported.items() if used & (names | blocked)}
        return blocked

    def paths(self) -> list[str]:
        """The folders of the project in which they were found, apart from its own: their names."""
        roots = {import_root(name, place_of(each)) for name, each in self.modules.items()}
        return sorted(name for root in roots if (name := self.view.name(root)))

    def files(self) -> set[str]:
        """The files of those that have been imported."""
        return {place_of(each) for each in self.modules.values()}

    def _hide_others(self) -> dict[str, ModuleType]:
        """Take out of ``sys.modules`` what others have imported of this project, or of another.

        What would be imported as it is already is not made anew then (``view.known``).
        """
        for name, module in self.modules.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
        if list(sys.modules) == self._looked_at:
            return {}
        found = {name: each for name, each in sys.modules.items() if self._is_others(name, each)}
        for name in found:
            del sys.modules[name]
        self._looked_at = list(sys.modules)
        shared = {name: each for name, each in found.items() if self.owner(name, each) == ALL}
        known = shared if all(map(self._is_current, shared.values())) else {}
        self.view.known = {(name, place_of(each)): each for name, each in known.items()}
        return found

    def _is_others(self, name: str, module: ModuleType) -> bool:
        place = place_of(module)
        if not place or name in NEVER_HIDDEN or is_installed(place):
            return False
        loader = getattr(vars(module).get("__spec__"), "loader", None)
        if isinstance(loader, ProjectLoader | FolderLoader) or self._roots.hold(place):
            return True
        here = os.path.join(self.view.home, top(name))  # of another project, by chance of one name
        return os.path.isfile(f"{here}.py") or os.path.isdir(here)

    def _is_current(self, module: ModuleType) -> bool:
        """Whether it is what would be imported now."""
        place, spec = place_of(module), module.__spec__
        if not os.path.isfile(place):
            return os.path.isdir(place)
        if spec is not None and isinstance(spec.loader, ProjectLoader):
            return bool(spec.loader_state == stamp_of(place))
        if self._since is None:
            self._since = _process_start()
        return os.stat(place).st_ctime < self._since

    def _imported_by(self, module: ModuleType) -> Set[str]:
        place = place_of(module)
        if place not in self._imported:
            content = b""
            if place.endswith(".py"):
                with suppress(OSError):
                    content = self.view.content(place)
            found = imports_in(content)
            self._imported[place] = frozenset(top(each.module) for each in found if not each.level)
        return self._imported[place]

    def _is_asset(self, folder: str) -> bool:
        if folder not in self._assets:
            place = os.path.join(self.view.home, ASSETS, folder)
            is_plain = os.path.isfile(os.path.join(place, f"asset_{folder}.py"))
            self._assets[folder] = is_plain or (bool(folder) and _has_asset_file(place))
        return self._assets[folder]


def _has_asset_file(folder: str) -> bool:
    """Whether there is one by whichever name, as a step's digits do not count."""
    with suppress(OSError):
        names = os.listdir(folder)
        return any(name.startswith("asset_") and name.endswith(".py") for name in names)
    return False


def _process_start() -> float:
    """When this process began; 0 where the system does not say."""
    try:
        with open("/proc/self/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()  # a name may hold anything
        seconds = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + seconds
    except (OSError, ValueError, AttributeError):
        return 0.0
