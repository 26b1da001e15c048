"""``alo serve`` as its clients see it: every request is answered, with the status that fits."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from ...support.waiting import PATIENCE_S, end_all, wait_for_text, wait_until

Serve = Callable[..., "Service"]

STEPS = {
    "input": """
        inside = Path(self.asset.get_input_path())
        files = sorted(path for path in inside.rglob("*") if path.is_file())
        self.data["files"] = [path.relative_to(inside).as_posix() for path in files]
        self.data["text"] = files[0].read_text(errors="replace")
    """,
    "inference": """
        import ctypes, os, sys, time
        what = self.args.get("do", "")
        if what == "raise":
            raise ValueError("as was asked")
        if what == "raise of a name":
            raise ValueError("\\udcb0\\udca1.csv")
        if what == "exit":
            sys.exit(3)
        if what == "segfault":
            ctypes.string_at(0)
        if what == "hang":
            time.sleep(600)
        if what == "slow":
            Path(self.args.get("mark", "/dev/null")).touch()
            time.sleep(0.3)
        if what == "wait":
            Path(self.args["begun"]).touch()
            while not Path(self.args["gate"]).exists():
                time.sleep(0.01)
    """,
    "output": """
        Path(self.asset.get_output_path(), "out.csv").write_text("x,y\\n1,a\\n2.5,b\\n")
        text = ",".join(self.data["files"]) + "|" + self.data["text"]
        self.asset.save_summary(str(self.args.get("word", "fine")), 0.5, note=text[:128])
    """,
}
SECRET = "s3cret"  # noqa: S105 - of a test
ROWS = {"rows": [{"a": 1, "b": "x"}, {"a": 2.5, "c": None}]}


class Held:
    """Requests that take until they are let go."""

    def __init__(self, folder: Path) -> None:
        self._begun, self._gate = folder / "begun", folder / "gate"
        args = {"do": "wait", "begun": str(self._begun), "gate": str(self._gate)}
        self.rows = {**ROWS, "args": {"inference": args}}

    def wait_until_in_hand(self) -> None:
        """Until a worker has begun with one."""
        wait_until(self._begun.exists)

    def let_go(self) -> None:
        self._gate.touch()


class Service:
    """``alo serve`` in a process of its own."""

    def __init__(self, home: Path, *words: str, token: str = "") -> None:
        command = [sys.executable, "-m", "alo.cli.main", "serve", "--port", "0", *words]
        self.log = home.parent / f"serve-{os.urandom(3).hex()}.log"
        environment = {**os.environ, **({"ALO_TOKEN": token} if token else {})}
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                command, cwd=home, stdout=log, stderr=log, env=environment
            )
        try:
            self.url = wait_for_text(r"serving at (\S+),", self.log, self.process)[1]
        except AssertionError:  # no one else would end it
            end_all(self.process)
            raise
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.client = httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE_S)

    def infer(self, rows: object = ROWS, query: str = "", **options: Any) -> httpx.Response:
        if not options:
            options = {"json": rows}
        return self.client.post(f"/v1/inference{query}", **options)

    def do(self, what: str) -> httpx.Response:
        return self.infer({**ROWS, "args": {"inference": {"do": what}}})

    def status_of(self, request_id: str) -> str:
        return str(self.client.get(f"/v1/requests/{request_id}").json()["status"])

    def wait_for_success(self, *request_ids: str) -> None:
        """Until these have succeeded; none of them fails before that."""
        for request_id in request_ids:

            def has_succeeded(request_id: str = request_id) -> bool:
                status = self.status_of(request_id)
                assert status in ("queued", "running", "success")
                return status == "success"

            wait_until(has_succeeded)

    def workers(self) -> list[int]:
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                words = Path(f"/proc/{name}/cmdline").read_bytes()
                parent = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1]
            except OSError:
                continue
            if b"alo.workers.process" in words and int(parent) == self.process.pid:
                found.append(int(name))
        return found

    def end(self, number: int = signal.SIGTERM) -> int:
        self.client.close()
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def close(self) -> None:
        """End it, however it is."""
        self.client.close()
        end_all(self.process)


def test_rows_a_table_and_files_arrive_where_the_asset_finds_them(serve: Serve) -> None:
    service = serve()

    rows = service.infer({**ROWS, "args": {"output": {"word": "rows"}}}).json()
    table = service.infer(content=b"a\n1\n", headers={"content-type": "text/csv"}).json()
    parts = [("files", ("x y.csv", b"1")), ("files", ("한글.bin", b"\0"))]
    args = {"args": json.dumps({"output": {"word": "form"}})}
    form = service.infer(files=parts, data=args).json()

    assert rows["status"] == "success"
    assert rows["error"] is None
    assert rows["summary"]["result"] == "rows"
    assert rows["summary"]["note"].startswith("request/data.csv|a,b,c\n1,x,\n2.5,,\n")
    assert table["summary"]["note"] == "request/data.csv|a\n1\n"
    assert form["summary"]["result"] == "form"
    assert form["summary"]["note"].startswith("request/x y.csv,request/한글.bin|")
    (output,) = rows["outputs"]
    assert output["name"] == "out.csv"
    assert service.client.get(output["url"]).text == "x,y\n1,a\n2.5,b\n"
    again = service.client.get(f"/v1/requests/{rows['id']}").json()
    assert again == rows


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="no IPv6 here")
def test_an_ipv6_address_is_reported_as_an_url(serve: Serve) -> None:
    service = serve("--host", "::1")

    assert service.url.startswith("http://[::1]:")
    assert service.infer().status_code == 200


def test_a_request_for_later_is_accepted_and_its_result_kept(serve: Serve) -> None:
    service = serve()

    accepted = service.infer(query="?async=1")
    request_id = accepted.json()["id"]

    assert accepted.status_code == 202
    assert accepted.json()["status"] == "queued"
    service.wait_for_success(request_id)
    found = service.client.get(f"/v1/requests/{request_id}").json()
    assert service.client.get(found["outputs"][0]["url"]).status_code == 200


@pytest.mark.parametrize(
    ("options", "status", "text"),
    [
        (
            {"content": b"not json", "headers": {"content-type": "application/json"}},
            400,
            "not JSON",
        ),
        ({"content": b"[1]", "headers": {"content-type": "application/json"}}, 400, "expected"),
        ({"json": {"rows": [1]}}, 422, "list of objects"),
        ({"json": {"rows": []}}, 422, "list of objects"),
        ({"json": {"rows": [{"a": {"b": 1}}]}}, 422, "holds one value"),
        ({"json": {**ROWS, "args": [1]}}, 422, "{step: {key: value}}"),
        ({"json": {**ROWS, "args": {"nowhere": {"a": 1}}}}, 422, "no step 'nowhere'"),
        ({"json": {**ROWS, "other": 1}}, 400, "expected an object"),
        ({"content": b"", "headers": {"content-type": "text/csv"}}, 422, "empty"),
        ({"content": b"\xff", "headers": {"content-type": "text/csv"}}, 400, "UTF-8"),
        ({"content": b"x", "headers": {"content-type": "image/png"}}, 415, "image/png"),
        ({"content": b"x"}, 415, "content type"),
        ({"files": [("other", ("x", b"1"))]}, 400, "'files'"),
        ({"files": [("files", ("../x", b"1"))]}, 400, "path in it"),
        ({"files": [("files", ("..", b"1"))]}, 400, "path in it"),
        ({"files": [("files", ("a\\b", b"1"))]}, 400, "path in it"),
        ({"files": [("files", ("x", b"1")), ("files", ("x", b"2"))]}, 400, "two files"),
        (
            {
                "content": b"--nothing of a form",
                "headers": {"content-type": "multipart/form-data; boundary=x"},
            },
            400,
            "",
        ),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400, "form"),
        ({"json": {"rows": [{"a": "x" * 2_000_000}]}}, 413, "larger than 1 MB"),
        ({"files": [("files", ("x", b"1" * 2_000_000))]}, 413, "larger than 1 MB"),
    ],
)
def test_what_is_wrong_with_a_request_has_its_status(
    shared: Service, options: dict[str, Any], status: int, text: str
) -> None:
    answer = shared.client.post("/v1/inference", **options)

    assert answer.status_code == status, answer.text
    content = answer.json()
    assert content["status"] == "fail"
    assert text in content["error"]["message"]
    assert shared.infer().json()["status"] == "success"


def test_an_answer_may_name_a_file_whose_name_is_not_utf8(serve: Serve) -> None:
    answer = serve().do("raise of a name")

    assert answer.status_code == 500
    assert "ValueError: \udcb0\udca1.csv" in answer.json()["error"]["message"]


def test_a_token_is_wanted_where_there_is_one(serve: Serve) -> None:
    service = serve(token=SECRET)

    assert service.infer().status_code == 200
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {SECRET}"}):
        for verb, path in (
            ("POST", "/v1/inference"),
            ("GET", "/metrics"),
            ("GET", "/v1/requests/x"),
        ):
            answer = httpx.request(verb, f"{service.url}{path}", headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
    assert httpx.get(f"{service.url}/healthz").status_code == 200
    assert SECRET not in service.log.read_text()


def test_a_token_of_any_letters_can_be_shown(serve: Serve) -> None:
    service = serve("--token", "ключ-é")

    def ask(shown: bytes) -> int:
        headers = {b"Authorization": b"Bearer " + shown}
        return httpx.get(f"{service.url}/metrics", headers=headers).status_code

    assert [ask(each) for each in ("ключ-é".encode(), b"\xff", "ключ-e".encode())] == [
        200,
        401,
        401,
    ]


def test_another_address_than_loopback_needs_a_token(
    home: Path, alo: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ALO_TOKEN", raising=False)

    done = alo("serve", "--host", "0.0.0.0", "--port", "0", cwd=home)  # noqa: S104 - refused

    assert done.returncode == 2
    assert "clients need a token" in done.stderr


def test_a_port_that_is_taken_is_named(home: Path, alo: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = alo("serve", "--port", str(port), cwd=home)

    assert done.returncode == 1
    assert f"127.0.0.1:{port} cannot be served on" in done.stderr


def test_health_metrics_and_documentation(shared: Service) -> None:
    shared.infer()

    assert shared.client.get("/healthz").json()["status"] == "ok"
    assert shared.client.get("/readyz").json()["status"] == "ready"
    metrics = shared.client.get("/metrics").text
    assert 'alo_requests_total{status="success"}' in metrics
    assert "alo_request_seconds_bucket" in metrics
    assert "alo_score_bucket" in metrics
    assert "alo_queue_length 0.0" in metrics
    assert 'alo_model_info{model_id="none"} 1.0' in metrics
    described = shared.client.get("/openapi.json").json()
    assert described["info"]["title"] == "my model"
    assert "<title>" in shared.client.get("/docs").text
    assert shared.client.get("/v1/requests/gone").status_code == 404
    assert shared.client.get("/v1/requests/gone/outputs/..%2f..%2fx").status_code == 404
    assert shared.client.get("/nowhere").json()["error"]["code"] == "404"
    assert shared.client.get("/v1/inference").status_code == 405


def test_tensors_go_in_and_out_as_the_open_inference_protocol_has_them(shared: Service) -> None:
    inputs = [
        {"name": "a", "shape": [2], "datatype": "FP64", "data": [1.5, 2]},
        {"name": "m", "shape": [2, 2], "datatype": "INT32", "data": [[1, 2], [3, 4]]},
    ]

    answer = shared.client.post("/v2/models/my model/infer", json={"id": "7", "inputs": inputs})

    content = answer.json()
    assert content["id"] == "7"
    assert content["model_name"] == "my model"
    assert content["parameters"]["note"].startswith("request/data.csv|a,m_0,m_1\n1.5,1,2\n2,3,4\n")
    assert content["parameters"]["probability"] == "{}"
    assert content["outputs"] == [
        {"name": "x", "shape": [2], "datatype": "FP64", "data": [1.0, 2.5]},
        {"name": "y", "shape": [2], "datatype": "BYTES", "data": ["a", "b"]},
    ]
    assert shared.client.get("/v2/models/my model/ready").status_code == 200
    assert shared.client.get("/v2/models/my model").json()["versions"] == ["none"]
    assert shared.client.get("/v2/health/ready").json()["ready"] is True
    assert shared.client.get("/v2/models/other").status_code == 404


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ([], 400),
        ({"inputs": []}, 400),
        ({"inputs": [5]}, 400),
        ({"inputs": [{"name": "a", "shape": [2], "datatype": "FP64", "data": [1]}]}, 422),
        ({"inputs": [{"name": "a", "shape": [-1], "datatype": "FP64", "data": [1]}]}, 422),
        ({"inputs": [{"name": "a", "shape": [1], "datatype": "WHAT", "data": [1]}]}, 422),
        ({"inputs": [{"name": "a", "shape": [1], "datatype": "FP64", "data": 1}]}, 422),
        ({"inputs": [{"name": "a", "shape": [1], "datatype": "FP64", "data": ["1"]}]}, 422),
        ({"inputs": [{"name": "a", "shape": [1], "datatype": "INT8", "data": [True]}]}, 422),
        ({"inputs": [{"name": "a", "shape": [1], "datatype": [], "data": [1]}]}, 422),
        ({"inputs": [{"name": "a", "shape": [1], "datatype": "INT8", "data": [1]}] * 2}, 422),
        (
            {
                "inputs": [
                    {"name": "a", "shape": [1], "datatype": "FP64", "data": [1]},
                    {"name": "b", "shape": [2], "datatype": "FP64", "data": [1, 2]},
                ]
            },
            422,
        ),
    ],
)
def test_tensors_that_make_no_table_are_refused(
    shared: Service, content: object, status: int
) -> None:
    answer = shared.client.post("/v2/models/my model/infer", json=content)

    assert answer.status_code == status, answer.text
    assert isinstance(answer.json()["error"], str)
