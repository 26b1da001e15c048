"""A table is edited where it is meant, and nowhere else: not a byte."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.datasets.table_edit import Edited, edit_table, new_table
from alo.errors import DatasetError
from alo.tables.content import row_content
from alo.tables.reading import read_table


def content_of(columns: Sequence[str]) -> Callable[[Sequence[str]], str]:
    at = list(columns).index("id")
    one = row_content(["id"])
    return lambda row: one([row[at]])


def of(key: str) -> str:
    return row_content(["id"])([key])


def edit(
    path: Path,
    content: bytes,
    labels: dict[str, str] | None = None,
    removed: Sequence[str] = (),
    added: dict[str, dict[str, str]] | None = None,
) -> Edited:
    path.write_bytes(content)
    return edit_table(
        path,
        "label",
        {of(key): label for key, label in (labels or {}).items()},
        {of(key) for key in removed},
        {of(key): row for key, row in (added or {}).items()},
        content_of,
    )


ODD = (
    b"\xef\xbb\xbfid,x,label\r\n"
    b'a,"1,5",good\r\n'
    b'b, 02.50 ,"bad"\r\n'
    b'c,"say ""no""",good\r\n'
    b"\r\n"
    b"d,,good"
)


def test_what_is_not_meant_stays_byte_for_byte(tmp_path: Path) -> None:
    assert edit(tmp_path / "t.csv", ODD).content == ODD


def test_a_label_is_changed_in_its_cell_alone(tmp_path: Path) -> None:
    found = edit(tmp_path / "t.csv", ODD, {"c": "bad", "a": 'x,"y"'})

    assert found.content == ODD.replace(b'"say ""no""",good', b'"say ""no""",bad').replace(
        b'"1,5",good', b'"1,5","x,""y"""'
    )
    assert found.overruled == 2
    assert found.old[of("c")] == "good"
    assert found.counts == {'x,"y"': 1, "bad": 2, "good": 1}


def test_a_row_that_tests_is_left_out_and_one_that_is_new_comes_last(tmp_path: Path) -> None:
    found = edit(
        tmp_path / "t.csv",
        ODD,
        removed=["b"],
        added={
            "e": {"x": "1,0", "id": "e", "label": "good", "more": "ignored"},
            "a": {"id": "a", "x": "is there", "label": "good"},
        },
    )

    lines = found.content.split(b"\r\n")
    assert [line[:1] for line in lines[1:]] == [b"a", b"c", b"", b"d", b"e", b""]
    assert lines[-2] == b'e,"1,0",good'
    assert found.removed == 1


def test_tables_of_another_encoding_and_delimiter_are_written_in_theirs(tmp_path: Path) -> None:
    content = "id;x;label\n가;1;좋음\n나;2;나쁨\n".encode("cp949") * 1

    found = edit(
        tmp_path / "t.csv",
        content,
        {"가": "나쁨"},
        added={"다": {"id": "다", "x": "3", "label": "좋음"}},
    )

    assert found.content.decode("cp949") == "id;x;label\n가;1;나쁨\n나;2;나쁨\n다;3;좋음\n"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is empty"),
        (b"id,x\na,1\n", "no column 'label'"),
        ("id,label\na,x\n".encode("utf-16"), "is in utf-16"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path: Path, content: bytes, what: str) -> None:
    with pytest.raises(DatasetError, match=what):
        edit(tmp_path / "t.csv", content)


def test_a_row_without_a_column_of_the_base_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no column 'x', which the base has"):
        edit(tmp_path / "t.csv", b"id,x,label\n", added={"a": {"id": "a", "label": "good"}})


def test_a_label_that_the_encoding_does_not_have_is_refused(tmp_path: Path) -> None:
    content = "id,label\n가,나\n".encode("cp949")

    with pytest.raises(DatasetError, match="cannot be written in cp949"):
        edit(tmp_path / "t.csv", content, {"가": "😀"})


CELL = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0\r"), max_size=6)


@given(rows=st.lists(st.tuples(CELL, CELL), max_size=8))
def test_a_new_table_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("t") / "t.csv"
    path.write_bytes(new_table(["a", "b"], rows))

    table = read_table(path)

    assert list(table.columns) == ["a", "b"]
    assert [tuple(row) for row in table.rows] == rows


def test_an_empty_cell_alone_in_its_row_is_still_a_row(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(new_table(["a"], [["1"], [""], ["2"]]))

    assert read_table(tmp_path / "t.csv").rows == [["1"], [""], ["2"]]
