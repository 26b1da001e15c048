"""Rows of a version are found by facet, text or value; what is no row is noted."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.datasets.conftest import make_row

from alo.datasets import row_lines as module
from alo.datasets.row_lines import row_lines, rows_with
from alo.datasets.rows import TEST, TRAIN, lines_of

LABELS = ("good", "bad", "Röte")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """1,200 rows, every fifth of them for testing, between two lines that are none."""
    rows = [
        make_row(n, LABELS[n % 3]).line(None, TEST if n % 5 == 0 else TRAIN) for n in range(1200)
    ]
    lines = ["no row\n", *rows, '{"record": 1}\n']
    (tmp_path / "rows.jsonl").write_bytes(lines_of(lines))
    return tmp_path / "rows.jsonl"


def test_every_row_is_found_in_its_order_and_what_is_none_is_noted(path: Path) -> None:
    lines = row_lines(path)

    rows = [json.loads(each) for each in path.read_bytes().splitlines()[1:-1]]
    assert list(lines.read(lines.find({}))) == rows
    assert lines.notes == [
        "rows.jsonl: line 1 is no reviewed row",
        "rows.jsonl: line 1202 is no reviewed row",
    ]


def test_all_facets_that_are_asked_for_have_to_meet(path: Path) -> None:
    lines = row_lines(path)

    found = list(lines.read(lines.find({"split": TEST, "new": "bad"})))

    assert [each["record"] for each in found] == [f"run:{n}" for n in range(10, 1200, 15)]
    assert lines.find({"new": "none"}) == []


@pytest.mark.parametrize(
    ("text", "records"),
    [
        ("RUN:119", ["run:119", *(f"run:{n}" for n in range(1190, 1200))]),
        ("röte", [f"run:{n}" for n in range(2, 1200, 3)]),
        ("weight", []),  # a key
        ("null", []),  # a value that is none
        ("run", [f"run:{n}" for n in range(1200)]),  # a key, and in values
        ('0.9, "old', []),  # between two
    ],
)
def test_a_text_is_looked_for_in_values_alone(path: Path, text: str, records: list[str]) -> None:
    lines = row_lines(path)

    assert [each["record"] for each in lines.read(lines.find({}, text))] == records


def test_a_quoted_text_is_found_as_it_reads(path: Path) -> None:
    row = make_row(1, 'the "odd" \\ one')
    path.write_bytes(lines_of([row.line(None, TRAIN)]))

    assert row_lines(path).find({}, '"odd" \\ o') == [0]


def test_a_file_that_has_changed_is_read_anew(path: Path) -> None:
    assert len(row_lines(path).find({})) == 1200

    path.write_bytes(lines_of([make_row(7).line(None, TRAIN)]))

    lines = row_lines(path)
    assert [each["record"] for each in lines.read(lines.find({}))] == ["run:7"]


def test_a_file_that_has_not_changed_is_parsed_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = row_lines(path)
    monkeypatch.setattr(module, "_rows_of", None)

    assert row_lines(path) is known


def test_rows_are_found_by_a_value_of_a_key(path: Path) -> None:
    content = make_row(8).content

    assert [each["record"] for each in rows_with(path, "content", content)] == ["run:8"]
    assert [each["record"] for each in rows_with(path, "record", "run:11")] == ["run:11"]
    assert list(rows_with(path, "model", "run")) == []


def test_a_pipe_in_place_of_the_rows_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    os.mkfifo(path)

    with pytest.raises(OSError, match="no ordinary file"):
        row_lines(path)
    with pytest.raises(OSError, match="no ordinary file"):
        list(rows_with(path, "record", "r:1"))
