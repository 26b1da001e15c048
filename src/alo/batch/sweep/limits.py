"""When a sweep ends."""

from __future__ import annotations

from dataclasses import dataclass

FEWEST_FAILURES, FAILURE_SHARE = 3, 0.1  # that a sweep bears by default


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a sweep ends."""

    trials: int | None  # None: all configurations of a grid
    jobs: int | None = None  # None: as many as the executor has room for
    trial_timeout_s: float | None = None
    timeout_s: float | None = None
    max_failures: int | None = None  # None: a tenth of the trials, and at least three
    retries: int = 2  # of a trial that was lost

    def failures(self, trials: int) -> int:
        """How many trials may fail."""
        if self.max_failures is not None:
            return self.max_failures
        return max(FEWEST_FAILURES, int(FAILURE_SHARE * trials))
