"""Steps run where no event loop is: as in a fresh process, also when the caller sits in one.

A cell of Jupyter, and a program that drives the engine from ``async def``, run inside a loop, and
asyncio starts no second one in its thread. So the loop is hidden from the thread while a step runs;
the call blocks it anyway. A thread of its own for the step would hide it too, but would have no
signal handlers, no Ctrl-C, no plots, and nothing that is of one thread: decimal contexts, say, or
connections of SQLite that go from step to step.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any


def no_running_loop() -> AbstractContextManager[None]:
    """While inside, this thread has no running event loop; afterwards it has the one it had."""
    asyncio = sys.modules.get("asyncio")
    loop = asyncio._get_running_loop() if asyncio else None
    return nullcontext() if loop is None else _hidden(asyncio, loop)


@contextmanager
def _hidden(asyncio: Any, loop: Any) -> Iterator[None]:
    task = asyncio.current_task(loop)
    if task is not None:
        asyncio._leave_task(loop, task)
    asyncio._set_running_loop(None)
    fresh = asyncio.new_event_loop()  # what get_event_loop() gives
    asyncio.set_event_loop(fresh)
    try:
        yield
    finally:
        if not fresh.is_running():  # in a thread that the step has left
            fresh.close()
        asyncio.set_event_loop(loop)
        asyncio._set_running_loop(loop)
        if task is not None:
            asyncio._enter_task(loop, task)
