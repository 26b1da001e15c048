"""What a service answers, however odd, is passed on as the studio says things."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.support.waiting import PATIENCE_S, wait_until

from alo.serve.address import ServiceAddress
from alo.ui.problems import UiError
from alo.ui.try_out.client import Sent, ServiceClient, Upload

NAME = "serve-0123456789ab"
Answers = dict[str, tuple[int, bytes]]
MakeClient = Callable[[Answers], ServiceClient]


class Server(ThreadingHTTPServer):
    """Gives prepared answers, and remembers what it was asked."""

    answers: Answers
    gate: threading.Event
    asked: list[tuple[str, dict[str, str], bytes]]

    def handle_error(self, request: object, client_address: object) -> None:
        """Nobody reads that a client has gone."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length", 0))
        headers = {key.lower(): value for key, value in self.headers.items()}
        self.server.asked.append((self.path, headers, self.rfile.read(length)))
        assert self.server.gate.wait(PATIENCE_S)
        status, body = self.server.answers[self.path.partition("?")[0]]
        if status:  # else it hangs up
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.answers, server.asked, server.gate = {}, [], threading.Event()
    server.gate.set()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def client_of(server: Server, token: str = "") -> ServiceClient:
    url = f"http://127.0.0.1:{server.server_port}"
    return ServiceClient(ServiceAddress(NAME, url, "h", 1, bool(token)), token)


def refused(server: Server, status: int, body: bytes = b"") -> UiError:
    server.answers["/v1/inference"] = status, body
    with pytest.raises(UiError) as caught:
        client_of(server).infer(Sent(rows=[{"a": 1}]))
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "is_there"),
    [
        (200, json.dumps({"service": NAME}).encode(), True),
        (200, b'{"service": "serve-of-another"}', False),
        (200, b"[]", False),
        (200, b"no JSON", False),
        (0, b"", False),
    ],
)
def test_only_the_service_that_is_meant_is_there(
    server: Server, status: int, body: bytes, is_there: bool
) -> None:
    server.answers["/healthz"] = status, body

    assert client_of(server).is_there is is_there


def test_rows_a_table_and_files_are_sent_as_a_service_takes_them(server: Server) -> None:
    server.answers["/v1/inference"] = 200, b'{"status": "success"}'
    client, args = client_of(server, "ключ"), {"s": {"k": 1}}

    client.infer(Sent(rows=[{"a": 1}], args=args))
    client.infer(Sent(csv="a\n1\n", args=args))
    client.infer(Sent(files=[Upload('q".bin', b"\0\r\n")], args=args))

    rows, table, form = server.asked
    assert json.loads(rows[2]) == {"rows": [{"a": 1}], "args": args}
    assert rows[1]["authorization"].encode("latin-1") == "Bearer ключ".encode()
    assert (table[2], table[1]["content-type"]) == (b"a\n1\n", "text/csv; charset=utf-8")
    assert table[0].startswith("/v1/inference?args=%7B")
    assert b'filename="q%22.bin"' in form[2]
    assert b"\r\n\r\n\0\r\n\r\n--" in form[2]
    assert form[1]["content-type"].startswith("multipart/form-data; boundary=")


@pytest.mark.parametrize("status", [400, 413, 415, 422, 429, 503, 504, 507])
def test_a_refusal_keeps_its_status_and_words(server: Server, status: int) -> None:
    problem = refused(server, status, b'{"error": {"message": "as was said"}}')

    assert (problem.status, problem.what) == (status, "as was said")


def test_a_token_that_is_wrong_is_said_at_its_field(server: Server) -> None:
    problem = refused(server, 401, b'{"error": {"message": "the token is missing"}}')

    assert problem.status == 422
    assert problem.fields[0].field == "token"


@pytest.mark.parametrize("status", [200, 418])
@pytest.mark.parametrize("body", [b"", b"[]", b'{"error": "x"}', b"\xff"])
def test_an_answer_that_is_none_is_the_fault_of_the_service(
    server: Server, status: int, body: bytes
) -> None:
    assert refused(server, status, body).status == 503


def test_a_service_that_hangs_up_is_away(server: Server) -> None:
    problem = refused(server, 0)

    assert problem.status == 503
    assert problem.fix


def test_who_waits_for_an_answer_goes_when_it_is_hung_up(server: Server) -> None:
    server.gate.clear()
    server.answers["/v1/inference"] = 200, b"{}"
    client, problems = client_of(server), list[UiError]()

    def ask() -> None:
        try:
            client.infer(Sent(csv="a\n1\n"))
        except UiError as problem:
            problems.append(problem)

    thread = threading.Thread(target=ask)
    thread.start()
    wait_until(lambda: server.asked)
    client.hang_up()
    thread.join(PATIENCE_S)
    server.gate.set()

    assert [each.status for each in problems] == [503]


def test_what_failed_is_an_answer(server: Server) -> None:
    server.answers["/v1/inference"] = 500, b'{"status": "fail"}'

    assert client_of(server).infer(Sent(csv="a\n1\n")).content == {"status": "fail"}


def test_an_output_comes_in_pieces_or_is_not_there(server: Server) -> None:
    server.answers["/v1/requests/1/outputs/a%2F.csv"] = 200, b"x" * 100_000
    server.answers["/v1/requests/1/outputs/b"] = 404, b"{}"
    client = client_of(server)

    assert b"".join(client.output("1", "a/.csv")) == b"x" * 100_000
    with pytest.raises(UiError, match="no such output"):
        client.output("1", "b")
