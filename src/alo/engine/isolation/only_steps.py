"""Whether a process does nothing but run steps: how one has left it, the next one finds it then.

In a module of its own, as who knows it does not have to import what it takes to run a step.
"""

from collections.abc import Iterator
from contextlib import contextmanager

_now: object | None = None


def while_only_steps_run() -> object | None:
    """What stands for this time: the same object until it is over; None: other things happen."""
    return _now


def from_here_on() -> None:
    """For a process that does nothing else until it ends."""
    global _now
    _now = object()


@contextmanager
def only_steps_run() -> Iterator[None]:
    """While inside, nothing but steps, and what belongs to them, changes the process."""
    global _now
    before = _now
    from_here_on()
    try:
        yield
    finally:
        _now = before
