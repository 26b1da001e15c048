"""A connection at its limits, seen from both of its ends; ``test_limits`` has whole services."""

from __future__ import annotations

import asyncio
import errno
import signal
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from alo.events.log_lines import info
from alo.events.types import Event, LogLine
from alo.serve.http_api.limits import Limits
from alo.serve.http_api.protocol import CarefulServer, make_protocol

Refusals = list[tuple[int, str]]
Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]
HEAD = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n"
ASK = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"


class Connections:
    """A server in this event loop, whose application is part of a test."""

    def __init__(self, app: Any, limits: Limits) -> None:
        self.refusals: Refusals = []
        protocol = make_protocol(limits, lambda *refusal: self.refusals.append(refusal))
        self.config = uvicorn.Config(
            app, http=protocol, loop="asyncio", log_config=None, access_log=False, lifespan="off"
        )
        self.config.load()
        self._state = ServerState()

    async def connect(self) -> Client:
        port = self._server.sockets[0].getsockname()[1]
        return await asyncio.open_connection("127.0.0.1", port)

    async def writes(self) -> list[bytes]:
        """What is written to the one connection that there is, from now on, each write as it is."""
        while not self._state.connections:
            await asyncio.sleep(0)
        (connection,) = self._state.connections
        transport: Any = connection.transport
        write, written = transport.write, list[bytes]()

        def noted(data: bytes) -> None:
            written.append(data)
            write(data)

        transport.write = noted
        return written

    async def __aenter__(self) -> Connections:
        make: Any = self.config.http_protocol_class
        self._server = await asyncio.get_running_loop().create_server(
            lambda: make(config=self.config, server_state=self._state, app_state={}),
            "127.0.0.1",
            0,
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        for connection in list(self._state.connections):
            connection.transport.abort()
        while self._state.connections or self._state.tasks:
            await asyncio.sleep(0)


async def answer(send: Any, status: int = 200, body: bytes = b"") -> None:
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def whole_body(receive: Any) -> int:
    size, has_more = 0, True
    while has_more:
        message = await receive()
        size += len(message.get("body", b""))
        has_more = message.get("more_body", False)
    return size


def run(act: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(act(), 60))


def test_a_client_too_many_is_refused_where_all_others_have_a_request_in_hand() -> None:
    async def act() -> None:
        go_on = asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            begun.set()
            await go_on.wait()
            await answer(send)

        begun = asyncio.Event()
        async with Connections(app, Limits(connections=1)) as server:
            first = await server.connect()
            first[1].write(ASK)
            await begun.wait()

            second = await server.connect()
            refused = await second[0].read()
            go_on.set()
            answered = await first[0].readline()

            assert refused.startswith(b"HTTP/1.1 503 ")
            assert b"as many connections are open as may be" in refused
            assert answered.startswith(b"HTTP/1.1 200 ")
            assert server.refusals == [(503, "connections")]
            for _, writer in (first, second):
                writer.close()

    run(act)


def test_a_connection_that_is_closing_already_is_not_what_gives_way() -> None:
    async def act() -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await answer(send)

        async with Connections(app, Limits(connections=2)) as server:
            clients = [await server.connect() for _ in range(2)]
            for reader, writer in clients:
                writer.write(ASK)  # so that both are known, and kept alive
                assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
            oldest, other = server._state.connections
            if next(iter(oldest.waiting)) is not oldest:
                oldest, other = other, oldest
            third = server.config.http_protocol_class(
                config=server.config, server_state=server._state, app_state={}
            )

            oldest.transport.close()  # its end is not yet known to anyone
            third.connection_made(other.transport)

            assert other.transport.is_closing()
            assert server.refusals == [(503, "connections")]
            third.connection_lost(None)
            for _, writer in clients:
                writer.close()

    run(act)


def test_a_body_that_waits_for_the_service_has_not_stopped_coming() -> None:
    async def act() -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await asyncio.sleep(0.3)  # six times as long as a client may pause
            await answer(send, body=b"%d" % await whole_body(receive))

        async with Connections(app, Limits(idle_body_s=0.05)) as server:
            reader, writer = await server.connect()
            size = 10_000_000
            writer.write(HEAD % size + bytes(size))

            answered = await reader.readuntil(b"\r\n\r\n10000000")

            assert answered.startswith(b"HTTP/1.1 200 ")
            assert server.refusals == []
            writer.close()

    run(act)


def test_a_head_and_its_body_are_sent_together() -> None:
    async def act() -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await answer(send, body=b"whole")

        async with Connections(app, Limits()) as server:
            reader, writer = await server.connect()
            sent = await server.writes()
            writer.write(ASK)

            answered = await reader.readuntil(b"whole")

            assert sent == [answered]
            writer.close()

    run(act)


def test_a_head_does_not_wait_for_a_body_that_comes_later() -> None:
    async def act() -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            headers = [(b"content-length", b"5")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await has_head.wait()
            await send({"type": "http.response.body", "body": b"later"})

        has_head = asyncio.Event()
        async with Connections(app, Limits()) as server:
            reader, writer = await server.connect()
            writer.write(ASK)

            await reader.readuntil(b"\r\n\r\n")
            has_head.set()

            assert await reader.readexactly(5) == b"later"
            writer.close()

    run(act)


def test_an_answer_without_a_body_is_its_head() -> None:
    async def act() -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await answer(send)

        async with Connections(app, Limits()) as server:
            reader, writer = await server.connect()
            writer.write(ASK.replace(b"GET", b"HEAD"))

            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            writer.close()

    run(act)


def test_a_request_that_comes_whole_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def act() -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await whole_body(receive)
            await answer(send, body=b"whole")

        async with Connections(app, Limits(head_s=7.0, idle_body_s=8.0)) as server:
            reader, writer = await server.connect()
            writer.write(HEAD % 5 + b"12345")
            await reader.readuntil(b"whole")
            loop = asyncio.get_running_loop()
            call_later, timed = loop.call_later, list[float]()

            def noted(seconds: float, *call: Any) -> asyncio.TimerHandle:
                timed.append(seconds)
                return call_later(seconds, *call)

            monkeypatch.setattr(loop, "call_later", noted)
            writer.write(HEAD % 5 + b"12345")
            await reader.readuntil(b"whole")

            assert not {7.0, 8.0} & set(timed)
            writer.close()

    run(act)


def test_a_body_that_stops_after_the_answer_has_begun_gets_no_second_one() -> None:
    async def act() -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            headers = [(b"content-length", b"100")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"begun", "more_body": True})
            await whole_body(receive)

        async with Connections(app, Limits(idle_body_s=0.05)) as server:
            reader, writer = await server.connect()
            writer.write(HEAD % 10 + b"12345")

            answered = await reader.read()

            assert answered.count(b"HTTP/1.1") == 1
            assert answered.endswith(b"begun")
            assert server.refusals == []
            writer.close()

    run(act)


def test_a_head_too_large_behind_a_request_in_hand_spoils_no_answer_that_has_begun() -> None:
    async def act() -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            headers = [(b"content-length", b"100")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"begun", "more_body": True})
            begun.set()
            while (await receive())["type"] != "http.disconnect":
                pass

        begun = asyncio.Event()
        async with Connections(app, Limits(head_bytes=1000)) as server:
            reader, writer = await server.connect()
            writer.write(ASK)
            await begun.wait()
            writer.write(ASK.replace(b"host: a", b"host: a\r\nlong: " + b"x" * 2000))

            answered = await reader.read()

            assert answered.endswith(b"begun")
            assert server.refusals == [(431, "head")]
            writer.close()

    run(act)


