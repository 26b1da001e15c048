"""The code of a run: every file that its steps are made of, as it was when the run began.

It is what imports read (``sources/code_view``), what the run's ``code_id`` is over, what history
keeps and a rerun has, and what the cache compares: all files of the steps' folders, and each
module of the project that steps import.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from alo.engine.steps.code_copy import Earlier, snapshot
from alo.errors import RunError
from alo.files import checksum_of
from alo.layout import ASSETS, OWN_FOLDERS, in_entry
from alo.sources.code.fingerprint import code_files, code_id
from alo.sources.code.reach import Reach
from alo.sources.code.view import CodeView
from alolib.disk import fix_of


class RunCode:
    """The code of one run.

    Args:
        assets: the folder of the steps' folders.
        folder: for our copies.
        workspace: what assets are given as the project's folder.
        shown: the history entry that the code is a copy of; empty: it is the project's own.
        earlier: copies of large files that need not be made again.
    """

    def __init__(
        self,
        assets: Path,
        folder: Path,
        *,
        workspace: Path,
        shown: str = "",
        earlier: Earlier = dict,
    ) -> None:
        self._assets, self._folder, self._earlier = assets, folder, earlier
        self.view = CodeView(str(assets.parent), workspace=str(workspace), shown=shown)
        self.copies: dict[str, Path] = {}  # by name in the project
        self.checksums: dict[str, str] = {}  # by the same names
        self._of: dict[str, frozenset[str]] = {}  # step → what its text leads to
        self._in: dict[str, set[str]] = {}  # folder → names; of an asset's, those below it too

    @property
    def id(self) -> str:
        """One id for all of the code, which differs as soon as a file of it does."""
        return code_id(self.checksums)

    @property
    def description(self) -> dict[str, object]:
        """For the record of the run."""
        return {"files": dict(self.checksums)}

    def take(self, steps: Sequence[str], assets: Path | None = None) -> list[str]:
        """Keep the code of steps as it is now, whatever an editor does while they run.

        Args:
            assets: another folder of the steps' folders, of a past run; theirs alone is taken then.
        Returns:
            the names of files that steps share and that have changed since they were taken.
        Raises:
            RunError: a file cannot be read.
        """
        shared = {name: self.checksums[name] for names in self._of.values() for name in names}
        folders = tuple(f"assets/{step}/" for step in steps)
        for name in [name for name in self.copies if name.startswith(folders)]:
            self._drop(name)
        reach = None if assets else Reach(self._assets.parent)
        taken: set[str] = set()
        for step in steps:
            files = code_files(assets or self._assets, step)
            if reach is not None:
                others = reach.of(files, f"assets/{step}/")
                self._of[step] = frozenset(others)
                files.update(others)
            self._keep({name: path for name, path in files.items() if name not in taken}, step)
            taken.update(files)
        return [name for name, known in shared.items() if self.checksums.get(name) != known]

    def take_shared(self, entry: Path, files: Mapping[str, str]) -> list[str]:
        """Have the modules that a past run used, apart from its steps' own, where they are missing.

        Args:
            files: of that run: name → checksum.
        Returns:
            the names of those that are there and others.
        """
        there = {name: entry / in_entry(name) for name in files if name not in self.checksums}
        self._keep({name: path for name, path in there.items() if path.is_file()})
        return [name for name, known in files.items() if self.checksums.get(name, known) != known]

    def absorb(self) -> None:
        """Take in what has been imported in addition to that."""
        if self.view.read:
            self.add(self.view.read_by_name())
            self.view.read = {}

    def add(self, contents: Mapping[str, bytes]) -> None:
        """Take in modules of the project: name → content."""
        new = {
            name: content
            for name, content in contents.items()
            if name not in self.checksums and name.partition(os.sep)[0] not in OWN_FOLDERS
        }
        for name, content in new.items():
            copy = self._folder / os.urandom(8).hex()
            copy.write_bytes(content)
            self._note(name, copy, checksum_of(content))
        if new:
            reach = Reach(self._assets.parent)
            beside = {name: path for each in new for name, path in reach.beside(each).items()}
            self._keep({n: path for n, path in beside.items() if n not in self.checksums})

    def add_used(self, names: Iterable[str]) -> None:
        """Take in what a step has used that is not run again, as it is now."""
        home = self._assets.parent
        missing = [name for name in names if name not in self.checksums and not os.path.isabs(name)]
        if missing:
            self._keep({name: home / name for name in missing if (home / name).is_file()})

    def of_step(self, step: str, used: Iterable[str] = ()) -> dict[str, str]:
        """The code that counts for a step: name → checksum.

        Args:
            used: names of modules that it may have used.
        """
        names = self._of.get(step, frozenset()).union(used)
        folders = {os.path.dirname(name) for name in used} - {""}
        beside = (self._in.get(folder, ()) for folder in (f"{ASSETS}/{step}", *folders))
        return {
            name: self.checksums[name]
            for name in sorted(names.union(*beside))
            if name in self.checksums
        }

    def _keep(self, files: Mapping[str, str | os.PathLike[str]], step: str = "") -> None:
        try:
            copies, checksums = snapshot(files, self._folder, self._earlier)
        except OSError as error:
            whose = f"of step '{step}'" if step else "that steps share"
            raise RunError(
                f"the code {whose} cannot be kept: {error.strerror}",
                where=str(error.filename or self._assets / step),
                fix=fix_of(error, other="every file in the asset's folder has to be readable"),
            ) from error
        for name, copy in copies.items():
            self._note(name, copy, checksums[name])

    def _note(self, name: str, copy: Path, known: str) -> None:
        self.copies[name], self.checksums[name] = copy, known
        for folder in _folders_of(name):
            self._in.setdefault(folder, set()).add(name)
        self.view.freeze(name, copy)

    def _drop(self, name: str) -> None:
        del self.copies[name], self.checksums[name]
        for folder in _folders_of(name):
            self._in[folder].discard(name)
        self.view.thaw(name)


def _folders_of(name: str) -> set[str]:
    """The folder of a file of code, and that of its asset."""
    folder = os.path.dirname(name)
    first, _, rest = folder.partition("/")
    return {folder, f"{ASSETS}/{rest.partition('/')[0]}"} if first == ASSETS and rest else {folder}
