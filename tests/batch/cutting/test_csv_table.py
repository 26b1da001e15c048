from __future__ import annotations

import codecs
import gzip
import os
from itertools import pairwise
from pathlib import Path

import pytest
from tests.batch.cutting.conftest import Inputs

from alo.batch.cutting import csv_table
from alo.batch.cutting.csv_table import index_of, look_at, read_rows
from alo.data.location import SourceFile
from alo.errors import CutError, StagingError


def spans(file: SourceFile) -> list[bytes]:
    """The bytes of each row of a table."""
    index = index_of(look_at(file))
    found = index.pieces(range(index.rows + 1))
    content = Path(file.path).read_bytes()
    return [content[piece.start : piece.end] for piece in found]


@pytest.mark.parametrize(
    ("content", "head", "columns", "encoding"),
    [
        (b"a,b\n1,2\n", 4, ("a", "b"), "utf-8"),
        (b"\xef\xbb\xbfa,b\r\n1,2\r\n", 8, ("a", "b"), "utf-8"),
        (b"a;b\r1;2\r", 4, ("a", "b"), "utf-8"),
        (b"\n\na|b\n1|2\n", 6, ("a", "b"), "utf-8"),
        (b'"a\n1","b""c"\n1,2\n', 13, ("a\n1", 'b"c'), "utf-8"),
        ("이름,값\n가,2\n".encode("cp949"), 8, ("이름", "값"), "cp949"),
        (codecs.BOM_UTF16_LE + "이름,b\n1,2\n".encode("utf-16-le"), 12, ("이름", "b"), "utf-16-le"),
        (codecs.BOM_UTF16_BE + "a,b\n1,2\n".encode("utf-16-be"), 10, ("a", "b"), "utf-16-be"),
        (b"a,b\n\0,2\n", 4, ("a", "b"), "utf-8"),
        (b"0,1,2\n5.5,1,1\n", 6, ("0", "1", "2"), "utf-8"),  # as pandas numbers columns
        (b",0\n0,1.5\n", 3, ("", "0"), "utf-8"),
        (b"5.1,3.5,1.4\n4.9,3,1.4\n", 0, (), "utf-8"),
        (b"1,1\n2,2\n", 0, (), "utf-8"),
        (b"nan,inf\n2,2\n", 8, ("nan", "inf"), "utf-8"),
    ],
)
def test_what_a_table_is_like(
    content: bytes, head: int, columns: tuple[str, ...], encoding: str, inputs: Inputs
) -> None:
    table = look_at(inputs({"a.csv": content})[0])

    assert (table.head, table.columns, table.encoding.name) == (head, columns, encoding)
    assert index_of(table).rows == (1 if head else 2)


def test_a_tsv_is_divided_by_tabs(inputs: Inputs) -> None:
    assert look_at(inputs({"a.tsv": b"a,x\tb\n1\t2\n"})[0]).columns == ("a,x", "b")


@pytest.mark.parametrize("chunk", [4, 7, 1 << 20])
def test_ends_of_lines_may_be_mixed(
    chunk: int, inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_table, "CHUNK", chunk)

    content = b'a,b\r\n1,2\n"3\r\n",4\r\r5,6\r\n\n7,8'

    found = spans(inputs({"a.csv": content})[0])

    assert found == [b"1,2\n", b'"3\r\n",4\r', b"\r5,6\r\n", b"\n7,8"]


