"""Who looks at which record of a review, by now: in memory alone, and gone when the studio is."""

from __future__ import annotations

import threading
import time

STAYS_S = 40.0  # after so long without a word, somebody is taken to have gone


class Presence:
    """Where people are; reported by their pages."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[tuple[int, str], tuple[str, float]] = {}

    def report(self, review: int, person: str, record: str) -> None:
        """Somebody looks at a record; empty: at none any more."""
        with self._lock:
            if record:
                self._seen[review, person] = record, time.monotonic()
            else:
                self._seen.pop((review, person), None)

    def of(self, review: int) -> dict[str, str]:
        """People → the record that each looks at."""
        now = time.monotonic()
        with self._lock:
            gone = [key for key, (_, since) in self._seen.items() if now - since > STAYS_S]
            for key in gone:
                del self._seen[key]
            return {
                person: record
                for (number, person), (record, _) in sorted(self._seen.items())
                if number == review
            }
