"""Bodies of any size become the same table, within limits; long work is done elsewhere."""

from __future__ import annotations

import asyncio
import csv
import gzip
import json
import tracemalloc
from array import array
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from alo.serve.http_api import requests
from alo.serve.http_api.bodies import incoming
from alo.serve.http_api.bodies.incoming import Bodies
from alo.serve.http_api.bodies.json_rows import LONG, write_table
from alo.serve.http_api.bodies.json_values import args_of
from alo.serve.http_api.bodies.parser import Job, parse, parse_small
from alo.serve.http_api.limits import Limits, TableLimits
from alo.serve.http_api.refusal import RefusedError
from alo.serve.http_api.requests import take_body


def table(text: str, tmp_path: Path, limits: TableLimits = TableLimits()) -> list[list[str]]:  # noqa: B008
    with open(tmp_path / "x.csv", "w", newline="") as file:
        write_table(text, file, limits)
    with open(tmp_path / "x.csv", newline="") as file:
        return list(csv.reader(file))


def test_columns_that_come_up_later_are_in_all_rows(tmp_path: Path) -> None:
    text = '{"args": {"s": {}}, "rows": [{}, {"a": 1}, {"b": "x\\ny", "a": null}, {"c": true}]}'

    assert table(text, tmp_path) == [
        ["a", "b", "c"],
        ["", "", ""],
        ["1", "", ""],
        ["", "x\ny", ""],
        ["", "", "True"],
    ]


def test_a_long_cell_is_written_as_it_was_sent(tmp_path: Path) -> None:
    text = 'a "quoted"\r\nline, and so on; ' * (LONG // 20)
    rows = [{"a": 1, "b": text, "c": None}, {"a": 1.5, "c": True}, {"b": text[::-1], "a": "1"}]

    before = csv.field_size_limit(10 * LONG)
    found = table(json.dumps({"rows": rows}), tmp_path)
    csv.field_size_limit(before)

    assert found[1:] == [["1", text, ""], ["1.5", "", "True"], ["1", text[::-1], ""]]


def tensor(count: int, **members: object) -> bytes:
    one = {"name": "a", "shape": [count], "datatype": "FP64", **members}
    return json.dumps({"inputs": [one]}).encode()


AS_BYTES = tensor(100_000, parameters={"binary_data_size": 800_000})


@pytest.mark.parametrize(
    ("kind", "head", "body"),
    [
        ("rows", "", b'{"rows": [{"a": "%s"}]}' % (b"eA+/" * 2_000_000)),
        ("rows", "", b'{"rows": [%s]}' % b", ".join([b'{"a": 1.5, "b": "x"}'] * 30_000)),
        ("csv", "", b"a,b\n" + b"1.5,x\n" * 300_000),
        ("tensors", "", tensor(30_000, data=[at / 7 for at in range(30_000)])),
        ("tensors", str(len(AS_BYTES)), AS_BYTES + array("d", range(100_000)).tobytes()),
    ],
    ids=["a long text", "many rows", "a table", "tensors", "tensors as bytes"],
)
def test_a_body_takes_at_most_four_times_its_size(
    tmp_path: Path, kind: str, head: str, body: bytes
) -> None:
    (tmp_path / "body").write_bytes(body)
    job = Job(kind, str(tmp_path / "body"), str(tmp_path), "", TableLimits(), head)

    tracemalloc.start()
    parsed = parse(job)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert not parsed.status, parsed.what
    assert peak < 4 * len(body)


def small_json() -> st.SearchStrategy[object]:
    return st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
        ),
        max_leaves=8,
    )


@given(
    st.dictionaries(st.sampled_from(["rows", "args", "x"]), small_json(), max_size=3),
    st.sampled_from([None, 2]),
    st.integers(0, 40),
)
def test_what_json_refuses_is_refused_and_nothing_else_breaks(
    content: object, indent: int | None, cut: int
) -> None:
    text = json.dumps(content, indent=indent)

    with pytest.raises(RefusedError) if cut else _either():
        write_table(text[: max(0, len(text) - cut)], StringIO(), TableLimits())


