"""A body becomes its data: here, or in a process of its own that says what came of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from alo.serve.http_api.bodies.parser import ROWS_FILE, Job, parse, parse_small, table_text
from alo.serve.http_api.limits import TableLimits
from alo.serve.http_api.refusal import RefusedError

ROWS = b'{"rows": [{"a": 1}], "args": {"s": {"n": 1}}}'
TENSOR = b'{"inputs": [{"name": "a", "shape": [1], "datatype": "INT8", "data": [1]}]}'


def job(kind: str, content_type: str = "", **other: Any) -> Job:
    return Job(kind, "", "", content_type, TableLimits(), **other)


@pytest.mark.parametrize(
    ("kind", "body"), [("rows", ROWS), ("csv", b"a\r\n1\r\n"), ("tensors", TENSOR)]
)
def test_each_kind_of_body_becomes_a_table(kind: str, body: bytes, tmp_path: Path) -> None:
    parsed, table = parse_small(job(kind), body)

    assert (parsed.status, table) == (0, b"a\r\n1\r\n")
    (tmp_path / "body").write_bytes(body)
    at_hand = job(kind)._replace(file=str(tmp_path / "body"), folder=str(tmp_path))
    assert parse(at_hand) == parsed
    assert (tmp_path / ROWS_FILE).read_bytes() == table


def test_the_args_beside_rows_come_along() -> None:
    assert parse_small(job("rows"), ROWS)[0].args == {"s": {"n": 1}}


@pytest.mark.parametrize("kind", ["rows", "csv", "tensors"])
def test_what_is_refused_has_its_status_and_reason(kind: str) -> None:
    parsed, _ = parse_small(job(kind), b"")

    assert parsed.status in (400, 422)
    assert parsed.what
    assert parsed.args == {}


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("a\n한\n".encode("cp949"), "text/csv", 400),
        (b"\xef\xbb\xbf \r\n", "text/csv", 422),
        (b"a\n\0\n", "text/csv", 400),
        (b"a", "text/csv; charset=hex", 415),
    ],
)
def test_a_table_that_is_none_is_refused(body: bytes, content_type: str, status: int) -> None:
    with pytest.raises(RefusedError) as caught:
        table_text(body, content_type, TableLimits())

    assert caught.value.status == status


def test_a_table_may_be_in_the_encoding_that_its_client_names() -> None:
    limits = TableLimits()

    assert table_text("한".encode("cp949"), "text/csv; charset=cp949", limits) == "한"


@pytest.mark.parametrize(
    ("text", "limits", "limit"),
    [
        (b"a,b\n1,2\n", {"columns": 1}, "columns"),
        (b"a,b\n1,2\n", {"cells": 4}, "cells"),
        (b"a\r1\r2\r", {"cells": 3}, "cells"),
    ],
)
def test_a_table_has_limits(text: bytes, limits: dict[str, int], limit: str) -> None:
    with pytest.raises(RefusedError) as caught:
        table_text(text, "text/csv", TableLimits(**limits))

    assert caught.value.limit == limit


def said_by_a_process(asked: Job) -> dict[str, Any]:
    command = [sys.executable, "-c", "from alo.serve.http_api.bodies.parser import main; main()"]
    given = json.dumps(asked._asdict())
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_process_of_its_own_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(ROWS)
    asked = job("rows")._replace(file=str(tmp_path / "body"), folder=str(tmp_path))

    assert said_by_a_process(asked) == parse(asked)._asdict()
    assert (tmp_path / ROWS_FILE).read_bytes() == b"a\r\n1\r\n"


def test_a_process_of_its_own_says_that_there_is_no_room(tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(ROWS)
    asked = job("rows")._replace(file=str(tmp_path / "body"), folder=str(tmp_path / "gone"))

    said = said_by_a_process(asked)

    assert said["status"] == 507
    assert "cannot be written" in said["what"]
