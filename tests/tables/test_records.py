"""Where records end, also where quotes are not closed; tests of whole tables are in test_tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from alo.tables import records as reading
from alo.tables.encodings import Encoding
from alo.tables.records import Dialect, cells, dialect_of, records

COMMA = Dialect(b",", b"\n", Encoding("utf-8"))


def read(path: Path) -> list[list[str]]:
    with open(path, "rb") as file:
        found = records(file.fileno(), COMMA, 0, path.stat().st_size)
        return [cells(each.content, COMMA).texts for each in found]


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_what_is_read_at_once_changes_nothing(
    tmp_path: Path, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t"
    path.write_bytes(b'a,"b\nc"\r\n"open,d\n"e""",f\n5" disk,g\n\n"x"y,"h\n"",i\n"last')
    monkeypatch.setattr(reading, "STEP", step)

    assert read(path) == [
        ["a", "b\nc"],
        ['"open', "d"],
        ['e"', "f"],
        ['5" disk', "g"],
        [""],
        ['"x"y', '"h'],
        ["", "i"],
        ['"last'],
    ]


def test_a_line_without_an_end_is_shown_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t"
    path.write_bytes(b"x" * 5000 + b"\n1,2\n")
    monkeypatch.setattr(reading, "STEP", 16)
    monkeypatch.setattr(reading, "MOST_RECORD", 1024)

    found = read(path)

    assert "".join(row[0] for row in found[:-1]) == "x" * 5000
    assert found[-1] == ["1", "2"]


@pytest.mark.parametrize(
    ("name", "text", "delimiter", "line_end"),
    [
        ("a.csv", "a,b\n", b",", b"\n"),
        ("a.tsv", "a,b\tc\n", b"\t", b"\n"),
        ("a.csv", "a;b\r\n", b";", b"\n"),
        ("a.csv", '"a\nb"|c\r1|2\r', b"|", b"\r"),
        ("a.csv", "one\n", b",", b"\n"),
        ("a.csv", "\r\n\na|b\n", b"|", b"\n"),
    ],
)
def test_the_dialect_is_found(
    tmp_path: Path, name: str, text: str, delimiter: bytes, line_end: bytes
) -> None:
    (tmp_path / name).write_text(text, newline="")

    found = dialect_of(tmp_path / name, Encoding("utf-8"))

    assert (found.delimiter, found.line_end) == (delimiter, line_end)
