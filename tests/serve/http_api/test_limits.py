"""What comes in has limits before it costs anything; whoever reaches one is told, and counted."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from alo.serve.http_api.limits import RESERVED_DESCRIPTORS, most_connections

from ...support.waiting import PATIENCE_S, end_all, wait_for_text
from .test_app import ROWS, SECRET, STEPS, Service

Serve = Callable[..., Service]
SEE_VARIABLE = """
import os
Path(self.asset.get_output_path(), "out.csv").write_text("a\\n1\\n")
self.asset.save_summary(os.environ.get("ALO_TOKEN", "nothing"), 0.5)
"""


@pytest.fixture
def serve(make_solution: Callable[..., Path]) -> Iterator[Serve]:
    home = make_solution(inference=STEPS, control={"backup_artifacts": False})
    running: list[Service] = []

    def start(*words: str, **options: str) -> Service:
        running.append(Service(home, *words, **options))
        return running[-1]

    yield start
    for one in running:
        one.client.close()
    end_all(*(one.process for one in running))


def connect(service: Service) -> socket.socket:
    url = httpx.URL(service.url)
    return socket.create_connection((url.host, url.port), timeout=PATIENCE_S)


def sent(service: Service, content: bytes) -> bytes:
    """All that comes back until the service closes the connection."""
    with connect(service) as connection:
        connection.sendall(content)
        return everything(connection)


def everything(connection: socket.socket) -> bytes:
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def refusals(service: Service) -> dict[tuple[str, str], float]:
    """By status and limit, as the metrics have them."""
    found = {}
    for line in service.client.get("/metrics").text.splitlines():
        if line.startswith("alo_refused_total{"):
            labels, _, number = line.rpartition(" ")
            code, limit = (part.split('"')[1] for part in labels.split(","))
            found[code, limit] = float(number)
    return found


def test_a_head_that_is_too_large_is_refused_and_counted(serve: Serve) -> None:
    service = serve("--max-head", "2", "--max-headers", "10")

    whole = sent(service, b"GET /healthz HTTP/1.1\r\nx: %s\r\n\r\n" % (b"a" * 3000))
    endless = sent(service, b"GET /%s" % (b"a" * 3000))
    many = sent(service, b"GET /healthz HTTP/1.1\r\n%s\r\n" % (b"x: y\r\n" * 11))

    assert all(answer.startswith(b"HTTP/1.1 431 ") for answer in (whole, endless, many))
    assert b"larger than 2000 bytes" in whole
    assert b"more than 10 header fields" in many
    assert refusals(service) == {("431", "head"): 2, ("431", "headers"): 1}
    assert service.infer().status_code == 200


def test_a_second_request_on_a_connection_has_the_same_limits(serve: Serve) -> None:
    service = serve("--max-head", "2")
    good = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"

    with connect(service) as connection:
        connection.sendall(good)
        read = b""
        while not read.endswith(b"}"):
            read += connection.recv(65536)
        assert read.startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"GET /healthz HTTP/1.1\r\nx: %s\r\n\r\n" % (b"a" * 3000))
        assert everything(connection).startswith(b"HTTP/1.1 431 ")


def test_a_head_and_a_body_that_stop_coming_are_refused(serve: Serve) -> None:
    service = serve("--head-timeout", "2", "--body-timeout", "2")
    head = b"POST /v1/inference HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/csv\r\n"

    contents = [head, head + b"content-length: 1000\r\n\r\na\n1", b""]
    with ThreadPoolExecutor(3) as clients:
        in_head, in_body, silent = clients.map(sent, [service] * 3, contents)

    assert in_head.startswith(b"HTTP/1.1 408 ")
    assert in_body.startswith(b"HTTP/1.1 408 ")
    assert silent == b""
    assert refusals(service) == {("408", "head-timeout"): 2, ("408", "body-timeout"): 1}


def test_a_slow_answer_is_not_a_body_that_stops_coming(serve: Serve) -> None:
    service = serve("--body-timeout", "0.1")
    body = json.dumps({**ROWS, "args": {"inference": {"do": "slow"}}}).encode()
    head = b"POST /v1/inference HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
    head += b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)

    assert sent(service, head + body).startswith(b"HTTP/1.1 200 ")  # all of the body at once


def test_half_open_connections_give_way_to_a_client_that_asks(serve: Serve) -> None:
    service = serve("--max-connections", "20")
    silent = [connect(service) for _ in range(60)]

    assert service.infer().status_code == 200

    assert refusals(service)[("503", "connections")] >= 40
    for connection in silent:
        connection.close()


def test_with_few_descriptors_another_client_is_served(
    make_solution: Callable[..., Path],
) -> None:
    home = make_solution(inference=STEPS, control={"backup_artifacts": False})
    log = home.parent / "log"
    program = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256));"
        "sys.argv = ['alo', 'serve', '--port', '0']; runpy.run_module('alo.cli.main', "
        "run_name='__main__')"
    )
    with open(log, "w") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", program], cwd=home, stdout=file, stderr=file
        )
    try:
        url = httpx.URL(wait_for_text(r"serving at (\S+),", log, process)[1])
        silent = [socket.create_connection((url.host, url.port)) for _ in range(400)]

        answer = httpx.post(f"{url}/v1/inference", json=ROWS, timeout=PATIENCE_S)

        assert answer.status_code == 200
        assert os.path.getsize(log) < 100_000
        for connection in silent:
            connection.close()
    finally:
        end_all(process)


def test_connections_never_need_more_descriptors_than_there_are() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(300, soft), hard))

        assert most_connections(1000) + RESERVED_DESCRIPTORS <= max(
            hard, resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        )
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= min(hard, 1128)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_without_a_token_no_web_page_may_ask(serve: Serve) -> None:
    service = serve("--allowed-host", "box.example")

    foreign = service.infer(ROWS, json=ROWS, headers={"Origin": "http://evil.example"})
    rebound = service.client.get("/readyz", headers={"Host": "evil.example"})
    named = service.infer(ROWS, json=ROWS, headers={"Host": "box.example"})

    assert foreign.status_code == 403
    assert rebound.status_code == 421
    assert named.status_code == 200


def test_a_token_opens_no_door_to_a_web_page(serve: Serve) -> None:
    service = serve("--allowed-host", "box.example", token=SECRET)
    own = {"Host": "box.example", "Origin": "https://box.example"}

    rebound = service.infer(ROWS, json=ROWS, headers={"Host": "evil.example"})
    probed = service.client.get("/healthz", headers={"Host": "evil.example"})
    foreign = [
        service.infer(ROWS, json=ROWS, headers=headers)
        for headers in ({"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"})
    ]

    assert rebound.status_code == probed.status_code == 421
    assert "--allowed-host evil.example" in rebound.json()["error"]["message"]
    assert [each.status_code for each in foreign] == [403, 403]
    assert service.infer(ROWS, json=ROWS, headers=own).status_code == 200
    assert service.infer(ROWS, json=ROWS).status_code == 200
    assert refusals(service) == {("421", "host"): 2, ("403", "origin"): 2}


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\nHost: 10.1.2.3:8000\r\n\r\n",  # a kubelet: the pod's address
        b"GET /readyz HTTP/1.1\r\nHost: [fd00::7]:8000\r\n\r\n",
        b"GET /v2/health/ready HTTP/1.0\r\n\r\n",  # a balancer that is older than the header
    ],
)
def test_probes_ask_by_the_address_of_a_service_that_listens_on_all(
    serve: Serve, head: bytes
) -> None:
    service = serve("--host", "0.0.0.0", token=SECRET)  # noqa: S104 - what is tested

    assert sent(service, head).startswith(b"HTTP/1.1 200 ")
    assert service.client.get("/healthz", headers={"Host": "pod"}).status_code == 421


def test_with_a_token_the_description_wants_it(serve: Serve) -> None:
    service = serve(token=SECRET)
    bare = {"Authorization": ""}

    for path in ("/docs", "/openapi.json", "/metrics"):
        assert service.client.get(path, headers=bare).status_code == 401, path
        assert service.client.get(path).status_code == 200, path
    assert service.client.get("/readyz", headers=bare).status_code == 200

    public = serve("--public-docs", token=SECRET)
    assert public.client.get("/openapi.json", headers=bare).status_code == 200
    assert public.client.get("/metrics", headers=bare).status_code == 401


def test_an_asset_does_not_see_the_token(make_solution: Callable[..., Path]) -> None:
    home = make_solution(inference={"inference": SEE_VARIABLE})
    service = Service(home, token=SECRET)
    try:
        assert service.infer().json()["summary"]["result"] == "nothing"
    finally:
        service.close()


POST = b"POST /v1/inference HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/csv\r\n"
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n4\r\na\n1\n\r\n"


def test_what_follows_a_body_has_the_limits_of_a_head(serve: Serve) -> None:
    service = serve("--max-head", "2")
    few = CHUNKED + b"0\r\nx: y\r\nhost: elsewhere\r\n\r\n"

    with connect(service) as connection:
        connection.sendall(few)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    endless = sent(service, CHUNKED + b"0\r\nx: " + b"y" * 500_000)
    many = sent(service, CHUNKED + b"0\r\n" + b"x: y\r\n" * 50_000)
    extension = sent(service, CHUNKED + b"4;" + b"x" * 500_000)

    assert all(each.startswith(b"HTTP/1.1 431 ") for each in (endless, many, extension))
    assert refusals(service) == {("431", "head"): 3}


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket", b"TLS/1.0"])
def test_a_wish_for_another_protocol_costs_no_body(serve: Serve, protocol: bytes) -> None:
    wish = b"connection: close, Upgrade, HTTP2-Settings\r\nupgrade: %s\r\n" % protocol
    body = b'{"rows": [{"a": 1}]}'
    head = POST.replace(b"text/csv", b"application/json") + wish
    service = serve()

    whole = sent(service, head + b"content-length: %d\r\n\r\n%s" % (len(body), body))
    chunks = b"transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    in_chunks = sent(service, head + chunks)
    with connect(service) as connection:  # as Java's client does: one after the other
        connection.sendall(head + b"content-length: %d\r\n\r\n" % len(body))
        connection.sendall(body)
        late = everything(connection)

    assert all(each.startswith(b"HTTP/1.1 200 ") for each in (whole, in_chunks, late)), whole
    assert service.log.read_text().count("\n") == 1


def test_what_is_no_request_is_counted_and_fills_no_log(serve: Serve) -> None:
    service = serve()

    for content in (b"\x16\x03\x01\x02\x00" * 10, b"CONNECT a:80 HTTP/1.1\r\n\r\n", b"GET\r\n\r\n"):
        answer = sent(service, content)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b'{"error": ' in answer
    form = {"content-type": "multipart/form-data; boundary=X"}
    assert service.client.post("/v1/inference", content=b"--Y\r\n", headers=form).status_code == 400
    assert service.client.get("/nowhere").status_code == 404
    assert service.client.get("/v1/inference").status_code == 405

    assert refusals(service) == {("400", ""): 4, ("404", ""): 1, ("405", ""): 1}
    assert service.log.read_text().count("\n") == 1


def test_a_head_that_comes_with_the_body_before_it_is_not_larger_for_that(serve: Serve) -> None:
    service = serve("--max-head", "2")
    body = b"a\n" + b"1\n" * 5000
    first = POST + b"content-length: %d\r\n\r\n%s" % (len(body), body)

    with connect(service) as connection:
        connection.sendall(first + b"GET /heal")
        connection.sendall(b"thz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        answers = everything(connection)

    assert answers.count(b"HTTP/1.1 200 ") == 2


def test_empty_lines_keep_no_connection_open(serve: Serve) -> None:
    service = serve("--head-timeout", "0.3")

    with connect(service) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n\r\n")
        assert everything(connection).startswith(b"HTTP/1.1 200 ")  # and the connection is closed