class _either:
    """RefusedError or taken: an error of another kind is the fault."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        return kind is RefusedError


@pytest.mark.parametrize(
    ("rows", "limits", "limit"),
    [
        ([{f"c{n}": 1} for n in range(200)], TableLimits(cells=1000), "cells"),
        ([{f"c{n}": 1 for n in range(20)}], TableLimits(columns=10), "columns"),
    ],
)
def test_a_table_has_limits(tmp_path: Path, rows: object, limits: TableLimits, limit: str) -> None:
    with pytest.raises(RefusedError) as refused:
        table(json.dumps({"rows": rows}), tmp_path, limits)

    assert (refused.value.status, refused.value.limit) == (413, limit)


def test_args_that_are_nested_too_deeply_are_refused() -> None:
    deep: object = 1
    for _ in range(100):
        deep = [deep]
    body = json.dumps({"rows": [{"a": 1}], "args": {"s": {"k": deep}}}).encode()

    parsed, _ = parse_small(Job("rows", "", "", "", TableLimits()), body)

    assert (parsed.status, parsed.limit) == (400, "depth")


def test_a_body_beyond_the_room_for_all_is_refused_and_those_under_way_are_not() -> None:
    async def bodies() -> None:
        all_bodies = Bodies(Limits(body_bytes=100))
        first, second = all_bodies.limited(http_of(b"x" * 100)), all_bodies.limited(http_of(b"y"))
        third, fourth = (all_bodies.limited(http_of(b"z" * 100)) for _ in range(2))
        async with first, second:
            assert await anext(aiter(first)) == b"x" * 100
            assert await anext(aiter(second)) == b"y"
            with pytest.raises(RefusedError) as refused:
                async with third:
                    await anext(aiter(third))
            assert (refused.value.status, refused.value.limit) == (503, "bodies")
            assert refused.value.headers == {"Retry-After": "1"}
            assert [part async for part in first] == []
        async with fourth:
            assert await anext(aiter(fourth)) == b"z" * 100

    asyncio.run(bodies())


class Watched:
    """Stands for the functions that do the work of a body; knows where they were called."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call, self.on_loop = call, 0

    def __call__(self, *args: Any) -> Any:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._call(*args)
        self.on_loop += 1
        return self._call(*args)


def http_of(body: bytes, **headers: str) -> Request:
    """A request whose whole body has come."""
    fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": fields}
    return Request(scope, receive)


def taken(folder: Path, limits: Limits, body: bytes, **headers: str) -> object:
    """The args of a body, taken as by the service; or why it is refused."""
    try:
        return asyncio.run(take_body(http_of(body, **headers), folder, Bodies(limits))).args
    except RefusedError as refused:
        return refused.status, refused.limit


def test_a_small_body_that_becomes_a_wide_table_is_parsed_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{f"{n}": 1} for n in range(400)]
    body = json.dumps({"rows": rows, "args": {"s": {"k": 1}}}).encode()
    elsewhere = Watched(incoming._in_a_process)
    monkeypatch.setattr(incoming, "_in_a_process", elsewhere)
    seen: list[int] = []
    check = TableLimits.check_cells
    monkeypatch.setattr(
        TableLimits, "check_cells", lambda self, count: (seen.append(count), check(self, count))[1]
    )

    args = taken(tmp_path / "request", Limits(), body, content_type="application/json")

    assert args == {"s": {"k": 1}}
    assert max(seen) < incoming.SMALL + 1000  # what was done here
    with open(tmp_path / "request" / "data.csv", newline="") as file:
        assert [len(row) for row in csv.reader(file)] == [400] * 401


def test_a_small_packed_body_is_unpacked_in_pieces(tmp_path: Path) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    sizes: list[int] = []

    async def go() -> None:
        stream = Bodies(Limits()).limited(http_of(bomb, content_encoding="gzip"))
        async with stream:
            async for part in stream:
                sizes.append(len(part))

    asyncio.run(go())

    assert sum(sizes) == 50_000_000
    assert max(sizes) <= incoming.PIECE


@pytest.mark.parametrize("size", [incoming.PIECE - 1, incoming.PIECE, incoming.PIECE + 1])
def test_a_packed_body_as_large_as_a_piece_is_whole(tmp_path: Path, size: int) -> None:
    body = b'{"rows": [{"a": 1}]' + b" " * (size - 20) + b"}"
    packed = {"content_type": "application/json", "content_encoding": "gzip"}

    assert taken(tmp_path / "one", Limits(), gzip.compress(body), **packed) == {}
    assert taken(tmp_path / "two", Limits(), gzip.compress(body)[:-9], **packed) == (400, "")


