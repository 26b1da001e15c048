"""What is stored of a step apart from data and config: files it wrote, what it was made from.

Below the store's root: ``results/<kind>/<run id>/``, with the run's owner, and for each step
``<step>.json`` and a folder with the files, if there are any. The former is written last, so that
what has one is whole; runs that use a step again have it in common, or have all that they take in
one ``.steps.json`` (``taken.py``). A step is used again only if
everything that it was made from is the same (``keys.py``), and its files are what they were.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alo.copies import clone_or_copy, link_or_copy
from alo.errors import StoreError
from alo.files import checksum, checksum_of, remove_tree, write_once, write_whole
from alo.json_text import json_bytes, json_value, ordinary_bytes
from alo.layout import KINDS
from alo.named_tuples import NamedTuple
from alo.store.keys import StepKey
from alo.store.manifest import ManifestError, sealed, unsealed
from alo.store.taken import TakenSteps
from alolib.disk import fix_of

OWNER = ".owner"  # no step has such a name
FORMAT = 3
CONTEXT = "told"  # what files of this format call a key's context
SUMMARIES = tuple(f"{kind}_summary.yaml" for kind in KINDS)
METRICS = tuple(f"{kind}_metrics.jsonl" for kind in KINDS)
NO_TRACE = "nothing"  # of a step that has done nothing to files
RECENT_RUNS = 20  # that are looked through for a result


class Effect(NamedTuple):
    """What a step did to the files around it, all by their names in the project's folder."""

    files: tuple[str, ...]  # that it wrote
    links: Mapping[str, str]  # name → where it leads, as that was written
    twins: Mapping[str, str]  # a second name of a file → the first
    folders: tuple[str, ...]  # that it made
    removed: tuple[str, ...]  # whatever was there before it, and not after


class CachedStep(NamedTuple):
    """A step that can be used again."""

    run_id: str
    kind: str
    step: str
    key: StepKey
    effect: Effect
    summary: Mapping[str, object] | None
    data_keys: tuple[str, ...]
    checksums: Mapping[str, str] = {}  # of the files in ``effect``
    trace: str = ""  # one checksum for all that later steps can see of it but data and config


class ResultDir:
    """The cached steps below the store's root."""

    def __init__(self, root: Path) -> None:
        self._root = root / "results"
        self._recent: dict[str, list[str]] = {}  # runs by kind, once they have been asked for
        self._taken = TakenSteps()

    def claim(self, kind: str, run_id: str, owner: str) -> None:
        """Note whose run this is before anything of it is stored: others may share the store."""
        folder = self._root / kind / run_id
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / OWNER, owner.encode("utf-8", "surrogateescape"), durable=False)

    def is_claimed(self, kind: str, run_id: str, owner: str) -> bool:
        """Whether ``claim`` has noted this owner for the run."""
        try:
            noted = ordinary_bytes(self._root / kind / run_id / OWNER)
        except OSError:
            return False
        return noted == owner.encode("utf-8", "surrogateescape")

    def save(self, cached: CachedStep, home: Path) -> CachedStep:
        """Store a step with copies of the files it wrote; returns it with their checksums.

        Args:
            home: the project's folder.
        Raises:
            StoreError: there is no room, or a file cannot be read.
        """
        folder, checksums = self._folder(cached), dict[str, str]()
        whole = cached

        def fill() -> None:
            nonlocal whole
            for name in cached.effect.files:
                _put(clone_or_copy, home / name, folder / name)
                checksums[name] = checksum(folder / name)
            trace = _trace(cached.effect, checksums, folder)
            whole = cached._replace(checksums=checksums, trace=trace)
            write_once(_result_of(folder), sealed(json_bytes(_document(whole))))

        _write(folder, fill)
        return whole

    def adopt(self, cached: CachedStep, run_id: str) -> None:
        """Make the cached step of another run this run's own.

        Raises:
            StoreError: there is no room, or a file cannot be read.
        """
        target = self._folder(cached._replace(run_id=run_id))

        def fill() -> None:
            self._adopt_files(cached, target)
            try:
                link_or_copy(_result_of(self._folder(cached)), _result_of(target))
            except FileNotFoundError:  # that run has taken it from another one
                write_once(_result_of(target), sealed(json_bytes(_document(cached))))

        _write(target, fill)

    def adopt_all(self, steps: Sequence[CachedStep], run_id: str) -> None:
        """Make the first steps of another run this run's own, which has none yet.

        Raises:
            StoreError: there is no room, or a file cannot be read.
        """
        source = self._root / steps[0].kind / steps[0].run_id
        target = source.with_name(run_id)
        with _kept_at(target / steps[0].step):
            for cached in steps:
                if cached.effect.files:
                    self._adopt_files(cached, target / cached.step)
            self._taken.give(source, target, {each.step: each for each in steps}, _document)

    def drop(self, kind: str, run_id: str, step: str) -> None:
        """Forget a step of a run that is about to run: what it saves then is another result's.

        Raises:
            StoreError: the file system does not let us.
        """
        folder = self._root / kind / run_id
        with _kept_at(folder / step):
            _result_of(folder / step).unlink(missing_ok=True)
            self._taken.drop(folder, step)

    def _adopt_files(self, cached: CachedStep, target: Path) -> None:
        source = self._folder(cached)
        for name in cached.effect.files:
            _put(link_or_copy, source / name, target / name)  # no one writes into either

    def find(self, kind: str, run_id: str, step: str) -> CachedStep | None:
        """The cached step of a run; None if there is none, or it is damaged."""
        folder = self._root / kind / run_id
        try:
            try:
                content = json_value(unsealed(ordinary_bytes(_result_of(folder / step))))
            except FileNotFoundError:
                content = self._taken.of(folder).get(step)
            return _read(content, run_id, kind, step) if content else None
        except (OSError, ManifestError):
            return None

    def find_each(self, kind: str, run_id: str, steps: Sequence[str]) -> Iterator[CachedStep]:
        """As ``find``, one after the other, up to the first that is missing."""
        try:
            yield from self._taken.each(
                self._root / kind / run_id,
                steps,
                lambda step, document: _read(document, run_id, kind, step),
                lambda step: self.find(kind, run_id, step),
            )
        except (OSError, ManifestError):
            return

    def recent(self, kind: str, step: str) -> Iterator[CachedStep]:
        """The step in the last runs that stored it, the newest first: those that were there, or
        had been claimed, when a step was first asked for."""
        if kind not in self._recent:
            self._recent[kind] = sorted(self.runs(kind), reverse=True)[:RECENT_RUNS]
        for run in self._recent[kind]:
            if cached := self.find(kind, run, step):
                yield cached

    def runs(self, kind: str) -> list[str]:
        """The runs that something is stored of."""
        try:
            return os.listdir(self._root / kind)
        except FileNotFoundError:
            return []

    def is_whole(self, cached: CachedStep) -> bool:
        """Whether the stored files of a step are what it had written."""
        if not cached.checksums:
            return True
        folder = self._folder(cached)
        try:
            return all(checksum(folder / name) == known for name, known in cached.checksums.items())
        except OSError:
            return False

    def put_back(self, cached: CachedStep, home: Path) -> None:
        """Do to the project's folder what the step did.

        Raises:
            StoreError: there is no room, or something is in the way.
        """
        if not any(cached.effect):
            return
        try:
            _do(cached.effect, self._folder(cached), home)
        except OSError as error:
            raise StoreError(
                f"what step '{cached.step}' wrote cannot be put back: {error.strerror}",
                where=str(error.filename or home),
                fix=fix_of(error),
            ) from error

    def forget(self, run_ids: Iterable[str]) -> None:
        """Remove what is stored of these runs."""
        for run_id in run_ids:
            for kind in KINDS:
                remove_tree(self._root / kind / run_id)

    def _folder(self, cached: CachedStep) -> Path:
        return Path(self._root, cached.kind, cached.run_id, cached.step)


