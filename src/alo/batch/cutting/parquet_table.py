"""A Parquet file whose rows are cut; needs pyarrow, the extra ``parquet``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from alo.batch.cutting.shard import ParquetRows, ParquetTable
from alo.batch.cutting.unchanged import opened, opened_first
from alo.data.location import SourceFile
from alo.errors import CutError
from alo.files import set_time

BATCH = 1 << 14  # rows that are in memory at once


def look_at(file: SourceFile) -> ParquetTable:
    """How many rows a Parquet file has, and which columns.

    Raises:
        CutError: pyarrow is not installed, or the file is no Parquet.
        StagingError: it cannot be read, or is not what was listed.
    """
    with opened_first(file) as (descriptor, inode), _parquet_file(file, descriptor) as found:
        names = tuple(map(str, found.schema_arrow.names))
        return ParquetTable(file, inode, found.metadata.num_rows, names)


def pieces(table: ParquetTable, borders: Sequence[int]) -> Iterator[ParquetRows]:
    """The rows between each two borders, which rise from 0 to the number of rows."""
    for first, last in pairwise(borders):
        yield ParquetRows(table, first, last - first)


def write_rows(rows: Sequence[ParquetRows], target: str) -> None:
    """Make a Parquet file of rows of one file, in the same form.

    Raises:
        StagingError: the file has changed.
        OSError: the new one cannot be written.
    """
    table = rows[0].table
    with (
        opened(table) as descriptor,
        _parquet_file(table.file, descriptor) as found,
        _writer(found, target) as writer,
    ):
        for piece in rows:
            for batch in _batches(found, piece):
                writer.write_batch(batch)
    set_time(target, table.file.mtime_ns)


def read_rows(piece: ParquetRows) -> Iterator[tuple[object, ...]]:
    """The cells of each row of a piece."""
    table = piece.table
    with opened(table) as descriptor, _parquet_file(table.file, descriptor) as found:
        for batch in _batches(found, piece):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


@contextmanager
def _parquet_file(file: SourceFile, descriptor: int) -> Iterator[Any]:
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise CutError(
            f"{file.name}: rows of Parquet files are cut with pyarrow, which is not installed",
            fix="pip install 'open-alo[parquet]'; or cut by --files-per-shard",
        ) from error
    with arrow.OSFile(f"/dev/fd/{descriptor}") as source:  # whatever has its path by now
        try:
            found = parquet.ParquetFile(source)
        except (arrow.ArrowException, OSError) as error:
            first = str(error).partition("\n")[0]
            raise CutError(
                f"{file.name} is no Parquet file: {first}",
                fix="see that it is whole; or cut by --files-per-shard",
            ) from error
        yield found


def _groups(found: Any, piece: ParquetRows) -> Iterator[tuple[int, int, int]]:
    """The row groups that a piece has rows of, and which of each: from where, and how many."""
    before, last = 0, piece.first_row + piece.rows
    for group in range(found.metadata.num_row_groups):
        rows = found.metadata.row_group(group).num_rows
        start, end = max(piece.first_row, before), min(last, before + rows)
        if start < end:
            yield group, start - before, end - start
        before += rows


def _batches(found: Any, piece: ParquetRows) -> Iterator[Any]:
    for group, skipped, wanted in _groups(found, piece):
        for batch in found.iter_batches(BATCH, row_groups=[group]):
            if skipped >= batch.num_rows:
                skipped -= batch.num_rows
                continue
            part = batch.slice(skipped, wanted)
            skipped, wanted = 0, wanted - part.num_rows
            yield part
            if not wanted:
                break


@contextmanager
def _writer(found: Any, target: str) -> Iterator[Any]:
    from pyarrow import parquet

    metadata = found.metadata
    codec = "snappy"
    if metadata.num_row_groups and metadata.num_columns:
        codec = metadata.row_group(0).column(0).compression.lower()
    with open(target, "xb") as file:  # noqa: SIM117 - the file outlives its writer
        with parquet.ParquetWriter(
            file, found.schema_arrow, compression="none" if codec == "uncompressed" else codec
        ) as writer:
            yield writer
