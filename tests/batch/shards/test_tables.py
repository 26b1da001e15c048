"""One table of those of the shards: the same bytes as if the input had not been cut."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alo.batch.shards.tables import first_difference, form_of, join
from alo.errors import BatchError


def joined(folder: Path, *contents: bytes, counts_on: bool = False) -> bytes:
    tables = []
    for number, content in enumerate(contents):
        path = folder / f"{number}.csv"
        path.write_bytes(content)
        tables.append((path, form_of(path)))
    out = io.BytesIO()
    rows = join(tables, out, counts_on=counts_on)
    assert rows == sum(form.rows for _, form in tables)
    return out.getvalue()


def test_the_header_is_there_once_and_the_rows_are_as_they_were(tmp_path: Path) -> None:
    one = b'a,b\r\n1,"x\r\n""y"\r\n2,z\r\n'
    other = b"a,b\r\n3, \r\n"

    assert joined(tmp_path, one, b"a,b\r\n", other) == one + b"3, \r\n"


def test_a_last_line_without_an_end_does_not_run_into_the_next_table(tmp_path: Path) -> None:
    assert joined(tmp_path, b"a\r\n1", b"a\r\n", b"a\r\n2") == b"a\r\n1\r\n2"
    assert joined(tmp_path, b"a", b"a\n1\n") == b"a\n1\n"
    assert joined(tmp_path, b"a\n1\n", b"a") == b"a\n1\n"


@pytest.mark.parametrize("quoted", [False, True])
def test_an_index_without_a_name_counts_on(tmp_path: Path, quoted: bool) -> None:
    def table(start: int, values: str) -> bytes:
        rows = [f"{number},{value}" for number, value in enumerate(values, start)]
        if quoted:
            rows = [f'"{number}",{value}' for number, value in enumerate(values, start)]
        return "\n".join(['"",x' if quoted else ",x", *rows, ""]).encode()

    parts = [table(0, "abc"), table(0, ""), table(0, "0123456789xy")]

    assert joined(tmp_path, *parts, counts_on=True) == table(0, "abc0123456789xy")


def test_whether_a_first_column_counts_is_seen(tmp_path: Path) -> None:
    def counts(content: bytes) -> bool:
        (tmp_path / "t.csv").write_bytes(content)
        return form_of(tmp_path / "t.csv").counts

    assert counts(b",x\n0,a\n1,b\n")
    assert counts(b"\xef\xbb\xbf;x\r\n0;a\r\n")
    assert not counts(b",x\n0,a\n2,b\n")
    assert not counts(b",x\n5,a\n")
    assert not counts(b"id,x\n0,a\n1,b\n")


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=5)


@settings(deadline=None)
@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=12), st.data())
def test_tables_in_any_pieces_join_to_what_they_were_cut_of(
    rows: list[list[str]], data: st.DataObject
) -> None:
    import csv
    import tempfile

    def table(some: list[list[str]]) -> bytes:
        out = io.StringIO(newline="")
        csv.writer(out).writerows([["", "a", "b"], *([n, *row] for n, row in enumerate(some))])
        return out.getvalue().encode()

    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    bounds = [0, *cuts, len(rows)]
    parts = [table(rows[a:b]) for a, b in pairwise(bounds)]
    with tempfile.TemporaryDirectory() as folder:
        assert joined(Path(folder), *parts, counts_on=True) == table(rows)


def test_the_first_difference_is_told_with_its_row(tmp_path: Path) -> None:
    one, other = tmp_path / "1", tmp_path / "2"
    one.write_bytes(b"a\n1\n2\n")
    other.write_bytes(b"a\n1\n3\n")
    assert first_difference(one, other) == (2, b"2\n", b"3\n")

    other.write_bytes(b"a\n1\n")
    assert first_difference(one, other) == (2, b"2\n", b"")
    assert first_difference(one, one) is None


def test_tables_that_no_one_could_join_byte_for_byte_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("a,b\r\n1,2\r\n".encode("utf-16"))

    with pytest.raises(BatchError, match="UTF-16"):
        form_of(tmp_path / "t.csv")


def test_a_table_of_one_line_to_us_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a,b\r1,2\r")
    (tmp_path / "quoted.csv").write_bytes(b'"a\rx",b\r\n')

    with pytest.raises(BatchError, match=r"end in \\r alone"):
        form_of(tmp_path / "t.csv")
    assert form_of(tmp_path / "quoted.csv").rows == 0
