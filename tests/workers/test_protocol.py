"""What goes between a front end and a worker: kinds that are never equal, and failures in words."""

from __future__ import annotations

import errno
import pickle

import pytest

from alo.workers.protocol import (
    NO_ARTIFACTS,
    Booted,
    Failure,
    Finished,
    Request,
    Stage,
    Summary,
    write_failure,
)


def test_messages_of_two_kinds_are_never_equal() -> None:
    assert Stage("x") != Booted("x")
    assert Finished(()) != ()


@pytest.mark.parametrize(
    "message",
    [
        Request("r", {"a": 1}, ("d",), {"s": {"n": 1}}),
        Summary({"a": 1}, ("o",)),
        Failure("E", "n", "c"),
    ],
)
def test_messages_go_to_another_process(message: object) -> None:
    assert pickle.loads(pickle.dumps(message)) == message  # noqa: S301 - our own


def test_a_client_is_sent_the_authors_traceback_before_the_comment() -> None:
    assert Failure("E", "n", "why", "trace").message == "trace\nwhy"
    assert Failure("E", "n", "why").message == "why"


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, "room"), (errno.EDQUOT, "room"), (errno.EACCES, "asset")]
)
def test_a_full_disk_is_reported_apart_from_other_faults(number: int, kind: str) -> None:
    failure = write_failure("the log", OSError(number, "what the system says"))

    assert (failure.code, failure.name) == NO_ARTIFACTS
    assert failure.kind == kind
    assert failure.comment.startswith("the log cannot be written: what the system says")
