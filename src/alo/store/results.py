"""What is kept of a step beside its data and config: files it wrote, and what it was made from.

Below the store's root: ``results/<kind>/<run id>/``, with the run's owner, and for each step
``<step>.json`` and a folder with the files, if there are any. The former is written last, so that
what has one is whole; runs that use a step again have it in common. A step is used again only if
everything that it was made from is the same (:func:`difference`), and its files are what they were.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from alo.copies import clone_or_copy, link_or_copy
from alo.errors import StoreError
from alo.files import checksum, remove_tree, write_whole
from alo.json_text import json_bytes
from alo.layout import KINDS
from alolib.disk import fix_of

OWNER = ".owner"  # no step has such a name
RECENT_RUNS = 20  # that are looked through for a result


class StepKey(NamedTuple):
    """All that a step's result depends on."""

    place: str  # pipeline, number and name of the step, and its neighbours' names
    args: Mapping[str, object]
    code: Mapping[str, str]  # every file of the asset, and each project module it imported
    requirements: tuple[str, ...]
    packages: Mapping[str, str]  # Python and the packages it had imported
    data_id: str
    incoming: str  # what the step before handed on
    models: str  # of an inference: what it may read
    target: str  # where the run is exported to, and the metadata's version: the summary has them


class KeptFile(NamedTuple):
    """A file that a step wrote."""

    size: int
    checksum: str


class KeptStep(NamedTuple):
    """A step that can be used again."""

    run_id: str
    kind: str
    step: str
    key: StepKey
    files: Mapping[str, KeptFile]  # by name in the artifacts folder
    removed: tuple[str, ...]  # files of earlier steps that it deleted
    folders: tuple[str, ...]  # that it made
    summary: Mapping[str, object] | None
    data_keys: tuple[str, ...]


class ResultShelf:
    """The kept steps below the store's root."""

    def __init__(self, root: Path) -> None:
        self._root = root / "results"

    def claim(self, kind: str, run_id: str, owner: str) -> None:
        """Note whose run this is before anything of it is kept: others may share the store."""
        folder = self._root / kind / run_id
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / OWNER, owner.encode("utf-8", "surrogateescape"), durable=False)

    def is_claimed(self, kind: str, run_id: str, owner: str) -> bool:
        """Whether ``claim`` has noted this owner for the run."""
        try:
            noted = (self._root / kind / run_id / OWNER).read_bytes()
        except OSError:
            return False
        return noted == owner.encode("utf-8", "surrogateescape")

    def keep(self, kept: KeptStep, artifacts: Path, written: Iterable[str]) -> None:
        """Keep a step with copies of the files it wrote, and their checksums.

        Raises:
            StoreError: there is no room, or a file cannot be read.
        """
        folder = self._folder(kept)

        def fill() -> None:
            files = {}
            for name in written:
                _put(clone_or_copy, artifacts / name, folder / name)
                size = (folder / name).stat().st_size
                files[name] = KeptFile(size, checksum(folder / name))
            write_whole(_result_of(folder), _to_bytes(kept._replace(files=files)), durable=False)

        _write(folder, fill)

    def adopt(self, kept: KeptStep, run_id: str) -> None:
        """Make the kept step of another run this run's own.

        Raises:
            StoreError: there is no room, or a file cannot be read.
        """
        source, target = self._folder(kept), self._folder(kept._replace(run_id=run_id))

        def fill() -> None:
            for name in kept.files:
                _put(link_or_copy, source / name, target / name)  # no one writes into either
            link_or_copy(_result_of(source), _result_of(target))

        _write(target, fill)

    def find(self, kind: str, run_id: str, step: str) -> KeptStep | None:
        """The kept step of a run; None if there is none, or it is damaged."""
        try:
            path = _result_of(self._root / kind / run_id / step)
            return _read(json.loads(path.read_bytes()), run_id, kind, step)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def recent(self, kind: str, step: str) -> Iterator[KeptStep]:
        """The step in the last runs that kept it, the newest first."""
        for run in sorted(self.runs(kind), reverse=True)[:RECENT_RUNS]:
            if kept := self.find(kind, run, step):
                yield kept

    def runs(self, kind: str) -> list[str]:
        """The runs that something is kept of."""
        try:
            return os.listdir(self._root / kind)
        except FileNotFoundError:
            return []

    def put_back(self, kept: KeptStep, artifacts: Path) -> bool:
        """Do to the artifacts folder what the step did; False where a kept file is not whole."""
        folder = self._folder(kept)
        for name, file in kept.files.items():
            try:
                if checksum(folder / name) != file.checksum:
                    return False
            except OSError:
                return False
        for name in kept.folders:
            (artifacts / name).mkdir(parents=True, exist_ok=True)
        for name in kept.files:
            (artifacts / name).unlink(missing_ok=True)
            _put(clone_or_copy, folder / name, artifacts / name)
        for name in kept.removed:
            (artifacts / name).unlink(missing_ok=True)
        return True

    def forget(self, run_ids: Iterable[str]) -> None:
        """Remove what was kept of these runs."""
        for run_id in run_ids:
            for kind in KINDS:
                remove_tree(self._root / kind / run_id)

    def _folder(self, kept: KeptStep) -> Path:
        return self._root / kept.kind / kept.run_id / kept.step


