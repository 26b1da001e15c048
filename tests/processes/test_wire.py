"""Messages between processes come out whole and in order, in whatever pieces they come."""

from __future__ import annotations

import socket

import pytest

from alo.processes.wire import Inbox, packed, receive, received

MESSAGES = [{"a": 1}, "x" * 100_000, None, ("b", b"\0\xff")]


@pytest.mark.parametrize("size", [1, 7, 8, 9, 1_000_000])
def test_messages_are_whole_whatever_the_pieces(size: int) -> None:
    sent = b"".join(map(packed, MESSAGES))
    inbox, found = Inbox(), list[object]()

    for at in range(0, len(sent), size):
        found += inbox.take(sent[at : at + size])

    assert found == MESSAGES


@pytest.mark.parametrize("size", [9, 1_000_000])
def test_messages_are_received_until_the_other_side_hangs_up(size: int) -> None:
    here, there = socket.socketpair()
    with here, there:
        there.sendall(b"".join(map(packed, ["a", "b" * 1000])))
        there.shutdown(socket.SHUT_WR)

        assert list(received(here, size)) == ["a", "b" * 1000]


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
