"""Whole tables, as they are met: every row is there, and what is odd is said."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.tables.reading import columns_of, first_cells, names_once, read_table

CELL = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=8)


def read(tmp_path: Path, content: bytes, name: str = "t.csv") -> tuple[list[str], list[list[str]]]:
    path = tmp_path / name
    path.write_bytes(content)
    table = read_table(path)
    return list(table.columns), [list(row) for row in table.rows]


@given(rows=st.lists(st.lists(CELL, min_size=2, max_size=2), min_size=1, max_size=8))
def test_what_a_csv_writer_wrote_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["a", "b"], *rows])

    columns, found = read(tmp_path_factory.mktemp("t"), text.getvalue().encode())

    assert columns == ["a", "b"]
    assert found == rows


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp949"])
def test_files_of_other_programs_are_read_in_their_encoding(tmp_path: Path, encoding: str) -> None:
    text = "이름,값\n" + "가나다,1.5\n" * 30 + '"라,마",2\n'

    columns, rows = read(tmp_path, text.encode(encoding))

    assert columns == ["이름", "값"]
    assert rows == [["가나다", "1.5"]] * 30 + [["라,마", "2"]]


def test_a_broken_quote_costs_its_own_row_alone(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b'a,b\n1,"x\n2,y\n3,"z"\n')

    table = read_table(tmp_path / "t.csv")

    assert [list(row) for row in table.rows] == [["1", '"x'], ["2", "y"], ["3", "z"]]
    assert table.notes == ["row 2, column 2: a quote is not closed"]


def test_a_cell_that_is_longer_than_the_usual_limit_is_whole(tmp_path: Path) -> None:
    _, rows = read(tmp_path, b"a,b\n" + b"x" * 1_000_000 + b",2\n")

    assert len(rows[0][0]) == 1_000_000


@pytest.mark.parametrize(("content", "columns"), [(b"", []), (b"a,b\n", ["a", "b"])])
def test_a_table_without_rows_has_none(tmp_path: Path, content: bytes, columns: list[str]) -> None:
    assert read(tmp_path, content) == (columns, [])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_the_columns_alone_are_those_of_the_whole_table(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(("이름,이름,값\n" + "가,나,1\n" * 20).encode(encoding))

    assert list(columns_of(path)) == list(read_table(path).columns) == ["이름", "이름 (2)", "값"]
    path.write_bytes(b"")
    assert list(columns_of(path)) == []


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_end_as_any_system_ends_them_and_blank_ones_are_no_rows(
    tmp_path: Path, end: bytes
) -> None:
    assert read(tmp_path, end.join([b"a,b", b"1,2", b"", b"3,4", b""]))[1] == [
        ["1", "2"],
        ["3", "4"],
    ]


def test_other_delimiters_are_found(tmp_path: Path) -> None:
    assert read(tmp_path, b"a;b\n1;2\n") == (["a", "b"], [["1", "2"]])
    assert read(tmp_path, b"a\tb\n1\t2\n", "t.tsv") == (["a", "b"], [["1", "2"]])


def test_a_name_that_is_there_twice_is_numbered_and_said() -> None:
    notes: list[str] = []

    assert names_once(["a", "a", "", "a (2)"], notes) == ["a", "a (3)", "column 3", "a (2)"]
    assert notes == ["columns with the same name, here numbered: a"]


def test_broken_bytes_are_said_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a,b\n" + "가,1\n".encode() * 70_000 + b"\xff\xfe,2\n3,4\n")

    table = read_table(tmp_path / "t.csv")

    assert list(table.rows[-1]) == ["3", "4"]
    assert any("bytes that are no utf-8" in note for note in table.notes)


@given(
    lines=st.lists(st.text(alphabet="ab,;가 \r", max_size=8), max_size=6),
    end=st.sampled_from(["\n", "\r\n"]),
    odd=st.sampled_from(["\n", "\r\n"]),
)
def test_rows_without_quotes_are_those_that_csv_reads(lines: list[str], end: str, odd: str) -> None:
    text = "a,b" + odd + end.join(lines)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes(text.encode())
        rows = read_table(path).rows

    usual = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    assert [list(row) for row in rows] == usual[1:]
    assert [rows[at] for at in range(len(rows))] == usual[1:]


def test_a_column_has_an_empty_cell_where_a_row_ends_early(tmp_path: Path) -> None:
    for content in ("a,b\n1,2\n3\n", 'a,b\n"1",2\n3\n'):
        (tmp_path / "t.csv").write_text(content)

        table = read_table(tmp_path / "t.csv")

        assert (table.column("a"), table.column("b")) == (["1", "3"], ["2", ""])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp949"])
def test_the_first_cells_of_a_column_are_those_of_the_whole_table(
    tmp_path: Path, encoding: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes('x,"이름",x\n1,"a\nb",3\n2\n\n4,c,6\n'.encode(encoding))

    for name in ("x", "이름", "x (2)"):
        assert first_cells(path, name, 9) == read_table(path).column(name)
        assert first_cells(path, name, 1) == read_table(path).column(name)[:1]