def test_the_body_of_a_request_whose_head_is_refused_reaches_no_application() -> None:
    async def act() -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            reached.append(await whole_body(receive))

        reached: list[int] = []
        async with Connections(app, Limits(headers=1)) as server:
            reader, writer = await server.connect()
            writer.write(HEAD % 5 + b"12345")

            answered = await reader.read()

            assert answered.startswith(b"HTTP/1.1 431 ")
            assert (reached, server.refusals) == ([], [(431, "headers")])
            writer.close()

    run(act)


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def server(events: list[Event]) -> CarefulServer:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send)

    return CarefulServer(
        uvicorn.Config(app, log_config=None),
        10,
        lambda *refusal: events.append(info(f"{refusal}")),
        lambda: None,
        lambda: True,
        events.append,
    )


def texts(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, LogLine)]


def test_descriptors_that_run_out_are_counted_each_time_and_said_once_a_minute(
    server: CarefulServer, events: list[Event]
) -> None:
    loop = asyncio.new_event_loop()
    error = OSError(errno.EMFILE, "Too many open files")

    for _ in range(3):
        server._on_error(loop, {"exception": error})
    loop.close()

    said = texts(events)
    assert said.count("(503, 'descriptors')") == 3
    assert [text for text in said if "ulimit" in text] == [
        "no connection can be accepted for now: Too many open files; ulimit -n allows more"
    ]


@pytest.mark.parametrize("error", [OSError(errno.EPIPE, "gone"), ValueError("a fault")])
def test_other_errors_of_the_event_loop_are_its_own_to_report(
    server: CarefulServer, events: list[Event], error: Exception
) -> None:
    loop = asyncio.new_event_loop()
    reported: list[object] = []
    loop.default_exception_handler = reported.append  # type: ignore[method-assign]

    server._on_error(loop, {"exception": error})
    loop.close()

    assert reported == [{"exception": error}]
    assert events == []


@pytest.fixture
def ignored() -> Iterator[int]:
    """A signal that whoever started this process had it ignore."""
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield signal.SIGHUP
    signal.signal(signal.SIGHUP, previous)


def test_a_signal_that_was_to_be_ignored_ends_no_server(
    ignored: int, server: CarefulServer
) -> None:
    server.handle_exit(ignored, None)
    assert not server.should_exit

    server.handle_exit(signal.SIGTERM, None)
    assert server.should_exit
