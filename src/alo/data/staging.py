"""Bring input data into ``input/<kind>/``: copy the new, keep the unchanged, drop the gone."""

import errno
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import xxhash

from alo.data.copying import Copied, Copier
from alo.data.found import Found, folders_of, found_in
from alo.data.location import (
    NO_PROFILE,
    Access,
    SourceFile,
    is_remote,
    version_columns,
    versions_of,
)
from alo.data.manifest import (
    Manifest,
    State,
    read_glance,
    read_manifest,
    state_of,
    write_manifest,
)
from alo.data.progress import Progress, Report
from alo.errors import StagingError
from alo.files import (
    checksum,
    checksum_of,
    discard,
    is_leftover,
    many_objects,
    remove_tree,
    write_new,
)
from alo.json_text import ordinary_bytes
from alo.layout import Workspace
from alo.named_tuples import NamedTuple
from alolib.disk import fix_of

REMEMBER_EVERY_S = 5  # what a killed staging has copied by then is not copied again


class Staged(NamedTuple):
    """The run's input data."""

    files: Mapping[str, str]  # name below input/<kind>/ -> checksum
    size: int  # bytes
    copied: int  # files
    foreign: tuple[str, ...]  # files in input/<kind>/ that came from none of the sources

    @property
    def data_id(self) -> str:
        """12 hex digits over names and contents, in whatever order; empty without data."""
        if not self.files:
            return ""
        lines = "".join(f"{name}\0{self.files[name]}\n" for name in sorted(self.files))
        return xxhash.xxh3_128_hexdigest(lines.encode("utf-8", "surrogateescape"))[:12]


def bytes_to_copy(workspace: Workspace, kind: str, sources: Sequence[SourceFile]) -> int:
    """How much room staging these sources needs."""
    known = read_manifest(workspace.staging_manifest(kind)).sources
    root = workspace.input(kind)
    return sum(
        file.known_size
        for file in sources
        if known.get(file.name) != file.version or not os.path.lexists(root / file.name)
    )


def stage(
    workspace: Workspace,
    kind: str,
    sources: Sequence[SourceFile],
    report: Report,
    access: Access = NO_PROFILE,
    *,
    is_remembered: bool = True,
) -> Staged:
    """Make ``input/<kind>/`` hold exactly these sources (and what a user put next to them by hand).

    Args:
        report: called now and then with how far a long staging is.
        access: as the sources were listed with.
        is_remembered: for the next time, which then copies only what is new.
    Raises:
        StagingError: a file cannot be read or written, or changed while it was copied. What
            has been copied by then is remembered: the next try continues from there.
    """
    root, path = workspace.input(kind), workspace.staging_manifest(kind)
    try:
        root.mkdir(parents=True, exist_ok=True)
        if not is_remembered:
            staging = _Staging(workspace, kind, sources, report, access, is_remembered=False)
            return staging.run(Manifest.empty(), found_in(root))
        with many_objects():
            here = found_in(root)
            unchanged = _as_remembered(sources, path, here)
        if unchanged is not None:
            _unfinished_mark(path).unlink(missing_ok=True)
            return unchanged
        return _Staging(workspace, kind, sources, report, access).run(read_manifest(path), here)
    except OSError as error:
        raise StagingError(
            f"cannot bring the input data in: {error.strerror or error}",
            where=str(error.filename or root),
            fix=fix_of(error),
        ) from error


def stage_content(workspace: Workspace, kind: str, contents: Mapping[str, bytes]) -> Staged:
    """Make files in ``input/<kind>/``, which is empty, of what is in memory.

    Args:
        contents: by names, with folders.
    Raises:
        OSError: a file cannot be written.
    """
    write_new(contents, workspace.input(kind))
    checksums = {name: checksum_of(content) for name, content in contents.items()}
    return Staged(checksums, sum(map(len, contents.values())), len(contents), ())


def _as_remembered(sources: Sequence[SourceFile], manifest: Path, here: Found) -> Staged | None:
    """The input data, where nothing has changed on either side: the usual case, so it has a short
    way.

    It is found in the order of names, in which sources are listed; another costs time.
    """
    known, copies, versions = read_glance(manifest), here.columns, version_columns(sources)
    if not known.is_of(copies, versions):
        return None
    (names, sizes, *_), (sourced, *_) = copies, versions
    # Else all folders are those of files, on both sides.
    may_differ = here.has_empty or len(sources) > len(sourced)
    if may_differ and {*here.folders} != folders_of([file.name for file in sources]):
        return None
    foreign = () if len(names) == len(sourced) else tuple(sorted({*names}.difference(sourced)))
    checksums = dict(zip(names, known.checksums.split(), strict=True))
    return Staged(checksums, sum(sizes), 0, foreign)


