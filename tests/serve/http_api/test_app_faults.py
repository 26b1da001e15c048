"""Whatever dies, fills up, hangs up or comes all at once: every request is answered."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from ...support.waiting import PATIENCE_S, wait_until
from .test_app import ROWS, STEPS, Held, Serve, Service

MakeSolution = Callable[..., Path]


def test_accepted_requests_outlive_a_service_that_is_killed(serve: Serve, tmp_path: Path) -> None:
    service, held = serve(), Held(tmp_path)
    ids = [service.infer(held.rows, "?async=1").json()["id"] for _ in range(4)]
    held.wait_until_in_hand()
    service.end(signal.SIGKILL)
    held.let_go()

    service = serve()

    service.wait_for_success(*ids)


def test_what_an_asset_does_has_its_status_and_the_next_request_works(serve: Serve) -> None:
    service = serve("--request-timeout", "2")

    raised, exited = service.do("raise"), service.do("exit")
    died, hung = service.do("segfault"), service.do("hang")

    assert [answer.status_code for answer in (raised, exited, died, hung)] == [500, 500, 500, 504]
    error = raised.json()["error"]
    assert error["code"] == "E152"
    assert error["traceback"].startswith("Traceback (most recent call last):")
    assert "ValueError: as was asked" in error["message"]
    assert "SIGSEGV" in died.json()["error"]["message"]
    assert "timeout of 2 s" in hung.json()["error"]["message"]
    assert service.infer().status_code == 200


def test_a_full_queue_says_when_to_come_back(serve: Serve, tmp_path: Path) -> None:
    service, held = serve("--max-queue", "2"), Held(tmp_path)

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(service.infer, held.rows) for _ in range(8)]
        wait_until(lambda: sum(each.done() for each in asked) >= 5)
        held.let_go()

    answers = [each.result() for each in asked]
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {200, 429}
    assert statuses.count(200) >= 2
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["retry-after"] == "1"


def test_many_connections_at_once_are_all_answered(shared: Service) -> None:
    host, _, port = shared.url.removeprefix("http://").partition(":")
    connections = [
        socket.create_connection((host, int(port)), timeout=PATIENCE_S) for _ in range(500)
    ]
    for connection in connections:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answers = [connection.recv(100) for connection in connections]
    for connection in connections:
        connection.close()

    assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)


def test_clients_that_are_slow_hang_up_or_talk_nonsense_harm_no_one(shared: Service) -> None:
    host, _, port = shared.url.removeprefix("http://").partition(":")
    head = b"POST /v1/inference HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
    beginnings = [
        head + b"Content-Length: 100\r\n\r\na\n1",
        head + b"Transfer-Encoding: chunked\r\n\r\n5\r\na\n1\n2\r\n",
        head,
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ]
    connections = []
    for beginning in beginnings:
        connection = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
        connection.sendall(beginning)
        connections.append(connection)
    assert shared.infer().status_code == 200
    for number, connection in enumerate(connections):
        if number % 2:
            connection.shutdown(socket.SHUT_WR)
        connection.close()

    assert shared.infer().status_code == 200


def test_on_a_full_disk_requests_are_refused_until_there_is_room(
    make_solution: MakeSolution, small_disk: Callable[..., Path], serve: Serve
) -> None:
    disk = small_disk(24, lazily=True)
    control = {"backup_artifacts": False}
    service = serve(project=make_solution(inference=STEPS, control=control, home=disk / "project"))
    before = service.infer()
    filler = disk / "filler"
    with suppress(OSError), open(filler, "wb", buffering=0) as file:
        while file.write(bytes(4096)):
            continue
    refused = [service.infer(), service.infer(query="?async=1")]
    refused.append(service.infer(files=[("files", ("x", bytes(50_000)))]))
    filler.unlink()
    after = [service.infer(), service.infer(query="?async=1")]
    metrics = service.client.get("/metrics").text
    ended = service.end()

    assert before.status_code == 200
    assert [answer.status_code for answer in refused] == [507] * 3
    assert "No space left" in refused[0].json()["error"]["message"]
    assert 'alo_refused_total{code="507",limit="disk"}' in metrics
    assert "cannot be written: No space left" in service.log.read_text()
    assert [answer.status_code for answer in after] == [200, 202]
    assert ended == 0


def test_a_worker_that_is_killed_costs_no_request(serve: Serve) -> None:
    service = serve("--workers", "2")
    stop = threading.Event()
    wrong: list[object] = []
    answered = [0] * 4

    def ask(client: int) -> None:
        while not stop.is_set():
            word = f"{client}-{answered[client]}"
            answer = service.infer({**ROWS, "args": {"output": {"word": word}}})
            if answer.status_code != 200 or answer.json()["summary"]["result"] != word:
                wrong.append(answer.text)
            answered[client] += 1

    def all_answered(further: int) -> bool:
        """Every client, since now: so what was in hand is done, and no request is hit twice."""
        goals = [count + further for count in answered]
        return wait_until(
            lambda: all(count >= goal for count, goal in zip(answered, goals, strict=True))
        )

    threads = [threading.Thread(target=ask, args=(client,)) for client in range(4)]
    for thread in threads:
        thread.start()
    done = [all_answered(3)]
    for _ in range(3):
        os.kill(service.workers()[0], signal.SIGKILL)
        done.append(all_answered(3))
    stop.set()
    for thread in threads:
        thread.join()

    assert all(done)
    assert wrong == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_lets_the_request_in_hand_finish(
    number: signal.Signals, serve: Serve, tmp_path: Path
) -> None:
    service = serve()
    answers: list[httpx.Response] = []
    args = {"inference": {"do": "slow", "mark": str(tmp_path / "begun")}}
    thread = threading.Thread(target=lambda: answers.append(service.infer({**ROWS, "args": args})))
    thread.start()
    wait_until((tmp_path / "begun").exists)

    service.process.send_signal(number)
    thread.join()

    assert answers[0].status_code == 200
    assert service.process.wait(PATIENCE_S) == 0
    assert not list((service.log.parent / "project/.alo/serve").iterdir())


def test_an_interrupt_that_is_ignored_from_the_start_ends_no_service(serve: Serve) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in the background of a shell
    try:
        service = serve()
    finally:
        signal.signal(signal.SIGINT, before)

    service.process.send_signal(signal.SIGINT)
    answers = [service.infer().status_code for _ in range(30)]  # it would end between two

    assert answers == [200] * 30
    assert service.end() == 0
