"""What can be wrong with a store or a server, and what is worth another try."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

TRIES = 6
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 120.0  # that a server may ask for


class ObjectStoreError(Exception):
    """A store said no, or said nothing; the message holds no secret.

    Args:
        fix: what to do about it, where that is known.
    """

    def __init__(self, what: str, fix: str = "") -> None:
        super().__init__(what)
        self.fix = fix


class GoneError(ObjectStoreError):
    """There is no such object."""


class ChangedError(ObjectStoreError):
    """The object is not the one that was listed."""


class NoRangesError(ObjectStoreError):
    """The server sends whole files only."""


class RefusedError(ObjectStoreError):
    """Trying again will not help: no right to it, or not the right question."""


class BusyError(ObjectStoreError):
    """The server asks to come back, and says when."""

    def __init__(self, what: str, pause_s: float) -> None:
        super().__init__(what, f"it asks to be left alone for {pause_s:,.0f} s")
        self.pause_s = pause_s


def again(do: Callable[[], T]) -> T:
    """Try more than once; what a store means by its answer is not asked again."""
    for attempt in range(TRIES):
        pause = FIRST_PAUSE_S * 2**attempt
        try:
            return do()
        except (GoneError, ChangedError, NoRangesError, RefusedError):
            raise
        except ObjectStoreError as error:
            pause = max(pause, error.pause_s) if isinstance(error, BusyError) else pause
            if attempt == TRIES - 1 or pause > LONGEST_PAUSE_S:
                raise
        time.sleep(pause)
    raise AssertionError("not reached")
