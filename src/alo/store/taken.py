"""The steps that a run has taken from another one, in one file: none of them needs one of its own.

The file does not say whose it is, as little as those of single steps do (``manifest.py``): a run
that takes all steps of one that had taken all of them has that file under a second name, whatever
becomes of the other. A step that has a file of its own has run since: that is what counts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from alo.copies import link_or_copy
from alo.files import write_whole
from alo.json_text import json_bytes, json_value, ordinary_bytes
from alo.store.manifest import ManifestError, sealed, unsealed

TAKEN = ".steps.json"  # in the folder of a run; no step has such a name
FORMAT = 1

T = TypeVar("T")


class TakenSteps:
    """The files of taken steps, by the folder of their run; each is read once."""

    def __init__(self) -> None:
        self._known: dict[Path, Mapping[str, Any]] = {}

    def of(self, folder: Path) -> Mapping[str, Any]:
        """Step → what its own file would hold; empty where the run has taken none.

        Raises:
            ManifestError: the file is damaged, or of another version.
            OSError: it cannot be read.
        """
        if folder not in self._known:
            try:
                content = ordinary_bytes(folder / TAKEN)
            except FileNotFoundError:
                return {}
            self._known[folder] = _checked(json_value(unsealed(content)))
        return self._known[folder]

    def each(
        self,
        folder: Path,
        steps: Sequence[str],
        of_document: Callable[[str, Any], T],
        find: Callable[[str], T | None],
    ) -> Iterator[T]:
        """The first steps that a run has, up to the one that is missing.

        Args:
            of_document: of a step that the run has taken.
            find: one that may have a file of its own.
        Raises:
            ManifestError, OSError: as of ``of``.
        """
        if not folder.is_dir():
            return
        own, taken = {*_own_files(folder)}, self.of(folder)
        for step in steps:
            is_taken = step in taken and f"{step}.json" not in own
            found = of_document(step, taken[step]) if is_taken else find(step)
            if found is None:
                return
            yield found

    def give(
        self, source: Path, target: Path, steps: Mapping[str, T], document: Callable[[T], Any]
    ) -> None:
        """Note the first steps of the run in ``source`` as taken by that in ``target``.

        Args:
            document: what the own file of a step would hold.
        Raises:
            ManifestError: what is in ``source`` is damaged.
            OSError: there is no room, or something is in the way.
        """
        known = self.of(source)
        if [*known] == [*steps] and not any(_own_files(source)):
            link_or_copy(source / TAKEN, target / TAKEN)
            self._known[target] = known
        else:
            self._write(target, {name: document(step) for name, step in steps.items()})

    def drop(self, folder: Path, step: str) -> None:
        """Forget a step that a run of this process has taken, and now runs.

        Raises:
            OSError: it cannot be forgotten.
        """
        if step in (known := self._known.get(folder, {})):
            self._write(folder, {name: each for name, each in known.items() if name != step})

    def _write(self, folder: Path, documents: Mapping[str, Any]) -> None:
        content = sealed(json_bytes({"format": FORMAT, "steps": documents}))
        write_whole(folder / TAKEN, content, durable=False)
        self._known[folder] = documents


def _own_files(folder: Path) -> Iterator[str]:
    """Those of steps that have one of their own, in the folder of a run."""
    return (name for name in os.listdir(folder) if name.endswith(".json") and name != TAKEN)


def _checked(content: Mapping[str, Any]) -> Mapping[str, Any]:
    if content["format"] != FORMAT:
        raise ManifestError("another version of ALO wrote it")
    steps: Mapping[str, Any] = content["steps"]
    return steps
