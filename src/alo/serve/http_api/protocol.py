"""Connections with limits: size and time of a head, pauses in a body, how many there are.

uvicorn has no limits of its own for these. A client that is slow or silent costs a connection, and
the connection that has waited longest without a whole head gives way to a new one.
"""

from __future__ import annotations

import asyncio
import errno
import json
import socket
import time
from collections import OrderedDict
from collections.abc import Callable
from types import FrameType
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import Server

from alo.events.log_lines import warning
from alo.events.types import Listener
from alo.processes.signals import ending_signals
from alo.serve.http_api.limits import Limits

OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
SAY_EVERY_S = 60.0
LOOK_S = 0.02
MOST_JOINED = 1 << 16  # bytes of a body that are copied to be sent with their head

Count = Callable[[int, str], object]  # a refusal: its status, and the limit that was reached


def make_protocol(limits: Limits, count: Count) -> type[asyncio.Protocol]:
    """The class that uvicorn makes one of for each connection.

    Args:
        count: called with each refusal.
    """
    waiting: OrderedDict[LimitedProtocol, None] = OrderedDict()

    class Protocol(LimitedProtocol):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.limits, self.count, self.waiting = limits, count, waiting

    return Protocol


class CarefulServer(Server):
    """A server that says once that descriptors have run out, and accepts again when there are some.

    Args:
        most_waiting: connections that may wait to be accepted.
        end_soon: has requests that wait refused, once a signal has come.
        is_drained: whether the requests in hand are answered since then.
    """

    def __init__(
        self,
        config: Config,
        most_waiting: int,
        count: Count,
        end_soon: Callable[[], object],
        is_drained: Callable[[], bool],
        listener: Listener,
    ) -> None:
        super().__init__(config)
        self._end_soon, self._is_drained = end_soon, is_drained
        self._most_waiting, self._count, self._listener = most_waiting, count, listener
        self._said_at = float("-inf")
        self._ending = ending_signals()  # once it runs, uvicorn takes more

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Called by uvicorn: begin to listen, with room for as many connections as are to wait."""
        asyncio.get_running_loop().set_exception_handler(self._on_error)
        await super().startup(sockets)
        for each in sockets or ():
            each.listen(self._most_waiting)  # asyncio has made it as many as it accepts at once

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End, where the signal is not one that was to be ignored."""
        if sig in self._ending:
            super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End once the requests in hand are answered; those who still send are cut off then."""
        await asyncio.to_thread(self._end_soon)
        while not (self._is_drained() or self.force_exit):
            await asyncio.sleep(LOOK_S)
        await super().shutdown(sockets)

    def _on_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not (isinstance(error, OSError) and error.errno in OUT_OF_DESCRIPTORS):
            loop.default_exception_handler(context)
            return
        self._count(503, "descriptors")
        if time.monotonic() > self._said_at + SAY_EVERY_S:
            self._said_at = time.monotonic()
            what = "no connection can be accepted for now"
            self._listener(warning(f"{what}: {error.strerror}; ulimit -n allows more"))


class LimitedProtocol(HttpToolsProtocol):
    """One connection.

    ``waiting`` has all those that have no whole request in hand, the one that waits longest first.
    """

    limits: Limits
    count: Count
    waiting: OrderedDict[LimitedProtocol, None]

    _unheard_bytes = 0  # of a head, or between the parts of a body, or after them
    _trailer_bytes = 0
    _is_in_head = _is_upgrade = False
    _timer: asyncio.TimerHandle | None = None
    # What is to be timed, unless it comes with the bytes that are being read: most requests do.
    _timed: tuple[float, Callable[[], None]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected: refused where there are too many, else timed."""
        super().connection_made(transport)  # type: ignore[arg-type]
        if len(self.connections) > self.limits.connections and not self._make_room():
            self._refuse(503, "connections", "as many connections are open as may be")
            return
        self.waiting[self] = None
        self._start_timer(self.limits.head_s, self._head_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended, and its timer with it."""
        self.waiting.pop(self, None)
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes have come; a head that grows beyond its limit is refused before it is whole."""
        if self.transport.is_closing():
            return
        self._unheard_bytes += len(data)
        self._feed(data)
        if self._timed is not None:
            self._start_timer(*self._timed)
        if self._unheard_bytes > self.limits.head_bytes:
            self._refuse_head()

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse(400, "", "this is no request of HTTP/1.1")
        except httptools.HttpParserUpgrade as upgrade:
            # The parser has left out the body. Answered as what the client speaks (RFC 9110, 7.8).
            self._is_upgrade, head = False, self._head_without_upgrade()
            self.parser = httptools.HttpRequestParser(self)
            self._feed(head)
            self._feed(data[upgrade.args[0] :])

    def _head_without_upgrade(self) -> bytes:
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        lines += [b"%s: %s" % field for field in self.headers if field[0] != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    def on_message_begin(self) -> None:
        """A request begins; its head has to be here in time."""
        self._unset_keepalive_if_required()
        super().on_message_begin()
        self._is_in_head, self._trailer_bytes = True, 0
        self.waiting[self] = None
        if self._timer is None:  # one more request on the same connection
            self._timed = self.limits.head_s, self._head_is_late

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header of the head, or one that follows the body: those are only counted."""
        if self._is_in_head:
            super().on_header(name, value)
            return
        self._trailer_bytes += len(name) + len(value) + 4  # after the body; nobody wants it
        if self._trailer_bytes > self.limits.head_bytes:
            self._refuse_head()

    def on_headers_complete(self) -> None:
        """The head is here: refused if it is too large, else the body is waited for."""
        self._is_in_head, self._unheard_bytes = False, 0
        if self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT":
            self._is_upgrade = True
            return
        self.waiting.pop(self, None)
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.limits.head_bytes or len(self.headers) > self.limits.headers:
            self._refuse_head()
            return
        self._timed = self.limits.idle_body_s, self._body_is_late
        super().on_headers_complete()
        if not self.expect_100_continue:  # else that is written first
            self.cycle.transport = _HeadWithBody(self.transport, self.loop)

    def on_chunk_header(self) -> None:
        """A chunk of the body begins: its bytes are not the head's."""
        self._unheard_bytes = 0

    def on_body(self, body: bytes) -> None:
        """A piece of the body has come; the next has to come in time."""
        self._unheard_bytes = 0
        if self.transport.is_closing():
            return
        self._timed = self.limits.idle_body_s, self._body_is_late
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The whole request is here, and nothing is timed any more."""
        self._unheard_bytes = 0
        if self._is_upgrade:
            return
        self._stop_timer()
        if not self.transport.is_closing():
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is sent; the connection is idle unless more requests have come."""
        super().on_response_complete()
        if not self.pipeline and not self.transport.is_closing():
            self.waiting[self] = None  # kept alive, and may give way

    def _make_room(self) -> bool:
        """Close the connection that has waited longest for a request; whether there was one."""
        while self.waiting:
            oldest, _ = self.waiting.popitem(last=False)
            if not oldest.transport.is_closing():
                self.count(503, "connections")
                oldest.transport.abort()
                return True
        return False

    def _head_is_late(self) -> None:
        self._timer = None
        if self._is_in_head:
            self._refuse(408, "head-timeout", "the head of the request has not come in time")
        elif self in self.waiting:
            self.count(408, "head-timeout")
            self.transport.close()

    def _body_is_late(self) -> None:
        self._timer = None
        if self.flow.read_paused:  # it is we who do not read
            self._start_timer(self.limits.idle_body_s, self._body_is_late)
        elif self.cycle is not None and not self.cycle.response_started:
            self._refuse(408, "body-timeout", "the body of the request has stopped coming")
        else:
            self.transport.close()

    def _refuse_head(self) -> None:
        if len(self.headers) > self.limits.headers:
            what = f"the request has more than {self.limits.headers} header fields"
            self._refuse(431, "headers", what)
        else:
            what = f"the head of the request is larger than {self.limits.head_bytes} bytes"
            self._refuse(431, "head", what)

    def _refuse(self, status: int, limit: str, what: str) -> None:
        """Answer and close, whatever else is on its way."""
        if self.transport.is_closing():
            return
        self.count(status, limit)
        self.waiting.pop(self, None)
        is_answering = self.cycle is not None and self.cycle.response_started
        if not is_answering or self.cycle.response_complete:
            self.transport.write(_answer(status, what))
        self.transport.close()

    def _start_timer(self, seconds: float, call: Callable[[], None]) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, call)

    def _stop_timer(self) -> None:
        self._timed = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _HeadWithBody(asyncio.Transport):
    """What one answer is written to: its head is sent with its body, if that comes at once.

    Each send is a call of the system, and wakes the client.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._head: bytes | None = None  # None: not written yet; empty: sent

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take the head, or a piece of the body."""
        if self._head is None:
            self._head = bytes(data)
            self._loop.call_soon(self._send_head)  # there may be no body, or a late one
            return
        if self._head and len(data) <= MOST_JOINED:
            self._head, data = b"", self._head + data
        self._send_head()
        self._transport.write(data)

    def close(self) -> None:
        """Close the connection once all is sent."""
        self._send_head()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether the connection is closed, or about to be."""
        return self._transport.is_closing()

    def _send_head(self) -> None:
        if self._head:
            self._transport.write(self._head)
            self._head = b""


def _answer(status: int, what: str) -> bytes:
    body = json.dumps({"error": what}).encode()
    head = (
        b"content-type: application/json\r\nconnection: close\r\n"
        b"content-length: %d\r\n\r\n" % len(body)
    )
    line: bytes = STATUS_LINE[status]
    return line + head + body
