"""Messages between processes come out whole and in order, in whatever pieces they come."""

from __future__ import annotations

import socket

import pytest

from alo.processes.wire import Inbox, packed, receive

MESSAGES = [{"a": 1}, "x" * 100_000, None, ("b", b"\0\xff")]


@pytest.mark.parametrize("size", [1, 7, 8, 9, 1_000_000])
def test_messages_are_whole_whatever_the_pieces(size: int) -> None:
    sent = b"".join(map(packed, MESSAGES))
    inbox, found = Inbox(), list[object]()

    for at in range(0, len(sent), size):
        found += inbox.take(sent[at : at + size])

    assert found == MESSAGES


def test_half_a_message_is_none_yet() -> None:
    inbox, sent = Inbox(), packed("text")

    assert list(inbox.take(sent[:-1])) == []
    assert list(inbox.take(sent[-1:])) == ["text"]


def test_the_first_message_is_received_and_an_end_without_one_is_reported() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(packed("first") + packed("second"))
        assert receive(ours) == "first"
    ours, theirs = socket.socketpair()
    with ours:
        theirs.sendall(packed("half")[:-1])
        theirs.close()
        with pytest.raises(EOFError, match="the engine is gone"):
            receive(ours)
