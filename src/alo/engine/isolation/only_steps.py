"""Whether a process does nothing but run steps: how one has left it, the next one finds it then.

In a module of its own, as who knows it does not have to import what it takes to run a step.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

MANY = 1_000_000  # objects; scikit-learn and pandas make 250,000
Imported = TypeVar("Imported")

_now: object | None = None
_has_run = False


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


def staying(load: Callable[[], Imported], *, runs: bool) -> Imported:
    """Import an asset, whose modules stay: in a process in which only steps run, and none has run
    yet, they are not looked through for garbage, neither meanwhile nor later.

    Behind a step there may be garbage of its data, which would stay as well. Collections are not
    switched off, so that an asset which does that has its way.

    Args:
        runs: the asset runs next.
    """
    global _has_run
    if _now is None or _has_run:
        return load()
    _has_run = runs
    before = gc.get_threshold()
    meanwhile = (max(before[0], MANY), *before[1:])
    gc.set_threshold(*meanwhile)
    try:
        return load()
    finally:
        gc.freeze()
        if gc.get_threshold() == meanwhile:
            gc.set_threshold(*before)
