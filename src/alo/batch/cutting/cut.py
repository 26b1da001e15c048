"""An input in shards: by its files, or by the rows of its tables.

Tables are files whose names end as those of CSV or Parquet do. Where rows are cut, all tables are,
one after the other, and whatever else there is comes with every shard.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from alo.batch.cutting import csv_table, parquet_table
from alo.batch.cutting.csv_table import RowIndex
from alo.batch.cutting.shard import (
    FILES,
    ROWS,
    CsvTable,
    Cut,
    ParquetTable,
    Piece,
    RowsPiece,
    Shard,
    Shared,
    Table,
    WholeFile,
)
from alo.data.found import folders_of
from alo.data.location import SourceFile
from alo.errors import CutError
from alo.plan.suggest import listed

CSV, PARQUET = (".csv", ".tsv"), (".parquet", ".pq")
LEAST_DIGITS = 4  # of a shard's name
_PACKED_TABLE = re.compile(r"\.(csv|tsv)\.(gz|bz2|xz|zst|zip)$", re.IGNORECASE)


def cut(
    files: Sequence[SourceFile],
    *,
    shards: int | None = None,
    rows_per_shard: int | None = None,
    files_per_shard: int | None = None,
) -> Cut:
    """Cut an input; exactly one of the three numbers is given, and is at least 1.

    Args:
        files: in their order, with the folders that hold nothing.
        shards: so many, of about as many rows each, or as many files where there is no table.
    Raises:
        CutError: it cannot be cut so.
        StagingError: a table cannot be read, or changes meanwhile.
    """
    whole = [file for file in files if not file.is_folder]
    if not whole:
        raise CutError("there is no file in the input", fix="name a source that has some")
    folders = tuple(sorted(folders_of([file.name for file in files])))
    tables = [file for file in whole if is_cut_by_rows(file)]
    if files_per_shard is not None or (shards is not None and not tables):
        return _by_files(whole, folders, shards, files_per_shard)
    _refuse_packed(whole)
    if not tables:
        raise CutError(
            "no file of the input is a table, whose rows could be cut: "
            + listed([file.name for file in whole]),
            fix="cut by --files-per-shard; tables end in " + ", ".join((*CSV, *PARQUET)),
        )
    return _by_rows(whole, tables, folders, shards, rows_per_shard)


def is_cut_by_rows(file: SourceFile) -> bool:
    """Whether a file is a table by its name; hidden files are none."""
    name = file.name.rpartition("/")[2].lower()
    return name.endswith((*CSV, *PARQUET)) and not name.startswith(".")


def _by_files(
    files: Sequence[SourceFile], folders: tuple[str, ...], shards: int | None, each: int | None
) -> Cut:
    borders = _borders(len(files), shards, each)
    own = ([WholeFile(file) for file in files[start:end]] for start, end in pairwise(borders))
    made = _shards(own, Shared((), folders), len(borders) - 1)
    return Cut(FILES, made, (), tuple(_too_many(shards, len(files), "file")))


def _by_rows(
    files: Sequence[SourceFile],
    tables: Sequence[SourceFile],
    folders: tuple[str, ...],
    shards: int | None,
    each: int | None,
) -> Cut:
    looked = _looked_at(tables)
    indexes = [csv_table.index_of(it) if isinstance(it, CsvTable) else it for it in looked]
    with_rows = [index for index in indexes if index.rows]
    cut_names = {_table_of(index).file.name for index in with_rows}
    shared = Shared(tuple(file for file in files if file.name not in cut_names), folders)
    total = sum(index.rows for index in with_rows)
    borders = _borders(total, shards, each)
    made = _shards(_pieces(with_rows, borders), shared, len(borders) - 1)
    others = [file for file in shared.files if not is_cut_by_rows(file)]
    notes = [*_too_many(shards, total, "row"), *_about_headers(looked), *_about_others(others)]
    return Cut(ROWS, made, looked[0].columns, tuple(notes))


def _looked_at(files: Sequence[SourceFile]) -> list[Table]:
    """What each table is like; all have the same columns, or are empty.

    Raises:
        CutError: they have not.
    """
    found: list[Table] = []
    known: dict[tuple[str, ...], tuple[str, ...]] = {}  # columns of many tables are held once
    first: Table | None = None
    for file in files:
        is_parquet = file.name.lower().endswith(PARQUET)
        table: Table = parquet_table.look_at(file) if is_parquet else csv_table.look_at(file)
        table = replace(table, columns=known.setdefault(table.columns, table.columns))
        found.append(table)
        if isinstance(table, CsvTable) and not table.width:
            continue
        first = first or table
        if _form(table) != _form(first):
            raise _other_columns(first, table)
    return found


def _form(table: Table) -> Sequence[str] | int:
    """What is the same in tables that are cut as one."""
    if isinstance(table, CsvTable) and not table.columns:
        return table.width
    return sorted(table.columns)


def _other_columns(first: Table, other: Table) -> CutError:
    differences = []
    for columns, others, verb in (
        (first.columns, other.columns, "it lacks"),
        (other.columns, first.columns, "it has"),
    ):
        if only := Counter(columns) - Counter(others):
            differences.append(f"{verb} {listed(only.elements())}")
    if not (first.columns and other.columns):
        differences = ["a table without a header goes with those of as many cells only"]
    return CutError(
        f"{other.file.name} has other columns than {first.file.name}: {', '.join(differences)}",
        fix="give the table to cut as the only source; or cut by --files-per-shard",
    )


def _table_of(index: RowIndex | ParquetTable) -> Table:
    return index.table if isinstance(index, RowIndex) else index


def _borders(total: int, shards: int | None, each: int | None) -> list[int]:
    """Where shards begin, and the last one ends."""
    if shards is None:
        step = max(1, each or 1)
        return [*range(0, total, step), total] if total else [0, 0]
    count = max(1, min(shards, total))
    return [total * number // count for number in range(count + 1)]


def _shards(pieces: Iterable[Sequence[Piece]], shared: Shared, count: int) -> tuple[Shard, ...]:
    digits = max(LEAST_DIGITS, len(str(count - 1)))
    return tuple(
        Shard(number, f"{number:0{digits}}", tuple(own), shared)
        for number, own in enumerate(pieces)
    )


def _pieces(
    indexes: Sequence[RowIndex | ParquetTable], borders: Sequence[int]
) -> Iterator[list[RowsPiece]]:
    """The pieces of each shard: a table ends where it ends, and the next one begins in the same."""
    own: list[RowsPiece] = []
    before, shard = 0, 1  # rows of the tables so far; the border at which the shard ends
    for index in indexes:
        first = shard
        while borders[shard] < before + index.rows:
            shard += 1
        inner = [border - before for border in borders[first:shard]]
        places = [0, *inner, index.rows]
        before += index.rows
        for number, piece in enumerate(_pieces_of(index, places)):
            if number:
                yield own
                own = []
            own.append(piece)
        if borders[shard] == before and shard < len(borders) - 1:
            yield own
            own, shard = [], shard + 1
    yield own


def _pieces_of(index: RowIndex | ParquetTable, borders: Sequence[int]) -> Iterator[RowsPiece]:
    if isinstance(index, RowIndex):
        yield from index.pieces(borders)
    else:
        yield from parquet_table.pieces(index, borders)


def _too_many(shards: int | None, total: int, what: str) -> list[str]:
    if shards is None or shards <= max(1, total):
        return []
    return [f"only {max(1, total):,} of {shards:,} shards: the input has no more {what}s"]


def _about_headers(tables: Sequence[Table]) -> list[str]:
    bare = [
        table.file.name
        for table in tables
        if isinstance(table, CsvTable) and table.width and not table.columns
    ]
    if not bare:
        return []
    return [f"the first row has numbers only, and is taken for no header: {listed(bare)}"]


def _about_others(others: Sequence[SourceFile]) -> list[str]:
    if not others:
        return []
    size = sum(file.known_size for file in others)
    names = listed([file.name for file in others])
    return [f"no tables, so they come with every shard ({size:,} bytes): {names}"]


def _refuse_packed(files: Sequence[SourceFile]) -> None:
    for file in files:
        if found := _PACKED_TABLE.search(file.name):
            raise csv_table.packed(file, found[2])
