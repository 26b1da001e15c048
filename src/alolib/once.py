"""What ``load_once`` keeps from one request to the next in a process that serves."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class LoadedOnce:
    """Loaded things by step and key, until the model files change."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], Any] = {}
        self._lock = threading.RLock()  # a loader may itself load something once

    def get(self, step: str, key: str, loader: Callable[[], Any]) -> Any:
        """What the loader returned the first time."""
        with self._lock:
            if (step, key) not in self._values:
                self._values[step, key] = loader()
            return self._values[step, key]

    def forget(self) -> None:
        """The model files are others now."""
        with self._lock:
            self._values.clear()

    def __reduce__(self) -> tuple[type[LoadedOnce], tuple[()]]:
        """In another process nothing is loaded yet."""
        return (LoadedOnce, ())
