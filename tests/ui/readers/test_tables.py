"""Tables by pages: together they are the whole file, and what is wrong with it is said."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.tables import records as reading
from alo.ui.readers import table_index
from alo.ui.readers.cache import FileCache
from alo.ui.readers.table_index import Mark
from alo.ui.readers.tables import MOST_SHOWN, Tables

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
ROWS = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(CELLS | st.sampled_from(['"', ",", "\n", "\r\n", 'a"b', '""']), min_size=width,
                 max_size=width),
        min_size=1, max_size=40,
    )
)  # fmt: skip


def pages(tables: Tables, path: Path, limit: int) -> list[list[str]]:
    """All rows, page by page."""
    table = tables.open(path)
    found, mark = [], Mark(0, table.begin)
    while True:
        page = tables.rows(table, mark, limit)
        found += page.rows
        if page.following is None:
            return found
        assert page.following.row == len(found)
        mark = page.following


@given(
    ROWS,
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 7),
)
def test_pages_together_are_the_whole_table_that_csv_has_written(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[list[str]],
    quoting: int,
    line_end: str,
    limit: int,
) -> None:
    folder = tmp_path_factory.mktemp("table")
    path = folder / "table.csv"
    text = io.StringIO()
    names = [f"c{at}" for at in range(len(rows[0]))]
    # Python before 3.13 leaves a lone carriage return without quotes, which no reader can know.
    rows = [[cell if "\r" not in cell or cell == "\r\n" else "\n" for cell in row] for row in rows]
    csv.writer(text, quoting=quoting, lineterminator=line_end).writerows([names, *rows])  # type: ignore[call-overload]
    path.write_text(text.getvalue(), "utf-8", newline="")
    tables = Tables(FileCache(folder / "cache"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "STEP", 16)
        patch.setattr(table_index, "STEP", 16)
        for small in (0, 1 << 20):  # with numpy, and record by record
            patch.setattr(table_index, "SMALL", small)
            table = tables.open(path)
            table_index.make_index(
                path, table.dialect, table.begin, tables.cache.path(path, "rows", ".index")
            )
            index = tables.index(table, waits=True)
            assert index is not None
            assert index.total == len(rows)
            for row in range(0, len(rows), 5):
                at = tables.find(table, row)
                assert tables.rows(table, at, 1).rows == rows[row : row + 1]
        assert pages(tables, path, limit) == rows
        assert list(tables.every(table)) == rows


@pytest.mark.parametrize(
    ("content", "encoding", "names", "rows", "said"),
    [
        (b"", "utf-8", [], [], "the file is empty"),
        (b"\xef\xbb\xbfa,b\n1,2\n", "utf-8", ["a", "b"], [["1", "2"]], "byte order mark"),
        ("이름,값\n가나,2\n".encode("cp949"), "cp949", ["이름", "값"], [["가나", "2"]], "cp949"),
        ("a,b\n가,2\n".encode("utf-16"), "utf-16-le", ["a", "b"], [["가", "2"]], "utf-16-le"),
        ("a,b\n1,2\n".encode("utf-16-be"), "utf-16-be", ["a", "b"], [["1", "2"]], "utf-16-be"),
        (b"a,b\n1\0,2\n", "utf-8", ["a", "b"], [["1␀", "2"]], "row 1, column 'a': NUL"),
        (b'a,b\n1,"x\n2,y\n', "utf-8", ["a", "b"], [["1", '"x'], ["2", "y"]], "row 1, column 'b'"),
        (b'a,b\n"x"y,1\n2,3\n', "utf-8", ["a", "b"], [['"x"y', "1"], ["2", "3"]], "row 1"),
        (b"a,a,\n1,2,3\n", "utf-8", ["a", "a (2)", "column 3"], [["1", "2", "3"]], "same name"),
        (b"a,b\n1\n1,2,3\n", "utf-8", ["a", "b"], [["1", ""], ["1", "2", "3"]], "row 2: 3 cells"),
        (b"a;b\n1;2\n", "utf-8", ["a", "b"], [["1", "2"]], "separated by ';'"),
        (b"a,b\r1,2\r", "utf-8", ["a", "b"], [["1", "2"]], ""),
        (b"a,b\n\xb0\xa1,\xff\n", "cp949", ["a", "b"], [["가", "�"]], "row 1: bytes that are not"),
    ],
)  # fmt: skip
def test_odd_tables_are_shown_with_what_is_odd(
    tmp_path: Path,
    content: bytes,
    encoding: str,
    names: list[str],
    rows: list[list[str]],
    said: str,
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    tables = Tables(FileCache(tmp_path / "cache"))

    table = tables.open(path)
    page = tables.rows(table, Mark(0, table.begin), 50)

    if encoding != "cp949" or b"\xff" not in content:
        assert table.encoding == encoding
        assert page.rows == rows
        assert any(said in note for note in (*table.notes, *page.notes, ""))
    assert list(table.columns) == names
    assert page.following is None


def test_a_cell_of_10_MB_is_cut_and_what_follows_is_there(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('a,b\n"' + "x\n" * 5_000_000 + '",1\n2,3\n')
    tables = Tables(FileCache(tmp_path / "cache"))

    table = tables.open(path)
    page = tables.rows(table, Mark(0, table.begin), 50)

    assert [len(row[0]) for row in page.rows] == [MOST_SHOWN + 1, 1]
    assert page.rows[1] == ["2", "3"]
    assert any("10,000,000 characters" in note for note in page.notes)
    index = tables.index(table, waits=True)
    assert index is not None
    assert index.total == 2


def test_a_large_table_is_counted_and_each_row_found(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    odd = '7,"a ""quoted"", cell\nof two lines"\n8,"not closed\n'
    path.write_text("n,text\n" + "".join(f"{n},some text\n" for n in range(200_000)) + odd)
    tables = Tables(FileCache(tmp_path / "cache"))

    table = tables.open(path)
    index = tables.index(table, waits=True)

    assert index is not None
    assert index.total == 200_002
    for row in (0, 1, 99_999, 123_456, 199_999):
        assert tables.rows(table, tables.find(table, row), 1).rows == [[str(row), "some text"]]
    last = tables.rows(table, tables.find(table, 200_000), 5).rows
    assert last == [["7", 'a "quoted", cell\nof two lines'], ["8", '"not closed']]


def test_a_file_that_has_become_another_is_counted_again(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    tables = Tables(FileCache(tmp_path / "cache"))
    for rows in (3, 5):
        path.write_text("a\n" + "1\n" * rows)
        index = tables.index(tables.open(path), waits=True)
        assert index is not None
        assert index.total == rows
