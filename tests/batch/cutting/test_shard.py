from __future__ import annotations

from alo.batch.cutting.shard import ROWS, CsvRows, CsvTable, Cut, Shard, WholeFile
from alo.data.location import SourceFile
from alo.tables.encodings import Encoding

TABLE = SourceFile("/data/a.csv", "a.csv", 100, 1)
OTHER = SourceFile("/data/b.csv", "b.csv", 100, 1)


def rows_of(file: SourceFile, first: int, rows: int) -> CsvRows:
    table = CsvTable(file, 7, 10, ("a", "b"), 2, Encoding("utf-8"), b",")
    return CsvRows(table, first, rows, 10 + 10 * first, 10 + 10 * (first + rows))


def test_the_rows_of_a_shard_are_those_of_its_pieces() -> None:
    shard = Shard(0, "0000", (rows_of(TABLE, 3, 2), rows_of(OTHER, 0, 1)))

    assert (shard.rows, shard.files, shard.weight) == (3, 2, 3)
    assert list(shard.row_places()) == [("a.csv", 3), ("a.csv", 4), ("b.csv", 0)]


def test_a_shard_of_whole_files_counts_by_files() -> None:
    shard = Shard(0, "0000", (WholeFile(TABLE), WholeFile(OTHER)))

    assert (shard.rows, shard.files, shard.weight) == (None, 2, 2)
    assert list(shard.row_places()) == []


def test_a_shard_without_a_row_has_none() -> None:
    assert Shard(0, "0000", ()).rows == 0


def test_a_file_that_two_shards_have_rows_of_is_one() -> None:
    shards = (Shard(0, "0000", (rows_of(TABLE, 0, 3),)), Shard(1, "0001", (rows_of(TABLE, 3, 2),)))

    cut = Cut(ROWS, shards)

    assert (cut.rows, cut.files) == (5, 1)