@pytest.mark.parametrize(
    "encoding", ["punycode", "idna", "unicode_escape", "raw-unicode-escape", "hex", "nope", "a\0"]
)
def test_encodings_that_are_none_of_whole_texts_are_refused(tmp_path: Path, encoding: str) -> None:
    table = f"text/csv; charset={encoding}"
    form = f"multipart/form-data; boundary=X; charset={encoding}"

    assert taken(tmp_path / "table", Limits(), b"a\n1\n", content_type=table) == (415, "")
    assert taken(tmp_path / "form", Limits(), form_of(b"{}"), content_type=form) == (415, "")


def form_of(args: bytes, filename: bytes = b"") -> bytes:
    head = b'--X\r\ncontent-disposition: form-data; name="'
    file = head + b'files"; filename="a.csv"\r\n\r\na\n1\n\r\n'
    return file + head + b'args"' + filename + b"\r\n\r\n" + args + b"\r\n--X--\r\n"


@pytest.mark.parametrize("filename", [b"", b'; filename="args.json"'])
def test_args_in_a_form_have_limits_and_are_parsed_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filename: bytes
) -> None:
    parsing = Watched(requests.args_of)
    monkeypatch.setattr(requests, "args_of", parsing)
    limits = Limits(table=TableLimits(depth=5, args_bytes=1000))
    form = "multipart/form-data; boundary=X"

    def ask(name: str, args: bytes) -> object:
        return taken(tmp_path / name, limits, form_of(args, filename), content_type=form)

    assert ask("good", b'{"s": {"k": [1]}}') == {"s": {"k": [1]}}
    assert ask("large", b'{"s": {"k": "%s"}}' % (b"x" * 1000)) == (413, "args")
    assert ask("deep", b'{"s": {"k": [[[[1]]]]}}') == (400, "depth")
    assert parsing.on_loop == 0


def test_args_beside_rows_and_in_a_query_have_the_same_limit(tmp_path: Path) -> None:
    limits = TableLimits(args_bytes=100)
    args = {"s": {"k": "x" * 100}}

    with pytest.raises(RefusedError) as refused:
        table(json.dumps({"args": args, "rows": [{"a": 1}]}), tmp_path, limits)
    assert (refused.value.status, refused.value.limit) == (413, "args")
    with pytest.raises(RefusedError):
        args_of(json.dumps(args), limits)


def test_cells_of_a_table_are_counted_whichever_its_line_breaks_are() -> None:
    limits = TableLimits(cells=10)

    for line in ("\n", "\r", "\r\n"):
        parsed, _ = parse_small(Job("csv", "", "", "", limits), line.join("a" * 20).encode())
        assert (parsed.status, parsed.limit) == (413, "cells")


def test_a_body_of_some_size_that_becomes_a_wide_table_is_parsed_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{f"{n:060}": 1} for n in range(1_100)]
    body = json.dumps({"rows": rows}).encode()
    assert incoming.SMALL < len(body) < incoming.MEDIUM < len(rows) ** 2
    elsewhere = Watched(incoming._in_a_process)
    monkeypatch.setattr(incoming, "_in_a_process", elsewhere)

    args = taken(tmp_path / "request", Limits(), body, content_type="application/json")

    assert args == {}
    with open(tmp_path / "request" / "data.csv", newline="") as file:
        assert sum(len(row) for row in csv.reader(file)) == 1_100 * 1_101


def test_a_body_that_says_that_it_is_too_large_is_refused_before_it_has_come(
    tmp_path: Path,
) -> None:
    headers = {"content_type": "application/json", "content_length": "1000001"}

    refused = taken(tmp_path / "request", Limits(body_bytes=1_000_000), b"", **headers)

    assert refused == (413, "body")


def test_a_parser_whose_process_dies_costs_its_request_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "PROGRAM", "raise SystemExit('killed by something')")
    job = Job("rows", str(tmp_path / "body"), str(tmp_path), "", TableLimits())

    with pytest.raises(RefusedError, match="ended with 1; killed by something") as refused:
        incoming._in_a_process(job)

    assert refused.value.status == 500


@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [
        ("MemoryError()", 413, "not enough memory"),
        ("OSError(28, 'No space left on device')", 507, "No space left on device"),
    ],
)
def test_what_a_parser_has_no_room_for_is_refused_with_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, status: int, said: str
) -> None:
    program = f"""
import sys
sys.path[:1] = sys.argv[1:]
from alo.serve.http_api.bodies import parser
def parse(job):
    raise {fault}
parser.parse = parse
parser.main()
"""
    monkeypatch.setattr(incoming, "PROGRAM", program)

    parsed = incoming._in_a_process(
        Job("rows", str(tmp_path / "body"), str(tmp_path), "", TableLimits())
    )

    assert parsed.status == status
    assert said in parsed.what
