"""The same table of several runs, row beside row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from alo.ui.readers.cache import FileCache
from alo.ui.readers.table_diff import ChangedCell, JoinedTables, join
from alo.ui.readers.tables import Tables


def joined(folder: Path, texts: Sequence[str], key: str) -> JoinedTables:
    """The tables of these texts, joined."""
    tables, opened = Tables(FileCache(folder / "cache")), []
    for at, text in enumerate(texts):
        path = folder / f"{at}.csv"
        path.write_text(text)
        opened.append(tables.open(path))
    return join(tables, opened, key)


def test_rows_are_joined_by_a_column_wherever_they_are(tmp_path: Path) -> None:
    found = joined(tmp_path, ["id,p\na,1\nb,2\nc,3\n", "p,id\n3,c\n9,b\n1,a\n"], "id")

    assert found.cells == [ChangedCell("b", "p", ["2", "9"])]
    assert (found.rows, found.changed, found.is_whole) == (3, 1, True)
    assert found.keys == ["id", "p"]


def test_without_a_column_they_are_joined_by_their_numbers(tmp_path: Path) -> None:
    found = joined(tmp_path, ["id,p\na,1\nb,2\n", "id,p\na,1\n"], "")

    assert found.cells == [ChangedCell("2", "id", ["b", None]), ChangedCell("2", "p", ["2", None])]


def test_rows_with_the_same_key_are_joined_one_after_the_other(tmp_path: Path) -> None:
    found = joined(tmp_path, ["id,p\na,1\na,2\n", "id,p\na,1\na,3\n"], "id")

    assert found.cells == [ChangedCell("a", "p", ["2", "3"])]
