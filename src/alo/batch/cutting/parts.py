"""Shards of fewer rows: the halves of one, for what fails in it, and a sample of all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from alo.batch.cutting import csv_table, parquet_table
from alo.batch.cutting.shard import CsvRows, Cut, ParquetRows, Piece, RowsPiece, Shard, WholeFile


def halves(shard: Shard) -> tuple[Shard, Shard] | None:
    """A shard in two, by its rows, or by its files where rows are not known; None: it has one.

    Raises:
        StagingError: a source has changed.
    """
    rows = shard.rows
    total = len(shard.pieces) if rows is None else rows
    if total < 2:
        return None
    first, second = total // 2, total - total // 2
    if rows is None:
        parts = (shard.pieces[:first], shard.pieces[first:])
    else:
        parts = (
            tuple(_some_rows(shard.pieces, 0, first)),
            tuple(_some_rows(shard.pieces, first, second)),
        )
    one, two = (
        Shard(shard.number, f"{shard.name}.{number}", part, shard.shared)
        for number, part in enumerate(parts)
    )
    return one, two


def sample_rows(cut: Cut, rows: int) -> Shard | None:
    """So many rows of an input, from both ends and the middle; None: it was cut by files.

    Raises:
        StagingError: a source has changed.
    """
    if cut.rows is None:
        return None
    total, pieces = cut.rows, tuple(chain.from_iterable(shard.pieces for shard in cut.shards))
    if total > rows:
        each = rows // 3
        ranges = (
            (0, rows - 2 * each),
            (max(rows - 2 * each, (total - each) // 2), each),
            (total - each, each),
        )
        pieces = tuple(chain.from_iterable(_some_rows(pieces, *span) for span in ranges))
    return Shard(0, "sample", pieces, cut.shards[0].shared)


def read_rows(shard: Shard) -> Iterator[Sequence[object]]:
    """The cells of each row of a shard, as its tables have them.

    Raises:
        StagingError: a source has changed.
    """
    for piece in shard.pieces:
        if isinstance(piece, CsvRows):
            yield from csv_table.read_rows(piece)
        elif isinstance(piece, ParquetRows):
            yield from parquet_table.read_rows(piece)


def _some_rows(pieces: Sequence[Piece], first: int, count: int) -> Iterator[RowsPiece]:
    """The pieces that have these rows, counted from the first one of all."""
    last, before = first + count, 0
    for piece in pieces:
        if isinstance(piece, WholeFile):
            continue
        start, end = max(first - before, 0), min(last - before, piece.rows)
        before += piece.rows
        if start >= end:
            continue
        if isinstance(piece, ParquetRows):
            yield ParquetRows(piece.table, piece.first_row + start, end - start)
        elif (start, end) == (0, piece.rows):
            yield piece
        else:
            borders = sorted({0, start, end, piece.rows})
            found = csv_table.index_of_piece(piece).pieces(borders)
            yield next(part for part in found if part.first_row == piece.first_row + start)