def use_what_is_there(workspace: Workspace, kind: str) -> Staged:
    """The input data of a plan that names no source: what is in ``input/<kind>/`` already.

    Raises:
        StagingError: it is what a staging that was broken off has left.
    """
    root, path = workspace.input(kind), workspace.staging_manifest(kind)
    root.mkdir(parents=True, exist_ok=True)
    files = found_in(root).states
    _refuse_unfinished(_unfinished_mark(path), files, root)
    known = read_manifest(path)
    manifest = known.only(name for name, state in files.items() if known.copies.get(name) == state)
    for name in files.keys() - manifest.copies.keys():
        _add_by_hand(manifest, root, name)
    if manifest != known:
        write_manifest(path, manifest)
    return _staged(manifest, 0, ())


def _staged(manifest: Manifest, copied: int, foreign: tuple[str, ...]) -> Staged:
    size = sum(state[0] for state in manifest.copies.values())
    return Staged(manifest.checksums, size, copied, foreign)


def _add_by_hand(manifest: Manifest, root: Path, name: str) -> None:
    path = root / name
    status = os.stat(path)
    manifest.add(name, state_of(status), checksum(path))


def _unfinished_mark(manifest: Path) -> Path:
    """There from the first change that a staging makes until its last."""
    return manifest.with_suffix(".unfinished")


def _refuse_unfinished(mark: Path, files: Iterable[str], root: Path) -> None:
    try:
        names = set(ordinary_bytes(mark).decode("utf-8", "surrogateescape").split("\n"))
    except FileNotFoundError:
        return
    if left := sorted(names & {name.partition("/")[0] for name in files}):
        raise StagingError(
            f"{left[0]} is the rest of a staging that was broken off, and not whole",
            where=str(root),
            fix=f"name its data path in the plan and try again; if it is whole, delete {mark}",
        )
    mark.unlink()


