"""One path of the studio with one method: what answers it, who may ask, what it is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from alo.ui.ask import Ask
from alo.ui.rendering.page import Result
from alo.ui.routing.operations import Operation

Screen = Callable[[Ask], Result]
MOST_BODY = 1_000_000
PLAIN = Operation()  # takes nothing, and answers with an object


class Route(NamedTuple):
    """One path and method."""

    method: str
    path: str  # {name}: one part; {name:path}: the rest
    screen: Screen
    role: str  # that whoever asks must have at least
    summary: str
    operation: Operation = PLAIN
    most_body: int = MOST_BODY  # bytes, of who may send it
