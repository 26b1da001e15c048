"""A small HTTP server that answers byte by byte as a test says, as servers in the wild do."""

from __future__ import annotations

import re
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

RESET = "reset"  # among the pieces of an answer: break the connection off
Piece = bytes | float | str  # bytes to send, seconds to wait, or RESET
DATE = "Wed, 01 Jan 2025 00:00:00 GMT"


class Asked(NamedTuple):
    """One request."""

    method: str
    path: str
    headers: Mapping[str, str]  # names in small letters

    @property
    def part(self) -> tuple[int, int] | None:
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("range", ""))
        return (int(found[1]), int(found[2])) if found else None


Answer = Callable[[Asked], "list[Piece]"]


def head(status: str, **headers: object) -> bytes:
    """``head("200 OK", Content_Length=3)``; None leaves one out."""
    lines = [f"HTTP/1.1 {status}"]
    lines += [f"{name.replace('_', '-')}: {text}" for name, text in headers.items() if text != None]  # noqa: E711
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")


def whole(body: bytes, status: str = "200 OK", **headers: object) -> list[Piece]:
    return [head(status, Content_Length=len(body), **headers), body]


def chunked(body: bytes, size: int = 1000) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def file_of(body: bytes, **headers: object) -> Answer:
    """A server that knows parts."""

    def answer(asked: Asked) -> list[Piece]:
        if asked.part is None:
            return whole(body, **headers)
        start, end = asked.part[0], min(asked.part[1], len(body) - 1)
        if not body:
            return whole(b"", "416 Range Not Satisfiable", Content_Range="bytes */0", **headers)
        reported = f"bytes {start}-{end}/{len(body)}"
        return whole(
            body[start : end + 1], "206 Partial Content", Content_Range=reported, **headers
        )

    return answer


class WildServer(socketserver.ThreadingTCPServer):
    """Answers GET as ``answer`` says, and no other method; remembers what was asked."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, answer: Answer, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer, self.context = answer, context
        self.other_methods = "405 Method Not Allowed"
        self.asked: list[Asked] = []

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no news here."""


class _Handler(socketserver.BaseRequestHandler):
    server: WildServer

    def handle(self) -> None:
        connection: socket.socket = self.request
        connection.settimeout(30)
        if self.server.context:
            connection = self.server.context.wrap_socket(connection, server_side=True)
        raw = b""
        while b"\r\n\r\n" not in raw:
            piece = connection.recv(65536)
            if not piece:
                return
            raw += piece
        first, *lines = raw.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {line.partition(":")[0].lower(): line.partition(":")[2].strip() for line in lines}
        asked = Asked(method, path, headers)
        self.server.asked.append(asked)
        is_get = method == "GET"
        for piece in self.server.answer(asked) if is_get else whole(b"", self.server.other_methods):
            if isinstance(piece, bytes):
                connection.sendall(piece)
            elif piece == RESET:
                linger = b"\1\0\0\0\0\0\0\0"
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                break
            else:
                time.sleep(float(piece))
        connection.close()


@contextmanager
def wild_server(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[WildServer]:
    server = WildServer(answer, context)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
