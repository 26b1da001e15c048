"""What clients send and what assets write reaches the other side as it was, or is refused."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_from_bytes

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import write_asset

from alo.serve.http_api.app import Application
from alo.serve.http_api.bodies.json_rows import write_table
from alo.serve.http_api.bodies.json_values import args_of, parse_json
from alo.serve.http_api.guard import Access
from alo.serve.http_api.limits import Limits, TableLimits
from alo.serve.http_api.paths import decoded, encoded
from alo.serve.http_api.refusal import RefusedError

from ...support.waiting import PATIENCE_S, end_all, wait_for_text

MODEL = "결과 #1/2 100%25"
STEP = """
    import csv, json, os
    csv.field_size_limit(10_000_000)
    with open(next(Path(self.asset.get_input_path()).rglob("*.csv")), newline="") as file:
        do = json.loads(list(csv.reader(file))[1][0])
    name = os.fsdecode(bytes.fromhex(do["name"]))
    Path(self.asset.get_output_path(), name).write_bytes(bytes.fromhex(do["content"]))
    self.asset.save_summary("ok", 0.5)
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service that writes what a request says."""
    home = tmp_path_factory.mktemp("values") / "project"
    write_asset(home, "inference", STEP)
    plan = {
        "name": MODEL,
        "user_parameters": {"inference_pipeline": [{"step": "inference"}]},
        "control": {"backup_artifacts": False},
    }
    (home / "solution").mkdir()
    (home / "solution" / "experimental_plan.yaml").write_text(json.dumps(plan))
    log = home.parent / "log"
    command = [sys.executable, "-m", "alo.cli.main", "serve", "--port", "0"]
    with open(log, "w") as file:
        process = subprocess.Popen(command, cwd=home, stdout=file, stderr=file)
    try:
        yield wait_for_text(r"serving at (\S+),", log, process)[1]
    finally:
        end_all(process)


def task(content: bytes, name: bytes = b"out.csv") -> str:
    """What the asset is to write."""
    return json.dumps({"name": name.hex(), "content": content.hex()})


NAMES = [
    "결과 #1 100%25.csv",
    "a?b.csv",
    "a b.csv",
    "%20.csv",
    "-&=+.csv",
    "a;b&c=d.csv",
    "a'b\u2028.csv",
]


@pytest.mark.parametrize("name", [*(name.encode() for name in NAMES), b"\xff\xb0.csv"])
def test_the_url_of_an_output_can_be_asked_for_as_it_is(url: str, name: bytes) -> None:
    rows = {"rows": [{"do": task(b"x\n7\n", name)}]}
    (output,) = httpx.post(f"{url}/v1/inference", json=rows, timeout=PATIENCE_S).json()["outputs"]

    found = httpx.get(f"{url}{output['url']}", timeout=PATIENCE_S)

    assert os.fsencode(output["name"]) == name
    assert output["url"].endswith(f"/outputs/{quote_from_bytes(name, safe='')}")
    assert found.status_code == 200, found.text
    assert found.content == b"x\n7\n"


@given(st.text(min_size=1), st.binary(min_size=1))
def test_every_name_can_be_part_of_a_url(text: str, name: bytes) -> None:
    assert decoded(encoded(os.fsdecode(name))) == os.fsdecode(name)
    assert re.fullmatch(r"[A-Za-z0-9._~%-]+", encoded(os.fsdecode(name)))


def infer(url: str, content: bytes, model: str = MODEL, **more: Any) -> httpx.Response:
    """Ask with tensors for a table."""
    tensor = {"name": "do", "shape": [1], "datatype": "BYTES", "data": [task(content)]}
    path = f"/v2/models/{quote(model, safe='')}/infer"
    return httpx.post(f"{url}{path}", json={"inputs": [tensor], **more}, timeout=PATIENCE_S)


def test_a_model_is_found_under_its_encoded_name(url: str) -> None:
    path = f"/v2/models/{quote(MODEL, safe='')}"

    assert httpx.get(f"{url}{path}").json()["name"] == MODEL
    assert httpx.get(f"{url}{path}/ready/").status_code == 200
    assert httpx.get(f"{url}{path.replace('%23', '%2523')}").status_code == 404
    content = httpx.get(f"{url}/v2/models/other%2F1/ready").json()
    assert content == {"error": f"there is no such model; it is '{MODEL}'"}


def test_a_path_may_leave_what_needs_no_encoding_as_it_is(url: str) -> None:
    rows = {"rows": [{"do": task(b"x\n7\n", b"a:@$1.csv")}]}
    (output,) = httpx.post(f"{url}/v1/inference", json=rows, timeout=PATIENCE_S).json()["outputs"]

    assert output["url"].endswith("a%3A%40%241.csv")
    for name in ("a%3A%40%241.csv", "a:@$1.csv", "%61:%40$1.csv"):
        path = output["url"].rpartition("/")[0]
        assert httpx.get(f"{url}{path}/{name}").content == b"x\n7\n"


def test_a_slash_at_the_end_of_a_path_says_nothing(url: str) -> None:
    assert httpx.get(f"{url}/healthz/").status_code == 200
    assert httpx.get(f"{url}//").status_code == 404
    assert httpx.get(f"{url}/%2e%2e/healthz").status_code == 404


@pytest.mark.parametrize(
    "request_id", ["%00", "%FF", "a%2Fb", "x" * 3000, "00000000000000ff", "0%000000000000000"]
)
def test_a_request_that_no_one_has_made_is_not_found(url: str, request_id: str) -> None:
    for path in (f"/v1/requests/{request_id}", f"/v1/requests/{request_id}/outputs/x%00"):
        answer = httpx.get(f"{url}{path}")
        assert answer.status_code == 404
        assert answer.json()["status"] == "fail"


def test_a_cell_may_be_large(url: str) -> None:
    answer = infer(url, b"img,x\n" + b"A" * 200_000 + b",1\n", id="r1")

    assert answer.status_code == 200, answer.text[-300:]
    content = answer.json()
    assert content["id"] == "r1"
    assert [tensor["datatype"] for tensor in content["outputs"]] == ["BYTES", "INT64"]
    assert content["outputs"][0]["data"] == ["A" * 200_000]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("id\n2024_01\n00501\n", [("id", "BYTES", ["2024_01", "00501"])]),
        ('x\n0.5\n""\n1e-05\n', [("x", "FP64", [0.5, None, 1e-05])]),
        ("x,y\n1,True\n,False\n", [("x", "FP64", [1, None]), ("y", "BOOL", [True, False])]),
        ("a,b\n", [("a", "BYTES", []), ("b", "BYTES", [])]),
        ("", []),
    ],
)
def test_a_result_has_the_types_of_its_cells(
    url: str, table: str, expected: list[tuple[str, str, list[object]]]
) -> None:
    outputs = infer(url, table.encode()).json()["outputs"]

    assert [(each["name"], each["datatype"], each["data"]) for each in outputs] == expected
    assert [each["shape"] for each in outputs] == [[len(values)] for _, _, values in expected]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (b"a,b\n1\n", "out.csv:2: the row has 1 cells, the header 2"),
        (b"a,a\n1,2\n", "two columns are named 'a'"),
        ("한글\n1\n".encode("cp949"), "not UTF-8"),
    ],
)
def test_a_result_that_is_no_table_is_an_error_of_the_protocol(
    url: str, table: bytes, said: str
) -> None:
    answer = infer(url, table)

    assert answer.status_code == 500
    assert list(answer.json()) == ["error"]
    assert said in answer.json()["error"]


def read(path: Path) -> list[list[str]]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, strict=True))


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
    st.sampled_from(["00501", "1e5", " 5", '"', "a,b", "a\r\nb", "\r", "'", "\t", "=1+1"]),
)


@given(st.lists(st.dictionaries(texts.filter(lambda t: t[:1] != "\ufeff"), values), min_size=1))
def test_rows_arrive_as_they_were_sent(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "rows.csv"
    if not any(rows):
        return

    with open(path, "w", encoding="utf-8", newline="") as file:
        write_table(json.dumps({"rows": rows}), file, TableLimits())

    header, *cells = read(path)
    assert header == list(dict.fromkeys(key for row in rows for key in row))
    assert len(cells) == len(rows)
    for row, texts_of_row in zip(rows, cells, strict=True):
        for key, text in zip(header, texts_of_row, strict=True):
            value = row.get(key)
            match value:
                case None:
                    assert text == ""
                case float():
                    assert text == repr(value)
                case _:
                    assert text == str(value)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (rb'{"rows": [{"a": "\u0000"}]}', "NUL"),
        (rb'{"rows": [{"\u0000": 1}]}', "NUL"),
        (rb'{"rows": [{"a": "\ud800"}]}', "half a character"),
        (rb'{"rows": [{"a": "\uDC80x"}]}', "half a character"),
        (rb'{"rows": [{"a": 1}], "args": {"s": {"k": ["\udfff"]}}}', "half a character"),
        (b'{"rows": [{"a": "\xed\xa0\x80"}]}', "not JSON"),
        (b'{"rows": [{"a": "\xff"}]}', "not JSON"),
        (b'{"rows": [{"a": 1, "a": 2}]}', "'a' comes twice"),
        (b'{"rows": [{"a": 1}], "rows": []}', "'rows' comes twice"),
        (b'{"rows": [{"a": 1e400}]}', "too large"),
        (b'{"rows": [{"a": 1}], "args": {"s": {"k": [-1e999]}}}', "too large"),
        (b'{"rows": [{"a": NaN}]}', "NaN is not"),
        (b'{"rows": [{"a": ' + b"9" * 5000 + b"}]}", "not JSON"),
        ('{"rows": [{"a": "\ud800"}]}'.encode("utf-16-le", "surrogatepass"), "not JSON"),
    ],
)
def test_what_would_not_arrive_as_it_was_sent_is_refused(url: str, body: bytes, said: str) -> None:
    kind = {"content-type": "application/json"}

    answer = httpx.post(f"{url}/v1/inference", content=body, headers=kind, timeout=PATIENCE_S)

    assert answer.status_code == 400, answer.text
    assert said in answer.json()["error"]["message"]


def test_what_only_looks_like_it_is_taken() -> None:
    content = parse_json(rb'{"a": "\\u0000 \ud83d\ude00 \\ud800", "b": "\u00e9"}')

    assert content == {"a": "\\u0000 \U0001f600 \\ud800", "b": "\u00e9"}
    assert parse_json("\ufeff{}".encode()) == {}
    assert parse_json('{"a": "가"}'.encode("utf-16")) == {"a": "가"}
    assert args_of("", TableLimits()) == {}
    write_table('{"rows": [{"a\ufeff": 1}]}', StringIO(), TableLimits())
    with pytest.raises(RefusedError, match="byte order mark"):
        write_table('{"rows": [{"\ufeffa": 1}]}', StringIO(), TableLimits())


@pytest.mark.parametrize(
    ("kind", "encoding"),
    [
        ("text/csv", "utf-8"),
        ("text/csv", "utf-8-sig"),
        ("text/csv; charset=cp949", "cp949"),
        ('text/csv; header=present; charset="EUC-KR"', "cp949"),
        ("text/csv;charset=utf-16", "utf-16"),
    ],
)
def test_a_table_arrives_in_utf_8_whatever_it_was_sent_in(
    url: str, kind: str, encoding: str
) -> None:
    quoted = task("가\n한글\n".encode()).replace('"', '""')
    table = f'do,이름\n"{quoted}",한글\n'.encode(encoding)

    answer = httpx.post(
        f"{url}/v1/inference", content=table, headers={"content-type": kind}, timeout=PATIENCE_S
    )

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("kind", "table", "status", "said"),
    [
        ("text/csv", "한글".encode("cp949"), 400, "charset="),
        ("text/csv", "a\n1\n".encode("utf-16"), 400, "charset="),
        ("text/csv; charset=utf-8", "한글".encode("cp949"), 400, "not UTF-8"),
        ("text/csv; charset=nothing", b"a\n1\n", 415, "'nothing' is not known"),
        ("text/csv; charset=hex", b"00", 415, "'hex' is not known"),
        ("text/csv", b"a\n\0\n", 400, "NUL"),
        ("text/csv", b"\xef\xbb\xbf \n", 422, "empty"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(
    url: str, kind: str, table: bytes, status: int, said: str
) -> None:
    answer = httpx.post(
        f"{url}/v1/inference", content=table, headers={"content-type": kind}, timeout=PATIENCE_S
    )

    assert answer.status_code == status, answer.text
    assert said in answer.json()["error"]["message"]


def test_args_in_a_query_are_what_was_sent_or_refused(url: str) -> None:
    headers = {"content-type": "text/csv"}
    for query in ("args=%ff", "args={}&args={}", "args={%22a%22:{%22b%22:%22%5Cu0000%22}}"):
        answer = httpx.post(f"{url}/v1/inference?{query}", content=b"a\n1", headers=headers)
        assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    ("tensor", "status"),
    [
        ({"datatype": "INT8", "data": [300]}, 422),
        ({"datatype": "UINT8", "data": [-1]}, 422),
        ({"datatype": "INT64", "data": [2**63]}, 422),
        ({"datatype": "INT64", "data": [None]}, 422),
        ({"datatype": "FP32", "shape": [2, 2], "data": [[1, 2, 3, 4]]}, 422),
        ({"datatype": "FP32", "shape": [2, 3], "data": [[1, 2], [3, 4], [5, 6]]}, 422),
        ({"datatype": "BYTES", "data": ["\ud800"]}, 400),
        ({"name": "a\0", "datatype": "BYTES", "data": ["x"]}, 400),
    ],
)
def test_tensors_that_are_not_what_they_say_are_refused(
    url: str, tensor: dict[str, object], status: int
) -> None:
    content = json.dumps({"inputs": [{"name": "x", "shape": [1], **tensor}]}).encode()
    path = f"/v2/models/{quote(MODEL, safe='')}/infer"

    answer = httpx.post(f"{url}{path}", content=content, timeout=PATIENCE_S)

    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["error"]


def test_the_id_of_a_request_is_a_text(url: str) -> None:
    for request_id in (7, False, "\0", ["a"]):
        answer = infer(url, b"a\n1\n", id=request_id)
        assert answer.status_code == 400
        assert list(answer.json()) == ["error"]


class Faulty:
    """A service in which everything that is asked for is a fault."""

    def __init__(self) -> None:
        self.reported: list[str] = []

    def report(self, text: str) -> None:
        self.reported.append(text)

    limits = Limits()

    def __getattr__(self, name: str) -> Any:
        raise ZeroDivisionError(f"of {name}")


@pytest.mark.parametrize(
    ("path", "is_of_protocol"),
    [("/readyz", False), ("/v1/requests/1", False), ("/v2/models/x", True), ("/metrics", False)],
)
def test_a_fault_of_ours_has_the_form_of_all_answers(path: str, is_of_protocol: bool) -> None:
    service: Any = Faulty()
    transport = httpx.ASGITransport(Application(service, Access()))

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get(path)

    answer = asyncio.run(ask())

    assert answer.status_code == 500
    assert set(answer.json()) >= {"error"}
    assert ("status" in answer.json()) is not is_of_protocol
    assert "ZeroDivisionError" in service.reported[0]
