"""Whether whoever runs a request may wait for it, and what one that may not has to wait for."""

from __future__ import annotations

from enum import Enum


class Pause(Enum):
    """Where a request that is run without waiting stops."""

    WORKER = "until its worker has something to read"
    LONG = "what comes next takes a while: it is to be continued where that holds up no one"


class Pace:
    """How a request is run; it may change while that stops at a ``Pause``.

    Args:
        may_wait: for the worker, the disk, the console; else it stops instead.
    """

    def __init__(self, *, may_wait: bool = True) -> None:
        self.may_wait = may_wait
