"""Bring input data into ``input/<kind>/``: copy what is new, keep what is unchanged, drop what is gone."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import xxhash

from alo.data.locations import SourceFile
from alo.errors import StagingError
from alo.files import CHUNK, checksum, is_leftover, remove_tree, temporary_beside, write_whole
from alo.layout import Workspace

Report = Callable[[int, int], None]  # bytes done, bytes in all


class StagedFile(NamedTuple):
    """What is remembered of a staged file, so that nothing is copied or read twice."""

    source_size: int
    source_mtime_ns: int
    size: int
    mtime_ns: int
    ctime_ns: int  # changes with every write to the copy, even one that sets the time back
    checksum: str


class Staged(NamedTuple):
    """The run's input data."""

    files: Mapping[str, str]  # name below input/<kind>/ -> checksum
    size: int  # bytes
    copied: int  # files
    foreign: tuple[str, ...]  # files in input/<kind>/ that came from none of the sources

    @property
    def data_id(self) -> str:
        """12 hex digits over names and contents, whatever the order of the folders; empty without data."""
        if not self.files:
            return ""
        lines = "".join(f"{name}\0{self.files[name]}\n" for name in sorted(self.files))
        return xxhash.xxh3_128_hexdigest(lines.encode("utf-8", "surrogateescape"))[:12]


def bytes_to_copy(workspace: Workspace, kind: str, sources: Sequence[SourceFile]) -> int:
    """How much room staging these sources needs."""
    known = _read_manifest(workspace.staging_manifest(kind))
    return sum(file.size for file in sources if not _source_unchanged(known.get(file.name), file))


def stage(
    workspace: Workspace, kind: str, sources: Sequence[SourceFile], report: Report
) -> Staged:
    """Make ``input/<kind>/`` hold exactly these sources (and what a user put beside them by hand).

    Raises:
        StagingError: a file cannot be read or written, or changed while it was copied.
    """
    root = workspace.input(kind)
    root.mkdir(parents=True, exist_ok=True)
    manifest = workspace.staging_manifest(kind)
    known = _read_manifest(manifest)
    wanted = {file.name: file for file in sources}
    _drop_what_is_gone(root, known, wanted)
    entries: dict[str, StagedFile] = {}
    done, total, copied = 0, sum(file.size for file in sources), 0
    try:
        for file in sources:
            entry = _still_good(root, file, known.get(file.name))
            if entry is None:
                entry, copied = _copy(root, file), copied + 1
                report(done + file.size, total)
            entries[file.name] = entry
            done += file.size
    finally:
        if copied or entries.keys() != known.keys():
            _write_manifest(manifest, {**known, **entries} if len(entries) < len(sources) else entries)
    foreign = tuple(name for name in _names_below(root) if name not in entries)
    files = {name: entry.checksum for name, entry in entries.items()}
    files.update(_checksums(root, foreign))
    size = sum(os.stat(root / name).st_size for name in foreign) + total
    return Staged(files, size, copied, foreign)


def use_what_is_there(workspace: Workspace, kind: str) -> Staged:
    """The input data of a plan that names no source: what is in ``input/<kind>/`` already."""
    root = workspace.input(kind)
    root.mkdir(parents=True, exist_ok=True)
    manifest = workspace.staging_manifest(kind)
    known = _read_manifest(manifest)
    entries: dict[str, StagedFile] = {}
    for name in _names_below(root):
        status = os.stat(root / name)
        entry = known.get(name)
        if entry is None or not _copy_unchanged(entry, status):
            digest = checksum(root / name)
            entry = StagedFile(-1, -1, status.st_size, status.st_mtime_ns, status.st_ctime_ns, digest)
        entries[name] = entry
    if entries != known:
        _write_manifest(manifest, entries)
    files = {name: entry.checksum for name, entry in entries.items()}
    return Staged(files, sum(entry.size for entry in entries.values()), 0, ())


