"""What a shard is: pieces of the input's files, and what every shard has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from alo.data.location import SourceFile
from alo.tables.encodings import WIDE, Encoding

ROWS, FILES = "rows", "files"  # how an input is cut


@dataclass(frozen=True, slots=True)
class WholeFile:
    """A file, whatever is in it."""

    file: SourceFile


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A CSV as it was when it was looked at."""

    file: SourceFile
    inode: int
    head: int  # bytes at its begin, with BOM and header, that are no row
    columns: tuple[str, ...]  # none without a header
    width: int  # cells in its first row; 0 where there is none
    encoding: Encoding
    delimiter: bytes

    @property
    def unit(self) -> int:
        """Bytes of a character that separates rows or cells."""
        return 2 if self.encoding.name in WIDE else 1


@dataclass(frozen=True, slots=True)
class ParquetTable:
    """A Parquet file as it was when it was looked at."""

    file: SourceFile
    inode: int
    rows: int
    columns: tuple[str, ...]


Table: TypeAlias = CsvTable | ParquetTable


@dataclass(frozen=True, slots=True)
class CsvRows:
    """Some rows of a CSV: a span of its bytes, before which its head is repeated."""

    table: CsvTable
    first_row: int  # from 0
    rows: int
    start: int  # byte at which the first row begins
    end: int  # byte behind the last one

    @property
    def file(self) -> SourceFile:
        """The file that they are of."""
        return self.table.file


@dataclass(frozen=True, slots=True)
class ParquetRows:
    """Some rows of a Parquet file."""

    table: ParquetTable
    first_row: int  # from 0
    rows: int

    @property
    def file(self) -> SourceFile:
        """The file that they are of."""
        return self.table.file


RowsPiece: TypeAlias = CsvRows | ParquetRows
Piece: TypeAlias = WholeFile | RowsPiece


@dataclass(frozen=True, slots=True)
class Shared:
    """What is in every shard of an input."""

    files: tuple[SourceFile, ...] = ()  # beside the tables whose rows are cut
    folders: tuple[str, ...] = ()  # all of the input, parents first, with / between parts


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of the input, which is staged as the whole would be."""

    number: int  # from 0
    name: str  # sorts as the number does; that of a half has a dot and 0 or 1 behind
    pieces: tuple[Piece, ...]  # in the order of the input
    shared: Shared = field(default_factory=Shared)

    @property
    def rows(self) -> int | None:
        """How many there are; None: whole files, whose rows are not known."""
        counts = [piece.rows for piece in self.pieces if not isinstance(piece, WholeFile)]
        return sum(counts) if counts or not self.pieces else None

    @property
    def files(self) -> int:
        """How many files it has something of, those that every shard has left out."""
        return len({piece.file.name for piece in self.pieces})

    @property
    def weight(self) -> int:
        """What it counts in a mean: its rows, or its files where rows are not known."""
        return self.files if self.rows is None else self.rows

    def row_places(self) -> Iterator[tuple[str, int]]:
        """Of each row its file's name below the input, and its number there, from 0."""
        for piece in self.pieces:
            if not isinstance(piece, WholeFile):
                for row in range(piece.first_row, piece.first_row + piece.rows):
                    yield piece.file.name, row


@dataclass(frozen=True, slots=True)
class Cut:
    """An input in shards."""

    how: str  # rows or files
    shards: tuple[Shard, ...]  # in the order of the input
    columns: tuple[str, ...] = ()  # of the tables whose rows are cut
    notes: tuple[str, ...] = ()  # what a user should know

    @property
    def rows(self) -> int | None:
        """How many rows there are in all; None: files were cut."""
        return sum(shard.rows or 0 for shard in self.shards) if self.how == ROWS else None

    @property
    def files(self) -> int:
        """How many files are cut, or are in one shard each."""
        return len({piece.file.name for shard in self.shards for piece in shard.pieces})
