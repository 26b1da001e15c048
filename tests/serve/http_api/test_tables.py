"""What an asset has written as a table, as the columns of an answer: no cell ever changes."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.serve.http_api.tables import Column, TableError, cell_of, read_table, typed

Write = Callable[[str | bytes], Path]

IDS = [
    *(
        "2024_01",
        "00501",
        "+821012345678",
        "\uff11\uff12",
        "12345678901234567890123",
        "1e5",
        "1_000",
    ),
    *(" 5", "5 ", "-0", "inf", "-inf", "Infinity", "0x1F", "1.10", "1.", ".5", "1,5", "1e400"),
    *("9223372036854775808", "٣", "1E5", "1e16", "infinity", "1.0e5", "+1", "--1", "1\n", "²"),
    *(
        "true",
        "FALSE",
        "yes",
        "None",
        "NaT",
        "<NA>",
        "NULL",
        "N/A",
        "1e+6",
        "10e+06",
        "1.0e+06",
        "1e+006",
        "9" * 5000,
    ),
]
FLOATS = ["0.1", "1e-05", "1.0", "3.4028235e+38", "-0.0", "1e+16", "5e-324", "-2.5", "1e+22"]
SINGLES = ["1e+06", "1.6777216e+07", "1e-04", "-2.5e+06"]  # as NumPy writes single precision


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a table; returns its path."""

    def write_it(content: str | bytes) -> Path:
        raw = content.encode() if isinstance(content, str) else content
        (tmp_path / "output.csv").write_bytes(raw)
        return tmp_path / "output.csv"

    return write_it


@pytest.mark.parametrize("text", IDS)
def test_an_id_stays_as_it_is(text: str) -> None:
    assert typed("id", [text]) == Column("id", "BYTES", [text])
    assert typed("id", [text, "7"]) == Column("id", "BYTES", [text, "7"])


@pytest.mark.parametrize("text", FLOATS)
def test_a_float_as_python_writes_it_is_one(text: str) -> None:
    (value,) = typed("x", [text]).values

    assert typed("x", [text]).datatype == "FP64"
    assert repr(value) == text


@pytest.mark.parametrize("text", SINGLES)
def test_a_float_as_numpy_writes_it_is_one(text: str) -> None:
    assert typed("x", [text]) == Column("x", "FP64", [float(text)])


@pytest.mark.parametrize(
    ("texts", "datatype", "values"),
    [
        (["1", "-2", "0"], "INT64", [1, -2, 0]),
        (["9223372036854775807", "-9223372036854775808"], "INT64", [2**63 - 1, -(2**63)]),
        (["1", "", "3"], "FP64", [1, None, 3]),
        (["1", "nan"], "FP64", [1, None]),
        (["1.5", "NaN", "2"], "FP64", [1.5, None, 2]),
        (["9007199254740992", ""], "FP64", [2**53, None]),
        (["9007199254740993", ""], "BYTES", ["9007199254740993", ""]),
        (["9007199254740993", "0.5"], "BYTES", ["9007199254740993", "0.5"]),
        (["True", "False"], "BOOL", [True, False]),
        (["True", ""], "BYTES", ["True", ""]),
        (["True", "1"], "BYTES", ["True", "1"]),
        (["1", "inf"], "BYTES", ["1", "inf"]),
        (["", ""], "BYTES", ["", ""]),
        (["nan"], "BYTES", ["nan"]),
        (["1", "00501"], "BYTES", ["1", "00501"]),
        ([], "BYTES", []),
    ],
)
def test_a_column_has_the_narrowest_type_that_changes_nothing(
    texts: list[str], datatype: str, values: list[Any]
) -> None:
    column = typed("x", texts)

    assert column == Column("x", datatype, values)
    assert [type(value) for value in column.values] == [type(value) for value in values]


@given(st.lists(st.text() | st.floats().map(repr) | st.integers().map(str), min_size=1))
def test_whatever_the_cells_are_they_can_be_written_again(texts: list[str]) -> None:
    column = typed("x", texts)

    for text, value in zip(texts, column.values, strict=True):
        if value is None:
            assert text in ("", "nan", "NaN")
        else:
            assert text in (repr(value), str(value))
    if column.datatype == "INT64":
        assert all(-(2**63) <= value < 2**63 for value in column.values)
    if column.datatype == "FP64":
        assert all(value is None or int(float(value)) == int(value) for value in column.values)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_every_float_is_a_number(numbers: list[float]) -> None:
    column = typed("x", [repr(number) for number in numbers])

    assert column.datatype == "FP64"
    assert column.values == numbers


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_every_float_that_numpy_writes_is_a_number(number: float) -> None:
    numpy = pytest.importorskip("numpy")
    single, double = numpy.float32(number), numpy.float64(number)

    column = typed("x", [str(single), str(double), f"{double:.18e}", "1"])

    assert column.datatype == "FP64"
    assert [numpy.float32(value) for value in column.values] == [single, single, single, 1]


