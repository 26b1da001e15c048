"""What a service does now and then apart from its requests, such as to remove leftovers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from alo.events.log_lines import warning
from alo.events.types import Listener
from alo.history.in_use import ids_in_use
from alo.history.retention import keep_within
from alo.layout import Workspace

EVERY_S = 15.0


def prune_history(workspace: Workspace, size_mb: float) -> None:
    """Keep history within the plan's ``backup_size``: served requests are runs in it, too.

    Raises:
        OSError: it cannot be read.
    """
    removed = keep_within(workspace, size_mb, ids_in_use(workspace))
    if removed:
        from alo.engine.steps.reuse import forget_runs

        forget_runs(workspace, removed)


class Upkeep:
    """A thread that does some works again and again.

    Args:
        works: each under what is said where it fails.
    """

    def __init__(self, works: Mapping[str, Callable[[], object]], listener: Listener) -> None:
        self._works, self._listener = works, listener
        self._ended = threading.Event()
        self._said: dict[str, str] = {}
        self._thread = threading.Thread(target=self._run, name="alo-upkeep", daemon=True)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End; waits for the work that is being done."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(EVERY_S):
            for what, work in self._works.items():
                self._do(what, work)

    def _do(self, what: str, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:  # the last net: it is tried again
            text = f"{what}: {error}"
        else:
            text = ""
        if text and text != self._said.get(what):
            self._listener(warning(text))
        self._said[what] = text
