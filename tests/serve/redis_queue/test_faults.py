"""Whether to wait for Redis, by what it says."""

from __future__ import annotations

import pytest
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ConnectionError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,
)

from alo.serve.redis_queue.faults import passes

OOM = "command not allowed when used memory > 'maxmemory'."
PIPELINE = "Command # 1 (RPUSH list {0}) of pipeline caused error: {1}"


@pytest.mark.parametrize(
    "error",
    [
        ConnectionError("refused"),
        TimeoutError("no answer"),
        BusyLoadingError("loading the dataset"),
        ReadOnlyError("You can't write against a read only replica."),
        ResponseError(OOM),
        ResponseError(PIPELINE.format("{}", OOM)),
        ResponseError("MISCONF Redis is configured to save RDB snapshots"),
    ],
)
def test_troubles_of_the_server_pass(error: Exception) -> None:
    assert passes(error)


@pytest.mark.parametrize(
    "error",
    [
        AuthenticationError("invalid username-password pair"),
        ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"),
        ResponseError(PIPELINE.format("BUSY maxmemory MISCONF", "WRONGTYPE Operation against")),
    ],
)
def test_what_is_wrong_stays_whatever_a_client_has_sent(error: Exception) -> None:
    assert not passes(error)