def _result_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.json")


def _write(folder: Path, fill: Callable[[], object]) -> None:
    """Have a step's files and its result written in the place of what may be there."""
    with _kept_at(folder):
        result = _result_of(folder)
        if os.path.lexists(result):  # in a notebook a step may run again
            result.unlink()
        remove_tree(folder)
        fill()


@contextmanager
def _kept_at(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"what step '{folder.name}' wrote cannot be kept: {error.strerror}",
            where=str(error.filename or folder),
            fix=fix_of(error),
        ) from error


def _do(effect: Effect, folder: Path, home: Path) -> None:
    for name in sorted(effect.removed, reverse=True):  # a folder after what was in it
        _remove(home / name)
    for name in effect.folders:
        (home / name).mkdir(parents=True, exist_ok=True)
    for name in (*effect.files, *effect.twins, *effect.links):
        (home / name).unlink(missing_ok=True)
    for name in effect.files:
        _put(clone_or_copy, folder / name, home / name)
    for name, first in effect.twins.items():
        link_or_copy(home / first, home / name)
    for name, target in effect.links.items():
        os.symlink(target, home / name)


def _put(give: Callable[[Path, Path], None], source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    give(source, target)


def _remove(path: Path) -> None:
    """A file, a link or a folder that is empty."""
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def _trace(effect: Effect, checksums: Mapping[str, str], folder: Path) -> str:
    """The same for two steps after which a later one finds the same files and the same summary."""
    if not any(effect):
        return NO_TRACE
    lasting = {
        name: lasting_checksum(folder / name) if _is_dated(folder / name) else known
        for name, known in checksums.items()
    }
    return checksum_of(json.dumps([effect._asdict(), lasting], sort_keys=True).encode())


def lasting_checksum(path: Path) -> str:
    """The checksum of a file; of a summary and of metrics without dates, which differ each time."""
    if not _is_dated(path):
        return checksum(path)
    lines = path.read_bytes().splitlines()
    if path.name in METRICS:
        return checksum_of(b"\n".join(line.partition(b', "time": "')[0] for line in lines))
    return checksum_of(b"\n".join(line for line in lines if not line.startswith(b"date:")))


def _is_dated(path: Path) -> bool:
    return path.name in SUMMARIES + METRICS and path.parent.name == "score"


def _document(cached: CachedStep) -> dict[str, object]:
    """All of it as JSON has it, but which step of which run it is: its place says that."""
    key = cached.key._asdict()
    key[CONTEXT] = key.pop("context")
    content = {
        **cached._asdict(),
        "format": FORMAT,
        "key": key,
        "effect": cached.effect._asdict(),
    }
    for name in ("run_id", "kind", "step"):
        del content[name]
    return content


def _read(content: Mapping[str, Any], run_id: str, kind: str, step: str) -> CachedStep:
    if content["format"] != FORMAT:
        raise ManifestError("another version of ALO wrote it")
    key = {**content["key"], "requirements": tuple(content["key"]["requirements"])}
    key["context"] = key.pop(CONTEXT)
    effect: dict[str, Any] = {
        name: value if isinstance(value, dict) else tuple(value)
        for name, value in content["effect"].items()
    }
    return CachedStep(
        run_id,
        kind,
        step,
        StepKey(**key),
        Effect(**effect),
        content["summary"],
        tuple(content["data_keys"]),
        content["checksums"],
        content["trace"],
    )