class _Staging:
    """One pass over the sources."""

    def __init__(
        self,
        workspace: Workspace,
        kind: str,
        sources: Sequence[SourceFile],
        report: Report,
        access: Access,
        *,
        is_remembered: bool = True,
    ) -> None:
        self._is_remembered = is_remembered
        self._root, self._path = workspace.input(kind), workspace.staging_manifest(kind)
        self._sources = {file.name: file for file in sources if not file.is_folder}
        self._folders = folders_of([file.name for file in sources])
        self._tops = {folder for folder in self._folders if "/" not in folder}
        self._tops.update(name for name in self._sources if "/" not in name)
        self._access = access
        self._is_changing = False
        self._progress = Progress(report, sum(file.known_size for file in sources))
        self._remembered = time.monotonic()

    def run(self, known: Manifest, here: Found) -> Staged:
        self._known = known
        files, folders = here.states, here.folders
        good = self._still_good(files)
        self._manifest = known.only(good)
        self._manifest.copies.update((name, files[name]) for name in good)
        new = [file for name, file in self._sources.items() if name not in self._manifest.copies]
        stays = self._drop_what_is_gone(files, folders)
        self._make_folders(folders)
        if new:
            self._replace(new, stays)
        foreign = tuple(sorted(stays - self._sources.keys()))
        for name in foreign:
            if self._known.copies.get(name) == files[name]:
                self._manifest.add(name, files[name], self._known.checksums[name])
            else:
                _add_by_hand(self._manifest, self._root, name)
        self._finish()
        return _staged(self._manifest, len(new), foreign)

    def _still_good(self, files: Mapping[str, State]) -> list[str]:
        """The copies that need no new one."""
        known = self._known
        good = []
        for name, *version in versions_of(self._sources.values()):
            if known.sources.get(name) != tuple(version) or name not in files:
                continue
            if known.copies[name] == files[name] or self._is_same(name, files[name]):
                good.append(name)
        return good

    def _is_same(self, name: str, state: State) -> bool:
        """Whether only the change time differs, as after a new owner or a hard link."""
        if self._known.copies[name][:2] != state[:2]:
            return False
        return checksum(self._root / name) == self._known.checksums[name]

    def _drop_what_is_gone(self, files: Mapping[str, State], folders: Sequence[str]) -> set[str]:
        """The files that stay: in a source's folder its copies, in others what was never one."""
        stays = set(files)
        tops = set(self._tops)
        for name in files.keys() - self._sources.keys():
            top = name.partition("/")[0]
            if top in self._tops or name in self._known.sources or is_leftover(name):
                self._will_change()
                os.unlink(self._root / name)
                stays.remove(name)
                tops.add(top)
        for name in reversed(folders):
            if name not in self._folders and name.partition("/")[0] in tops:
                self._will_change()
                _remove_if_empty(self._root / name)
        return stays

    def _make_folders(self, folders: Sequence[str]) -> None:
        for name in sorted(self._folders.difference(folders)):
            self._will_change()
            os.mkdir(self._root / name)

    def _replace(self, new: Sequence[SourceFile], present: set[str]) -> None:
        self._will_change()
        self._progress.add(self._progress.total - sum(file.known_size for file in new))
        try:
            for file in new:
                if file.name in present:  # never write through a link, nor into another's file
                    os.unlink(self._root / file.name)
            self._copy_all(new)
        except BaseException:
            self._remember()
            raise
        self._progress.finish()

    def _copy_all(self, new: Sequence[SourceFile]) -> None:
        copier = Copier(self._progress.add)
        for file in new:
            if not is_remote(file.path):
                copied = self._copy(copier, file, f"{self._root}/{file.name}")
                self._note(file, copied.target, copied.checksum)
        if remote := [file for file in new if is_remote(file.path)]:
            self._fetch(remote)

    def _fetch(self, files: Sequence[SourceFile]) -> None:
        from alo.data.remote.faults import ObjectStoreError
        from alo.data.remote.fetching import fetch_all

        partial = self._path.with_suffix(".partial")
        try:
            for file, digest, status in fetch_all(
                files, self._root, partial, self._access, self._progress.add
            ):
                self._note(file, status, digest)
        except ObjectStoreError as error:
            fix = error.fix or "see that the store can be reached, and try again"
            raise StagingError(
                f"cannot stage {error}", fix=f"{fix}; what has come is kept"
            ) from error
        except OSError as error:
            raise self._cannot_stage("remote files", error, str(self._root)) from error
        remove_tree(partial)

    def _cannot_stage(self, what: str, error: OSError, target: str) -> StagingError:
        return StagingError(
            f"cannot stage {what}: {error.strerror}",
            where=str(error.filename or target),
            fix=fix_of(error, needed=self._progress.rest),
        )

    def _note(self, file: SourceFile, status: os.stat_result, digest: str) -> None:
        self._manifest.add(file.name, state_of(status), digest, file.version)
        if time.monotonic() - self._remembered > REMEMBER_EVERY_S:
            self._remember()

    def _copy(self, copier: Copier, file: SourceFile, target: str) -> Copied:
        try:
            copied = copier.copy(file.path, target)
        except OSError as error:
            raise self._cannot_stage(file.path, error, target) from error
        now = (copied.source.st_size, copied.source.st_mtime_ns, copied.target.st_size)
        if now != (file.size, file.mtime_ns, file.size):
            discard(Path(target))
            raise StagingError(
                f"{file.path} changed while it was being staged",
                fix="try again when nothing writes to the data source",
            )
        return copied

    def _will_change(self) -> None:
        """Leave the mark by which a later run knows that this one was broken off."""
        if self._is_changing or not self._is_remembered:
            return
        self._is_changing = True
        self._path.parent.mkdir(parents=True, exist_ok=True)
        content = "\n".join(sorted(self._tops)).encode("utf-8", "surrogateescape")
        _unfinished_mark(self._path).write_bytes(content)

    def _remember(self) -> None:
        """Save what is done by now; a full disk, say, costs this memory and no more."""
        self._remembered = time.monotonic()
        if not self._is_remembered:
            return
        try:
            write_manifest(self._path, self._manifest)
        except OSError:
            return

    def _finish(self) -> None:
        if not self._is_remembered:
            return
        is_of_earlier_version = bool(self._known.copies) and not read_glance(self._path).key
        if self._manifest != self._known or is_of_earlier_version:
            write_manifest(self._path, self._manifest)
        _unfinished_mark(self._path).unlink(missing_ok=True)


def _remove_if_empty(folder: Path) -> None:
    try:
        os.rmdir(folder)
    except OSError as error:
        if error.errno != errno.ENOTEMPTY:
            raise