def test_quotes_over_the_border_of_a_chunk_are_no_border_of_rows(
    inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"a,b\n" + b'1,"x\n""y"",\n"\n' * 50
    (file,) = inputs({"a.csv": content})

    for chunk in range(4, 40):
        monkeypatch.setattr(csv_table, "CHUNK", chunk)
        assert spans(file) == [b'1,"x\n""y"",\n"\n'] * 50


def test_a_quote_inside_of_a_cell_is_a_character(inputs: Inputs) -> None:
    rows = [b'5" pipe,1\n', b'"5"" pipe\n",2\n', b'6" pipe,3\n']

    assert spans(inputs({"a.csv": b"name,n\n" + b"".join(rows)})[0]) == rows


@pytest.mark.parametrize("chunk", [16, 1 << 20])
def test_a_quote_that_is_never_closed_is_named_by_its_row(
    chunk: int, inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_table, "CHUNK", chunk)
    content = b"a,b\n" + b"1,2\n" * 30 + b'3,"4\n' + b"5,6\n" * 30
    (file,) = inputs({"a.csv": content})

    with pytest.raises(CutError, match="a quote in row 31, which begins at byte 124,"):
        index_of(look_at(file))


def test_a_header_that_is_never_closed_is_refused(inputs: Inputs) -> None:
    with pytest.raises(CutError, match="its first row does not end"):
        look_at(inputs({"a.csv": b'"a,b\n1,2\n'})[0])


def test_five_thousand_columns_are_a_table(inputs: Inputs) -> None:
    names = ",".join(f"column {n}" for n in range(5000)).encode()
    row = b",".join([b'"1,\n"'] * 5000)
    (file,) = inputs({"a.csv": names + b"\n" + (row + b"\n") * 20})

    assert len(look_at(file).columns) == 5000
    assert spans(file) == [row + b"\n"] * 20


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_characters_of_two_bytes_are_not_taken_for_those_of_one(
    encoding: str, inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_table, "CHUNK", 16)
    rows = ["1,\u0a22\u220a\n", '2,"\n\u2c2c😀"\n', "3,\u0d0d\r\n", "4,plain words\n"]
    (file,) = inputs({"a.csv": ("number,text\n" + "".join(rows)).encode(encoding)})

    of_rows = "utf-16-be" if encoding == "utf-16-be" else "utf-16-le"
    assert spans(file) == [row.encode(of_rows) for row in rows]


def test_half_a_character_at_the_end_is_part_of_the_last_row(inputs: Inputs) -> None:
    content = "a,b\n1,2\n3,4".encode("utf-16") + b"\0"

    assert b"".join(spans(inputs({"a.csv": content})[0])) == content[10:]


def test_utf_32_is_refused(inputs: Inputs) -> None:
    with pytest.raises(CutError, match="UTF-32"):
        look_at(inputs({"a.csv": "a,b\n1,2\n".encode("utf-32")})[0])


def test_a_table_that_is_compressed_is_refused_whatever_its_name_is(inputs: Inputs) -> None:
    with pytest.raises(CutError, match=r"is compressed \(gzip\)"):
        look_at(inputs({"a.csv": gzip.compress(b"a,b\n1,2\n")})[0])


def test_the_cells_of_rows_are_read_as_python_reads_them(inputs: Inputs) -> None:
    (file,) = inputs({"a.csv": '이름,b\n가,"x\n""y"""\n\n나,2\n다,3'.encode("cp949")})
    index = index_of(look_at(file))

    pieces = list(index.pieces([0, 2, 3]))

    assert list(read_rows(pieces[0])) == [("가", 'x\n"y"'), ("나", "2")]
    assert list(read_rows(pieces[1])) == [("다", "3")]


def test_a_row_of_nothing_but_nul_is_a_row_that_is_read_too(inputs: Inputs) -> None:
    (file,) = inputs({"a.csv": b"a,b\n1,2\n\0\n3,4\n"})

    pieces = list(index_of(look_at(file)).pieces([0, 1, 2, 3]))

    assert [len(list(read_rows(piece))) for piece in pieces] == [1, 1, 1]


def test_pieces_follow_each_other_without_a_gap(
    inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_table, "CHUNK", 64)
    (file,) = inputs({"a.csv": b"a,b\n" + b"".join(b"%d,x\n" % n for n in range(1000))})
    index = index_of(look_at(file))

    pieces = list(index.pieces([0, 1, 500, 999, 1000]))

    assert [piece.rows for piece in pieces] == [1, 499, 499, 1]
    assert [piece.first_row for piece in pieces] == [0, 1, 500, 999]
    assert all(one.end == other.start for one, other in pairwise(pieces))
    assert (pieces[0].start, pieces[-1].end) == (4, file.size)


def test_a_table_that_was_replaced_by_another_of_its_size_is_refused(inputs: Inputs) -> None:
    (file,) = inputs({"a.csv": b"a,b\n1,2\n"})
    table = look_at(file)

    os.rename(file.path, f"{file.path}.old")  # so that its inode is not used again
    inputs({"a.csv": b"a,b\n1,3\n"})
    os.utime(file.path, ns=(file.mtime_ns, file.mtime_ns))

    with pytest.raises(StagingError, match="has changed since it was cut"):
        index_of(table)
