"""What an asset's file is sure to import: broken helper modules, packages that are missing.

Here: imports that run whenever the file does, and those of the helper modules that they lead to.
Not here: imports inside functions, ``if`` or ``try``, which may be meant to fail.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alo.errors import Problem
from alo.sources.code.of_module import OURS, advice_for, unknown_part
from alo.sources.code.search_path import added_folders
from alo.sources.code.syntax import at, kind, parse

# Of helper modules in one asset, some 40 ms; what lies deeper is found out when it is imported.
FOLLOWED_BYTES = 200_000


class ImportCheck:
    """Follows the imports of one asset.

    Args:
        folder: the asset's.
        home: the project's, whose modules assets may import too.
        installs: packages that are not there yet are no problem.
    Attributes:
        looked_at: the paths, also of what is not there, that the result depends on.
        is_lasting: whether it depends on nothing else but these and what is installed.
    """

    def __init__(self, folder: Path, home: Path, *, installs: bool) -> None:
        self.looked_at: set[str] = set()
        self.is_lasting = True
        self._folder, self._home = folder, home
        self._own = f"{folder}{os.sep}"
        self._roots = [str(folder), str(home)]
        self._missing: list[Problem] = []
        self._problems: list[Problem] = []
        self._says_missing = not installs
        self._seen: set[str] = set()
        self._room = FOLLOWED_BYTES

    def problems(self, tree: Any, source: bytes, path: Path) -> list[Problem]:
        """The problems of the asset's file and of its helper modules."""
        name = self.name_of(path)
        for node in tree.body:
            if kind(node) == "ImportFrom" and node.level:
                what = (
                    "an asset's file is in no package; import its helper modules without the dots"
                )
                self._problems.append(at(node, what, name))
        self._follow(tree, source, path)
        return [*self._problems, *(self._missing if self._says_missing else ())]

    def name_of(self, path: Path) -> str:
        """``assets/train/asset_train.py`` for the asset's own files."""
        place = os.fspath(path)
        if place.startswith(self._own):
            return f"assets/{self._folder.name}/{place[len(self._own) :]}"
        return os.path.relpath(path, self._home)

    def _follow(self, tree: Any, source: bytes, path: Path) -> None:
        folders = added_folders(tree, source, path)
        if folders is None:
            self._says_missing = False
        else:
            self._roots += folders
        name = self.name_of(path)
        for node in tree.body:
            for module in _imported(node):
                top = module.partition(".")[0]
                if top in OURS:  # also where the project has a copy of its own, as with ALO 2.x
                    if what := unknown_part(module):
                        self._problems.append(at(node, what, name))
                    continue
                root = None if top in sys.stdlib_module_names else self._root_of(top)
                if root is not None:
                    self._follow_files(Path(root), module.split("."), node)
                elif not self._is_known(top):
                    what = f"the module '{top}' is not installed here"
                    fix = advice_for(top, self._folder.name)
                    self._missing.append(at(node, f"{what}: {fix}", name))
            if kind(node) == "ImportFrom" and node.level and path.parent != self._folder:
                base = path.parents[min(node.level, len(path.parents)) - 1]
                self._follow_files(base, (node.module or "").split("."), node)
            self._problems += self._shadowed(node, name)

    def _root_of(self, top: str) -> str | None:
        """The folder of the project's in which a module is."""
        for root in self._roots:
            file, folder = f"{root}/{top}.py", f"{root}/{top}"
            self.looked_at.update((file, folder))
            if os.path.isfile(file) or os.path.isdir(folder):
                return root
        return None

    def _follow_files(self, base: Path, parts: list[str], node: Any) -> None:
        """The files that an import of ``parts``, found in ``base``, runs."""
        last = [alias.name for alias in node.names] if kind(node) == "ImportFrom" else []
        for part in filter(None, parts):
            self._follow_file(base / f"{part}.py")
            base = base / part
            self._follow_file(base / "__init__.py")
        for part in last:
            self._follow_file(base / f"{part}.py")

    def _follow_file(self, path: Path) -> None:
        self.looked_at.add(str(path))
        if str(path) in self._seen or not path.is_file():
            return
        self._seen.add(str(path))
        try:
            source = path.read_bytes()
        except OSError as error:
            self._problems.append(Problem(f"cannot be read: {error.strerror}", self.name_of(path)))
            return
        self._room -= len(source)
        if self._room < 0:
            return
        tree = parse(source, path, self.name_of(path))
        if isinstance(tree, Problem):
            self._problems.append(tree)
        else:
            self._follow(tree, source, path)

    def _shadowed(self, node: Any, name: str) -> Iterator[Problem]:
        """An import from the asset's own file that gets Python's module of the same name."""
        if kind(node) != "ImportFrom" or node.level or node.module not in sys.stdlib_module_names:
            return
        own = self._folder / f"{node.module}.py"
        self.looked_at.add(str(own))
        if not own.is_file():
            return
        module = __import__(node.module)
        wanted = [alias.name for alias in node.names if alias.name != "*"]
        missing = [each for each in wanted if not hasattr(module, each)]
        if missing:
            what = (
                f"'{node.module}' is a module of Python's own, without {', '.join(missing)}: "
                f"give {node.module}.py in the asset's folder another name"
            )
            yield at(node, what, name)

    def _is_known(self, module: str) -> bool:
        """Whether Python itself finds the module, without a project's folders."""
        if module in sys.stdlib_module_names:
            return True
        try:
            if any(finder.find_spec(module, None) for finder in sys.meta_path):
                return True
        except Exception:  # a broken finder of someone else's: the import itself will report it
            self.is_lasting = False
            return True
        self.is_lasting = False  # it may be installed in a moment, or be in this process alone
        return module in sys.modules


def _imported(node: Any) -> list[str]:
    if kind(node) == "Import":
        return [alias.name for alias in node.names]
    if kind(node) == "ImportFrom" and not node.level and node.module:
        return [node.module]
    return []
