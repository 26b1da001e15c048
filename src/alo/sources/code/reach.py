"""Files of the project that a step's code leads to apart from its own folder, found in their text.

Here: what is sure to be code of a step before anything of it runs. What it imports in ways that
its text does not show is added once it has been imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES
from pathlib import Path

from alo.files import is_leftover
from alo.layout import ASSETS, OWN_FOLDERS
from alo.sources.code.fingerprint import CACHES
from alo.sources.code.imported import Import, imports_in

# Of data in a package: what is more is a data set, and not code.
LARGEST_FILE, LARGEST_ALL, MOST_FILES = 1_000_000, 10_000_000, 200
INIT = "__init__"
SUFFIXES = (*SOURCE_SUFFIXES, *EXTENSION_SUFFIXES)


class Reach:
    """What may be imported in one project's folder."""

    def __init__(self, home: Path) -> None:
        self._home = os.fspath(home)
        self._tops = {
            folder: {name.partition(".")[0] for name in _names(os.path.join(home, folder))}
            for folder in ("", ASSETS)
        }
        self._tops[""] -= set(OWN_FOLDERS)

    def of(self, files: Mapping[str, str], own: str) -> dict[str, str]:
        """Name in the project → path, of what these files import and what that imports in turn.

        Args:
            files: of an asset, by their names in the project.
            own: the asset's folder, with a slash at its end; its modules come before all others.
        """
        names = {name.removeprefix(own).partition("/")[0].partition(".")[0] for name in files}
        found: dict[str, str] = {}
        pending = [name for name in files if name.endswith(".py")]
        while pending:
            name = pending.pop()
            try:
                with open(found.get(name) or files[name], "rb", buffering=0) as file:
                    source = file.read()
            except OSError:
                continue
            for each in imports_in(source):
                for new in self._files_of(each, name, names):
                    if new not in found and not new.startswith(own):
                        found[new] = os.path.join(self._home, new)
                        pending += [new] if new.endswith(".py") else []
        for name in list(found):
            found.update(self.beside(name))
        return dict(sorted(found.items()))

    def beside(self, name: str) -> dict[str, str]:
        """The files in the same package: modules, and data that they may read."""
        folder = os.path.dirname(name)
        path = os.path.join(self._home, folder)
        if not folder or not os.path.isfile(os.path.join(path, f"{INIT}.py")):
            return {}
        sizes = {each: _size(os.path.join(path, each)) for each in _names(path)}
        small = {each: size for each, size in sizes.items() if 0 <= size <= LARGEST_FILE}
        if len(small) > MOST_FILES or sum(small.values()) > LARGEST_ALL:
            small = {each: size for each, size in small.items() if each.endswith(SUFFIXES)}
        return {f"{folder}/{each}": os.path.join(path, each) for each in small}

    def _files_of(self, each: Import, importer: str, own: set[str]) -> Iterator[str]:
        parts = each.module.split(".") if each.module else []
        if each.level:
            folders = importer.split("/")[: -each.level]
            yield from self._below("/".join(folders), [*parts], each.names)
            return
        if not parts or parts[0] in own or parts[0] in sys.stdlib_module_names:
            return
        for folder, tops in self._tops.items():
            if parts[0] in tops:
                yield from self._below(folder, parts, each.names)

    def _below(self, folder: str, parts: list[str], names: tuple[str, ...]) -> Iterator[str]:
        for part in parts:
            yield from self._module(folder, part)
            folder = f"{folder}/{part}" if folder else part
        for name in names:
            yield from self._module(folder, name)

    def _module(self, folder: str, part: str) -> Iterator[str]:
        base = f"{folder}/{part}" if folder else part
        for end in (".py", f"/{INIT}.py", *EXTENSION_SUFFIXES):
            name = f"{base}{end}"
            if os.path.isfile(os.path.join(self._home, name)):
                yield name


def _names(folder: str) -> list[str]:
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [name for name in names if name not in CACHES and not is_leftover(name)]


def _size(path: str) -> int:
    """In bytes; less than none for what is no file, and for what Python has compiled."""
    is_code_or_data = os.path.isfile(path) and not path.endswith((".pyc", ".pyo"))
    return os.path.getsize(path) if is_code_or_data else -1
