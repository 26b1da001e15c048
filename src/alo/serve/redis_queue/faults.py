"""What Redis' errors mean to those who serve through it: to wait, or to give up."""

from __future__ import annotations

from alo.errors import ServeError

CAUSED = "caused error: "  # redis-py: before it the command, which has what clients have sent
PASSING = (  # what an answer has in it of a server that has its own troubles
    "BUSY",
    "CLUSTERDOWN",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "READONLY",
    "TRYAGAIN",
    "maxmemory",
    "read only replica",
    "unable to persist",
)


def passes(error: Exception) -> bool:
    """Whether it may be over if one waits: Redis is away, has no room, or is being set up."""
    from redis.exceptions import (
        AuthenticationError,
        AuthorizationError,
        ConnectionError,
        ReadOnlyError,
        TimeoutError,
    )

    if isinstance(error, AuthenticationError | AuthorizationError):
        return False
    if isinstance(error, ConnectionError | TimeoutError | ReadOnlyError):
        return True
    said = str(error).rpartition(CAUSED)[2]
    return any(word in said for word in PASSING)


def refusal(error: Exception) -> ServeError:
    """The error for what does not pass."""
    return ServeError(
        f"Redis refuses: {error}",
        fix="see the user, password and rights of the URL, and what its database holds",
    )
