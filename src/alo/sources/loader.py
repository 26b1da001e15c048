"""Find an asset's file, check it without importing it, and import it apart from all other assets.

Two assets may each have a ``utils.py``: while a step runs, its own folder comes first on ``sys.path``, and
afterwards every module that came from the assets' folders leaves ``sys.modules`` again (spec 5).
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from alo.errors import AloError
from alo.layout import without_digits

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
            fix=f"make the folder with asset_{step}.py in it, or correct the step's name in the plan",
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


def compile_asset(path: Path) -> CodeType:
    """The file's code, compiled afresh.

    Python's cache goes by size and whole seconds, so an edit a moment after a run could be missed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # told once, by the check
        return compile(path.read_bytes(), str(path), "exec", dont_inherit=True)


class AssetCode:
    """One step's asset: its folder, and the modules it has imported from the project so far."""

    def __init__(self, folder: Path, step: str) -> None:
        self.folder, self.step = folder, step
        self._kept: dict[str, ModuleType] = {}
        self._root = os.path.join(os.path.realpath(folder.parent), "")

    @contextmanager
    def active(self) -> Iterator[None]:
        """While inside, imports find this asset's modules, and none of another asset's."""
        path, hidden = list(sys.path), self._hide_namesakes()
        before = set(sys.modules)
        sys.modules.update(self._kept)
        sys.path.insert(0, str(self.folder))
        try:
            yield
        finally:
            self._take_back(before)
            sys.modules.update(hidden)
            sys.path[:] = path

    def load_class(self) -> type:
        """Import the asset's file (once) and return its ``UserAsset``; call it inside ``active``."""
        path = find_asset_file(self.folder, self.step)
        module = sys.modules.get(path.stem)
        if module is None or getattr(module, "__file__", None) != str(path):
            module = self._import(path)
        found = getattr(module, CLASS_NAME, None)
        if not isinstance(found, type):
            raise AssetNotFound(
                f"{path.name} has no class {CLASS_NAME}",
                where=str(path),
                fix=f"name the step's class {CLASS_NAME}(Asset)",
            )
        return found

    def files(self) -> set[str]:
        """The files of the modules that it has imported from the assets' folders."""
        return {os.path.realpath(module.__file__) for module in self._kept.values() if module.__file__}

    def forget(self) -> None:
        """Import everything afresh the next time."""
        self._kept.clear()

    def _import(self, path: Path) -> ModuleType:
        code = compile_asset(path)
        loader = SourceFileLoader(path.stem, str(path))
        module = ModuleType(path.stem)
        module.__file__ = str(path)
        module.__loader__ = loader
        module.__spec__ = ModuleSpec(path.stem, loader, origin=str(path))
        module.__spec__.has_location = True
        sys.modules[path.stem] = module
        try:
            exec(code, module.__dict__)  # noqa: S102 - running the user's asset is what this is for
        except BaseException:
            sys.modules.pop(path.stem, None)
            raise
        return module

    def _hide_namesakes(self) -> dict[str, ModuleType]:
        """Take out modules that would stand in the way of the asset's own of the same name."""
        own = {entry.name.partition(".")[0] for entry in os.scandir(self.folder)}
        own -= sys.stdlib_module_names
        own.discard("alolib")
        own.discard("alo")
        if own.isdisjoint(sys.modules):
            return {}
        names = [name for name in sys.modules if name.partition(".")[0] in own]
        return {name: sys.modules.pop(name) for name in names}

    def _take_back(self, before: set[str]) -> None:
        for name in [name for name in sys.modules if name not in before]:
            if _lies_below(sys.modules[name], self._root):
                self._kept[name] = sys.modules.pop(name)
        for name, module in self._kept.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


def _lies_below(module: ModuleType | None, root: str) -> bool:
    place = getattr(module, "__file__", None)
    if place is None:  # a namespace package has folders only
        place = next(iter(getattr(module, "__path__", ())), None)
    return isinstance(place, str) and os.path.realpath(place).startswith(root)


@contextmanager
def project_modules_apart(home: Path) -> Iterator[None]:
    """Afterwards, forget the modules imported from the project's folder: the next project has its own."""
    before = set(sys.modules)
    root = os.path.join(os.path.realpath(home), "")
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name not in before]:
            module = sys.modules[name]
            if _lies_below(module, root) and not _is_installed(module):
                del sys.modules[name]


def imported_from(home: Path) -> set[str]:
    """The files below the project's folder that modules in use now come from."""
    roots = tuple(os.path.join(path, "") for path in (str(home), os.path.realpath(home)))
    return {
        os.path.realpath(file)
        for module in list(sys.modules.values())
        if isinstance(file := vars(module).get("__file__"), str)
        and file.startswith(roots)
        and not _is_installed(module)
    }


def _is_installed(module: ModuleType) -> bool:
    place = os.path.realpath(str(getattr(module, "__file__", None) or ""))
    return "site-packages" in place or "dist-packages" in place or place.startswith(sys.prefix)


@contextmanager
def asset_module(folder: Path, step: str) -> Iterator[type]:
    """The class ``UserAsset`` of one asset folder, importable and apart while inside."""
    code = AssetCode(Path(folder).resolve(), step)
    with code.active():
        yield code.load_class()
