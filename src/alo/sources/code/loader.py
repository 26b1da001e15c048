"""Find an asset's file, and import it apart from all other assets.

Two assets may each have a ``utils.py``: while a step runs, its own folder comes first on
``sys.path``, and afterwards every module that came from the project leaves ``sys.modules`` again
(spec 5). Those that assets have in common are in ``shared.py``.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterator, Set
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import ModuleType

from alo.errors import AloError
from alo.layout import without_digits
from alo.sources.code.finder import ModuleNames, Roots
from alo.sources.code.importing import Imports, Modules, place_of, top
from alo.sources.code.shared import ALL, NO_ONE, ONE, SharedModules
from alo.sources.code.view import CodeView

CLASS_NAME = "UserAsset"


class AssetNotFoundError(AloError):
    """A step's folder, file or class is not where it belongs."""

    exit_status = 2


def asset_file_names(step: str) -> tuple[str, ...]:
    """The names a step's file may have, the preferred first (spec 2)."""
    names = (f"asset_{step}.py", f"asset_{without_digits(step)}.py")
    return names[:1] if names[0] == names[1] else names


def find_asset_file(folder: Path, step: str) -> Path:
    """The step's file in its folder.

    Raises:
        AssetNotFoundError: if the folder or the file is not there.
    """
    usual = f"asset_{step}.py"  # most steps have it, so nothing else is made for them
    if os.path.isfile(os.path.join(folder, usual)):
        return folder / usual
    names = asset_file_names(step)
    for name in names[1:]:
        if os.path.isfile(os.path.join(folder, name)):
            return folder / name
    if not folder.is_dir():
        raise AssetNotFoundError(
            f"the asset of step '{step}' is not there: no folder {folder}",
            fix=f"make it, with asset_{step}.py in it, or correct the step's name in the plan",
        )
    others = sorted(path.name for path in folder.glob("*.py"))
    found = f"; it holds {', '.join(others[:5])}" if others else "; it holds no .py file"
    expected = " or ".join(names)
    raise AssetNotFoundError(
        f"step '{step}' has no {expected} in {folder}{found}",
        fix=f"name the file with the class {CLASS_NAME} {names[0]}",
    )


class AssetCode:
    """One step's asset: its folder, and the modules of its own that it has imported so far.

    Args:
        runs_once: nothing of it is used again once the step has run.
    """

    def __init__(
        self,
        folder: Path,
        step: str,
        shared: SharedModules | None = None,
        *,
        runs_once: bool = False,
    ) -> None:
        self.folder, self.step = folder, step
        self.once = str(folder) if runs_once else ""
        self.shared = shared or SharedModules(CodeView(str(folder.parent.parent)))
        self._kept: dict[str, ModuleType] = {}
        self._file: Path | None = None  # once it is imported
        self._used: set[str] = set()
        self._used_of: tuple[Modules, Modules] = {}, {}  # what it was made of
        self._names = ModuleNames(folder)

    @cached_property
    def _own(self) -> Roots:
        return Roots(self.folder)

    @cached_property
    def _roots(self) -> Roots:
        return self.shared.roots_with(self.folder)

    @contextmanager
    def active(self) -> Iterator[None]:
        """While inside, imports find this asset's modules, and none of another asset's."""
        names = self._names.now()
        with self.shared.alone(names):
            put = {**self.shared.for_asset(names), **self._kept}
            imports = Imports(self.shared.view, self._roots, put, first=[str(self.folder)])
            try:
                with imports:
                    yield
            finally:
                if imports.left is not put:
                    self._sort(put, imports.left, names)

    def load_class(self) -> type:
        """Import the asset's file (once) and return its ``UserAsset``; for inside ``active``."""
        path = self._file or find_asset_file(self.folder, self.step)
        __import__(path.stem)  # unlike import_module it leaves no frame in a traceback
        found = getattr(sys.modules[path.stem], CLASS_NAME, None)
        if not isinstance(found, type):
            kind = f": {CLASS_NAME} is of the type {type(found).__name__}" if found else ""
            raise AssetNotFoundError(
                f"{path.name} has no class {CLASS_NAME}{kind}",
                where=f"assets/{self.folder.name}/{path.name}",
                fix=f"define the step's class: class {CLASS_NAME}(Asset)",
            )
        self._file = path
        return found

    def used(self) -> set[str]:
        """The names in the project of the modules that it has imported, or may use without that."""
        kept, shared = self._kept, self.shared.modules
        if kept is not self._used_of[0] or shared is not self._used_of[1]:  # made anew by a change
            self._used, self._used_of = self._look_at_used(), (kept, shared)
        return self._used

    def _look_at_used(self) -> set[str]:
        files = {place_of(each) for each in self._kept.values()} | self.shared.files()
        names = {self.shared.view.note(file) for file in files if os.path.isfile(file)}
        return {name for name in names if name}

    def forget(self) -> None:
        """Import everything afresh the next time."""
        self._kept = {}
        self._file = None

    def _sort(self, put: Modules, left: Modules, names: Set[str]) -> None:
        """Keep what it has imported, each module for whom it is there."""
        others = {name: each for name, each in self.shared.modules.items() if name not in put}
        owners = {name: self._owner(name, module) for name, module in left.items()}
        found = {name: each for name, each in left.items() if owners[name] == ALL}
        blocked = self.shared.blocked(names, {**others, **found})
        shared = {name: each for name, each in found.items() if top(name) not in blocked}
        self.shared.modules = {**others, **shared}
        self._kept = {
            name: each
            for name, each in left.items()
            if name not in shared and owners[name] != NO_ONE
        }

    def _owner(self, name: str, module: ModuleType) -> str:
        owner = self.shared.owner(name, module)
        # An asset may be a link to a folder outside.
        return ONE if owner == NO_ONE and self._own.hold(place_of(module)) else owner


@contextmanager
def asset_module(folder: Path, step: str) -> Iterator[type]:
    """The class ``UserAsset`` of one asset folder, importable and apart while inside.

    Modules of the project that its assets share stay imported, as they were for who called.
    """
    folder = Path(folder).resolve()
    view = CodeView(str(folder.parent.parent))
    code = AssetCode(folder, step, SharedModules(view, stays=True, since=math.inf))
    with code.active():
        yield code.load_class()