def _drop_what_is_gone(
    root: Path, known: Mapping[str, StagedFile], wanted: Mapping[str, SourceFile]
) -> None:
    """Inside a source's own folder everything is a copy; elsewhere only what was staged before is."""
    tops = {name.partition("/")[0] for name in wanted}
    parents = {name.rpartition("/")[0] for name in wanted}
    for name in list(_names_below(root)):
        inside = name.partition("/")[0] in tops
        if name not in wanted and (inside or name in known or is_leftover(name)):
            (root / name).unlink()
    for folder, _, _ in sorted(os.walk(root), reverse=True):
        relative = os.path.relpath(folder, root)
        if relative not in parents and folder != str(root) and not os.listdir(folder):
            os.rmdir(folder)


def _still_good(root: Path, file: SourceFile, entry: StagedFile | None) -> StagedFile | None:
    """The entry of a copy that needs no new one, else None."""
    if entry is None or not _source_unchanged(entry, file):
        return None
    path = root / file.name
    try:
        status = os.lstat(path)
    except OSError:
        return None
    if _copy_unchanged(entry, status):
        return entry
    if (status.st_size, status.st_mtime_ns) == (entry.size, entry.mtime_ns) and (
        checksum(path) == entry.checksum
    ):  # a link or a new owner also changes ctime
        return entry._replace(ctime_ns=status.st_ctime_ns)
    return None


def _source_unchanged(entry: StagedFile | None, file: SourceFile) -> bool:
    return entry is not None and (entry.source_size, entry.source_mtime_ns) == (
        file.size,
        file.mtime_ns,
    )


def _copy_unchanged(entry: StagedFile, status: os.stat_result) -> bool:
    now = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return (entry.size, entry.mtime_ns, entry.ctime_ns) == now


def _copy(root: Path, file: SourceFile) -> StagedFile:
    target = root / file.name
    temporary = temporary_beside(target)
    try:
        if target.is_dir() and not target.is_symlink():
            remove_tree(target)
        _make_parents(root, target)
        digest = _copy_bytes(file, temporary)
        os.utime(temporary, ns=(file.mtime_ns, file.mtime_ns))
        os.replace(temporary, target)
    except OSError as error:
        raise StagingError(
            f"cannot stage {file.path}: {error.strerror}",
            where=str(error.filename or target),
            fix=f"{file.size:,} bytes were to be written" if error.errno == 28 else "",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    status = os.stat(target)
    return StagedFile(
        file.size, file.mtime_ns, status.st_size, status.st_mtime_ns, status.st_ctime_ns, digest
    )


def _make_parents(root: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):  # a file stands where a folder is now wanted
        for parent in target.parents:
            if parent.is_file() and parent != root:
                parent.unlink()
        target.parent.mkdir(parents=True, exist_ok=True)


def _copy_bytes(file: SourceFile, target: Path) -> str:
    digest = xxhash.xxh3_128()
    view = memoryview(bytearray(CHUNK))
    with open(file.path, "rb", buffering=0) as source, open(target, "wb", buffering=0) as copy:
        while size := source.readinto(view):
            digest.update(view[:size])
            copy.write(view[:size])
        status = os.fstat(source.fileno())
    if (status.st_size, status.st_mtime_ns) != (file.size, file.mtime_ns):
        raise StagingError(
            f"{file.path} changed while it was being staged",
            fix="run again when nothing writes to the data source",
        )
    return digest.hexdigest()


def _names_below(root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        folders.sort()
        prefix = os.path.relpath(folder, root)
        for name in sorted(files):
            yield name if prefix == "." else f"{prefix}/{name}"


def _checksums(root: Path, names: Sequence[str]) -> dict[str, str]:
    return {name: checksum(root / name) for name in names}


def _read_manifest(path: Path) -> dict[str, StagedFile]:
    try:
        content = json.loads(path.read_bytes())
        return {name: StagedFile(*entry) for name, entry in content.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # only a memory of what need not be copied again


def _write_manifest(path: Path, entries: Mapping[str, StagedFile]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(entries).encode(), durable=False)
