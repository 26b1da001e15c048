"""How far a long staging is."""

import time
from collections.abc import Callable

Report = Callable[[int, int], None]  # bytes done, bytes in all

REPORT_EVERY_S = 0.1


class Progress:
    """Adds up what is staged, and reports it at most ten times a second.

    Args:
        total: bytes, as far as they are known.
    """

    def __init__(self, report: Report, total: int) -> None:
        self.total = total
        self._report, self._done = report, 0
        self._reported = time.monotonic()

    @property
    def rest(self) -> int:
        """Bytes that are still to come."""
        return max(0, self.total - self._done)

    def add(self, size: int) -> None:
        """So many bytes more are done."""
        self._done += size
        now = time.monotonic()
        if now - self._reported > REPORT_EVERY_S:
            self._reported = now
            self._report(min(self._done, self.total), self.total)

    def finish(self) -> None:
        """All is done, whatever was known of its size."""
        self._report(self.total, self.total)
