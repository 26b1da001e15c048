"""Stage a shard: its files as the whole has them, with the rows that it has; and what is in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Protocol

import xxhash

from alo.batch.cutting import parquet_table
from alo.batch.cutting.shard import CsvRows, ParquetRows, Shard, WholeFile
from alo.batch.cutting.unchanged import changed, opened, opened_first
from alo.data.copying import Copier
from alo.data.location import NO_PROFILE, Access, SourceFile, is_remote
from alo.errors import StagingError
from alo.files import CHUNK, checksum_of, discard, remove_tree, set_time
from alolib.disk import fix_of


def write_shard(shard: Shard, folder: Path, access: Access = NO_PROFILE) -> str:
    """Write a shard's files below a folder, with the names that they have below ``input/<kind>/``.

    Args:
        folder: is made; no file of the shard is there.
        access: as the sources were listed with.
    Returns:
        What ``digest`` says of the shard.
    Raises:
        StagingError: a source cannot be read or has changed, or a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in shard.shared.folders:
            os.makedirs(folder / name, exist_ok=True)
        if remote := [file for file in _whole_files(shard) if is_remote(file.path)]:
            _fetch(remote, folder, access)
        return _digest(shard, _Writing(folder))
    except OSError as error:
        raise StagingError(
            f"cannot write shard {shard.name}: {error.strerror or error}",
            where=str(error.filename or folder),
            fix=fix_of(error),
        ) from error


def digest(shard: Shard) -> str:
    """32 hex digits over the names and contents of a shard; of a remote file, over its version.

    Raises:
        StagingError: a source cannot be read or has changed.
    """
    return _digest(shard, _Reading())


class _Hand(Protocol):
    """Goes through a shard; each call returns the checksum of a file of it."""

    def whole(self, file: SourceFile) -> str: ...
    def csv(self, rows: Sequence[CsvRows]) -> str: ...
    def parquet(self, rows: Sequence[ParquetRows]) -> str: ...


class _Reading:
    """Only reads."""

    def whole(self, file: SourceFile) -> str:
        with opened_first(file) as (descriptor, _):
            return _pass_on(descriptor, [(0, file.size)], file, _ignore)

    def csv(self, rows: Sequence[CsvRows]) -> str:
        with opened(rows[0].table) as descriptor:
            return _pass_on(descriptor, _spans(rows), rows[0].file, _ignore)

    def parquet(self, rows: Sequence[ParquetRows]) -> str:
        return parquet_table.digest_of(rows)


class _Writing:
    """Writes the files below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._copier = Copier()

    def whole(self, file: SourceFile) -> str:
        target = self._folder / file.name
        copied = self._copier.copy(file.path, str(target))
        now = (copied.source.st_size, copied.source.st_mtime_ns, copied.target.st_size)
        if now != (file.size, file.mtime_ns, file.size):
            discard(target)
            raise changed(file)
        return copied.checksum

    def csv(self, rows: Sequence[CsvRows]) -> str:
        file = rows[0].file
        target = self._folder / file.name
        with opened(rows[0].table) as descriptor, open(target, "xb") as copy:
            made = _pass_on(descriptor, _spans(rows), file, copy.write)
        set_time(target, file.mtime_ns)
        return made

    def parquet(self, rows: Sequence[ParquetRows]) -> str:
        parquet_table.write_rows(rows, str(self._folder / rows[0].file.name))
        return parquet_table.digest_of(rows)


def _digest(shard: Shard, hand: _Hand) -> str:
    lines = []
    for file in _whole_files(shard):
        checksum = repr(file.version) if is_remote(file.path) else hand.whole(file)
        lines.append(f"{file.name}\0{checksum}\n")
    for name, pieces in groupby(shard.pieces, key=lambda piece: piece.file.name):
        own = list(pieces)
        if rows := [piece for piece in own if isinstance(piece, CsvRows)]:
            lines.append(f"{name}\0{hand.csv(rows)}\n")
        elif parts := [piece for piece in own if isinstance(piece, ParquetRows)]:
            lines.append(f"{name}\0{hand.parquet(parts)}\n")
    return checksum_of("".join(lines).encode("utf-8", "surrogateescape"))


def _whole_files(shard: Shard) -> Iterator[SourceFile]:
    yield from shard.shared.files
    for piece in shard.pieces:
        if isinstance(piece, WholeFile):
            yield piece.file


def _spans(rows: Sequence[CsvRows]) -> list[tuple[int, int]]:
    """The bytes that make a table of these rows: none but its last one can lack an end of line."""
    return [(0, rows[0].table.head), *((piece.start, piece.end) for piece in rows)]


def _pass_on(
    descriptor: int,
    spans: Sequence[tuple[int, int]],
    file: SourceFile,
    write: Callable[[bytes], object],
) -> str:
    """Have these bytes of a file written, in one pass with their checksum."""
    made = xxhash.xxh3_128()
    for start, end in spans:
        for at in range(start, end, CHUNK):
            content = os.pread(descriptor, min(CHUNK, end - at), at)
            if len(content) < min(CHUNK, end - at):
                raise changed(file)
            made.update(content)
            write(content)
    return made.hexdigest()


def _ignore(content: bytes) -> None:
    """Where bytes are only read."""


def _fetch(files: Sequence[SourceFile], folder: Path, access: Access) -> None:
    from alo.data.remote.faults import ObjectStoreError
    from alo.data.remote.fetching import fetch_all

    partial = folder / ".partial"
    try:
        for _ in fetch_all(files, folder, partial, access, lambda size: None):
            pass
    except ObjectStoreError as error:
        fix = error.fix or "see that the store can be reached, and try again"
        raise StagingError(f"cannot stage {error}", fix=fix) from error
    remove_tree(partial)