def _result_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.json")


def _write(folder: Path, fill: Callable[[], object]) -> None:
    """Have a step's files and its result written in the place of what may be there."""
    try:
        _result_of(folder).unlink(missing_ok=True)  # in a notebook a step may run again
        remove_tree(folder)
        fill()
    except OSError as error:
        raise StoreError(
            f"what step '{folder.name}' wrote cannot be kept: {error.strerror}",
            where=str(error.filename or folder),
            fix=fix_of(error),
        ) from error


def _put(give: Callable[[Path, Path], None], source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    give(source, target)


def _to_bytes(kept: KeptStep) -> bytes:
    """Its place says which step of which run it is."""
    content = {**kept._asdict(), "key": kept.key._asdict()}
    for name in ("run_id", "kind", "step"):
        del content[name]
    return json_bytes(content)


def _read(content: Mapping[str, Any], run_id: str, kind: str, step: str) -> KeptStep:
    key = {**content["key"], "requirements": tuple(content["key"]["requirements"])}
    return KeptStep(
        run_id,
        kind,
        step,
        StepKey(**key),
        {name: KeptFile(*file) for name, file in content["files"].items()},
        tuple(content["removed"]),
        tuple(content["folders"]),
        content["summary"],
        tuple(content["data_keys"]),
    )


def difference(before: StepKey, now: StepKey) -> str:
    """Why a kept step cannot stand for one that would run now; empty if it can."""
    if before.args != now.args:
        return f"args changed: {_changes(before.args, now.args)}"
    if before.code != now.code:
        return f"code changed: {_names(before.code, now.code)}"
    if before.requirements != now.requirements:
        return "requirements changed"
    if before.packages != now.packages:
        return f"packages changed: {_changes(before.packages, now.packages)}"
    if before.data_id != now.data_id:
        return "input data changed"
    if before.models != now.models:
        return "model changed"
    if before.incoming != now.incoming:
        return "what the step before hands on changed"
    if before.place != now.place:
        return "its place in the pipeline changed"
    if before.target != now.target:
        return "export path or metadata version changed"
    return ""


def _changes(before: Mapping[str, object], now: Mapping[str, object]) -> str:
    told = []
    for key in sorted({*before, *now}):
        if key not in now:
            told.append(f"{key} is gone")
        elif key not in before:
            told.append(f"{key} {now[key]} is new")
        elif before[key] != now[key]:
            told.append(f"{key} {before[key]} → {now[key]}")
    return ", ".join(told)


def _names(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    names = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    return ", ".join([*names[:3], "..."] if len(names) > 3 else names)
