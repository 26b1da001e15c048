"""Stage a shard: its files as the whole has them, with the rows that it has."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from alo.batch.cutting import parquet_table
from alo.batch.cutting.shard import CsvRows, ParquetRows, Shard, WholeFile
from alo.batch.cutting.unchanged import changed, opened, opened_first
from alo.copies import clone_or_copy
from alo.data.location import SourceFile
from alo.errors import StagingError
from alo.files import CHUNK, set_time
from alolib.disk import fix_of


def write_shard(shard: Shard, folder: Path) -> None:
    """Write a shard's files below a folder, with the names that they have below ``input/<kind>/``.

    Args:
        folder: is made; no file of the shard is there.
    Raises:
        StagingError: a source cannot be read or has changed, or a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in shard.shared.folders:
            os.makedirs(folder / name, exist_ok=True)
        for file in shard.shared.files:
            _write_whole(file, folder)
        for _, pieces in groupby(shard.pieces, key=lambda piece: piece.file.name):
            own = list(pieces)
            _write_rows([piece for piece in own if isinstance(piece, CsvRows)], folder)
            if rows := [piece for piece in own if isinstance(piece, ParquetRows)]:
                parquet_table.write_rows(rows, str(folder / rows[0].file.name))
            for piece in own:
                if isinstance(piece, WholeFile):
                    _write_whole(piece.file, folder)
    except OSError as error:
        raise StagingError(
            f"cannot write shard {shard.name}: {error.strerror or error}",
            where=str(error.filename or folder),
            fix=fix_of(error),
        ) from error


def _write_whole(file: SourceFile, folder: Path) -> None:
    with opened_first(file):
        clone_or_copy(file.path, folder / file.name)


def _write_rows(rows: Sequence[CsvRows], folder: Path) -> None:
    """Make a table of rows of one file; none but its last one can lack an end of line."""
    if not rows:
        return
    table = rows[0].table
    target = folder / table.file.name
    with opened(table) as descriptor, open(target, "xb") as copy:
        for start, end in [(0, table.head), *((piece.start, piece.end) for piece in rows)]:
            for at in range(start, end, CHUNK):
                size = min(CHUNK, end - at)
                content = os.pread(descriptor, size, at)
                if len(content) < size:
                    raise changed(table.file)
                copy.write(content)
    set_time(target, table.file.mtime_ns)
