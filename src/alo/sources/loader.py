"""Find an asset's file, and import it apart from all other assets.

Two assets may each have a ``utils.py``: while a step runs, its own folder comes first on
``sys.path``, and afterwards every module that came from the assets' folders leaves ``sys.modules``
again (spec 5).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

from alo.errors import AloError
from alo.layout import without_digits
from alo.sources.finder import Roots, module_names, project_imports

CLASS_NAME = "UserAsset"


class AssetNotFound(AloError):
    """A step's folder, file or class is not where it belongs."""

    exit_status = 2


def asset_file_names(step: str) -> tuple[str, ...]:
    """The names a step's file may have, the preferred first (spec 2)."""
    names = (f"asset_{step}.py", f"asset_{without_digits(step)}.py")
    return names[:1] if names[0] == names[1] else names


def find_asset_file(folder: Path, step: str) -> Path:
    """The step's file in its folder.

    Raises:
        AssetNotFound: if the folder or the file is not there.
    """
    if not folder.is_dir():
        raise AssetNotFound(
            f"the asset of step '{step}' is not there: no folder {folder}",
            fix=f"make it, with asset_{step}.py in it, or correct the step's name in the plan",
        )
    for name in asset_file_names(step):
        if (folder / name).is_file():
            return folder / name
    others = sorted(path.name for path in folder.glob("*.py"))
    found = f"; it holds {', '.join(others[:5])}" if others else "; it holds no .py file"
    expected = " or ".join(asset_file_names(step))
    raise AssetNotFound(
        f"step '{step}' has no {expected} in {folder}{found}",
        fix=f"name the file with the class {CLASS_NAME} {asset_file_names(step)[0]}",
    )


class AssetCode:
    """One step's asset: its folder, and the modules it has imported from the project so far."""

    def __init__(self, folder: Path, step: str) -> None:
        self.folder, self.step = folder, step
        self._kept: dict[str, ModuleType] = {}
        self._file: Path | None = None  # once it is imported
        self._assets = Roots(folder.parent, folder)
        self._project = Roots(folder.parent.parent, folder)

    @contextmanager
    def active(self) -> Iterator[None]:
        """While inside, imports find this asset's modules, and none of another asset's."""
        path, entries = sys.path, list(sys.path)
        hidden = self._hide_namesakes()
        before = list(sys.modules)
        sys.modules.update(self._kept)
        # The project's own folder is where a main.py lies, and so at hand in ALO 2.x.
        sys.path[:] = [str(self.folder), *entries, str(self.folder.parent.parent)]
        try:
            with project_imports(self._project):
                yield
        finally:
            self._take_back(before)
            sys.modules.update(hidden)
            path[:] = entries
            sys.path = path

    def load_class(self) -> type:
        """Import the asset's file (once) and return its ``UserAsset``; for inside ``active``."""
        path = self._file or find_asset_file(self.folder, self.step)
        __import__(path.stem)  # unlike import_module it leaves no frame in a traceback
        found = getattr(sys.modules[path.stem], CLASS_NAME, None)
        if not isinstance(found, type):
            kind = f": {CLASS_NAME} is of the type {type(found).__name__}" if found else ""
            raise AssetNotFound(
                f"{path.name} has no class {CLASS_NAME}{kind}",
                where=f"assets/{self.folder.name}/{path.name}",
                fix=f"define the step's class: class {CLASS_NAME}(Asset)",
            )
        self._file = path
        return found

    def files(self) -> set[str]:
        """The files of the modules that it has imported from the assets' folders."""
        return {os.path.realpath(place) for each in self._kept.values() if (place := _place(each))}

    def forget(self) -> None:
        """Import everything afresh the next time."""
        self._kept.clear()
        self._file = None

    def _hide_namesakes(self) -> dict[str, ModuleType]:
        """Take out modules that would stand in the way of the asset's own of the same name."""
        own = module_names(self.folder) if self.folder.is_dir() else set()
        if sys.modules.keys().isdisjoint(own):
            return {}
        names = [name for name in sys.modules if name.partition(".")[0] in own]
        return {name: sys.modules.pop(name) for name in names}

    def _take_back(self, before: Sequence[str]) -> None:
        if not self._has_only_kept(before):
            for name in _new_modules(before, self._assets):
                self._kept[name] = sys.modules.pop(name)
        for name, module in self._kept.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]

    def _has_only_kept(self, before: Sequence[str]) -> bool:
        """Whether nothing has come or gone: so it is, again and again, where a process serves."""
        return list(sys.modules) == [*before, *self._kept] and all(
            sys.modules[name] is module for name, module in self._kept.items()
        )


def _place(module: ModuleType | None) -> str:
    """Where a module comes from; empty for one that has no file, or hides it."""
    # Not getattr: some modules compute their attributes.
    values = vars(module) if isinstance(module, ModuleType) else {}
    place = values.get("__file__")
    if place is None:  # a package without __init__.py has folders only
        with suppress(KeyError):  # of a parent that has gone
            place = next(iter(values.get("__path__", ())), None)
    return place if isinstance(place, str) else ""


def _new_modules(before: Sequence[str], roots: Roots) -> list[str]:
    """Those that have come from these folders; told before any is gone that others look at."""
    new = sys.modules.keys() - before
    return [name for name in new if _lies_below(sys.modules.get(name), roots)]


def _lies_below(module: ModuleType | None, roots: Roots) -> bool:
    place = _place(module)
    return bool(place) and roots.hold(place)


@contextmanager
def project_modules_apart(home: Path) -> Iterator[None]:
    """Afterwards, forget the modules imported from the project: the next one has its own."""
    before = list(sys.modules)
    try:
        yield
    finally:
        if list(sys.modules) != before:
            for name in _new_modules(before, Roots(home)):
                del sys.modules[name]


def imported_from(home: Path) -> set[str]:
    """The files below the project's folder that modules in use now come from."""
    roots = Roots(home)
    modules = list(sys.modules.values())
    return {os.path.realpath(_place(each)) for each in modules if _lies_below(each, roots)}


@contextmanager
def asset_module(folder: Path, step: str) -> Iterator[type]:
    """The class ``UserAsset`` of one asset folder, importable and apart while inside."""
    code = AssetCode(Path(folder).resolve(), step)
    with code.active():
        yield code.load_class()
