"""Messages between the engine and the process of a step: pickles, each behind its length."""

from __future__ import annotations

import pickle
import socket
from collections.abc import Iterator
from struct import Struct

LENGTH = Struct("!Q")


def packed(message: object) -> bytes:
    """A message as it goes over the wire."""
    content = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(content)) + content


class Inbox:
    """Puts messages together from the pieces in which they come."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def take(self, piece: bytes) -> Iterator[object]:
        """The messages that are whole with this piece."""
        self._rest += piece
        while len(self._rest) >= LENGTH.size:
            end = LENGTH.size + LENGTH.unpack_from(self._rest)[0]
            if len(self._rest) < end:
                return
            with memoryview(self._rest)[LENGTH.size : end] as content:  # which may be large
                message = pickle.loads(content)  # noqa: S301 - from our own process, our own socket
            del self._rest[:end]
            yield message


def receive(connection: socket.socket) -> object:
    """The one message that comes first.

    Raises:
        EOFError: the other side is gone.
    """
    for message in received(connection):
        return message
    raise EOFError("the engine is gone")


def received(connection: socket.socket, piece_bytes: int = 1 << 16) -> Iterator[object]:
    """The messages as they come, until the other side hangs up.

    Args:
        piece_bytes: that are taken from the system at once, at most.
    """
    inbox = Inbox()
    while piece := connection.recv(piece_bytes):
        yield from inbox.take(piece)