@given(st.text())
def test_one_text_is_one_value(text: str) -> None:
    value = cell_of(text)

    assert value is None or str(value) == text or isinstance(value, float)
    assert not isinstance(value, float) or math.isfinite(value)


def test_tables_of_pandas_come_out_as_they_went_in(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {
            "whole": [1, 2, 3],
            "gap": [0.1, None, 1e-05],
            "is": [True, False, True],
            "zip": ["00501", "1", "2"],
            "text": ['a "b"', "c\nd", "한글, e"],
            "f32": pandas.Series([0.1, 3.4028235e38, 1.0], dtype="float32"),
        }
    )
    frame.to_csv(tmp_path / "output.csv", index=False)

    columns = read_table(tmp_path / "output.csv")

    datatypes = ["INT64", "FP64", "BOOL", "BYTES", "BYTES", "FP64"]
    assert [column.datatype for column in columns] == datatypes
    assert columns[1].values == [0.1, None, 1e-05]
    assert columns[4].values == list(frame["text"])
    assert columns[5].values == [0.1, 3.4028235e38, 1.0]


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(st.integers(2, 4).flatmap(lambda n: st.lists(st.tuples(*[cells] * n), min_size=1)))
def test_every_cell_that_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]]
) -> None:
    header = [f"column {at}" for at in range(len(rows[0]))]
    text = StringIO()
    csv.writer(text).writerows([header, *rows])
    path = tmp_path_factory.getbasetemp() / "table.csv"
    path.write_bytes(text.getvalue().encode())

    columns = read_table(path)

    assert [column.name for column in columns] == header
    assert {len(column.values) for column in columns} == {len(rows)}
    for at, column in enumerate(columns):
        if column.datatype == "BYTES":
            assert column.values == [row[at] for row in rows]


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        ("", []),
        ("\n\n", []),
        ("a,b\n", [Column("a", "BYTES", []), Column("b", "BYTES", [])]),
        ("a\n1\n\n\n", [Column("a", "INT64", [1])]),
        ('a\n1\n""\n2\n', [Column("a", "FP64", [1, None, 2])]),
        ("a,b\n\n1,2\n\n3,4", [Column("a", "INT64", [1, 3]), Column("b", "INT64", [2, 4])]),
        (",x\n0,y\n", [Column("", "INT64", [0]), Column("x", "BYTES", ["y"])]),
        ('"a,\n""b"""\n1\n', [Column('a,\n"b"', "INT64", [1])]),
        ("\ufeffa\r\n1\r\n", [Column("a", "INT64", [1])]),
        ("가\n나\n".encode("utf-16"), [Column("가", "BYTES", ["나"])]),
        (f"a\n{'x' * 1_000_000}\n", [Column("a", "BYTES", ["x" * 1_000_000])]),
    ],
)
def test_tables_as_they_come(write: Write, content: str | bytes, columns: list[Column]) -> None:
    assert read_table(write(content)) == columns


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a,b\n1,2\n3\n", "output.csv:3: the row has 1 cells, the header 2"),
        ("a,b\n1,2,3\n", "output.csv:2: the row has 3 cells, the header 2"),
        ('a,b\n"1\n2",3,4\n', "output.csv:3: the row has 3 cells"),
        ("a\n1\n\n2\n", "output.csv:3: the line is blank"),
        ("a,b,a\n1,2,3\n", "two columns are named 'a'"),
        ('a\n"x\n', "output.csv:2: unexpected end of data"),
        ('a\n"x"y\n', "output.csv:2: "),
        ("a\n\0\n", "output.csv:2: there is a NUL"),
        ("a\n한글\n".encode("cp949"), "output.csv is not UTF-8 (byte 2): write it with encoding"),
        ("a\n1\n".encode("utf-16-le"), "NUL"),
        (b"\xff\xfea", "not UTF-8"),
    ],
)
def test_what_is_not_certain_is_an_error_that_says_where(
    write: Write, content: str | bytes, expected: str
) -> None:
    with pytest.raises(TableError) as caught:
        read_table(write(content))

    assert expected in str(caught.value)
