"""Which trial comes next, and who is notified of its end: this machine's own count of trials."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from alo.batch.sweep.definition import Metric
from alo.batch.sweep.proposals.samplers import Sampler
from alo.batch.sweep.results import results_of
from alo.batch.sweep.space import Values
from alo.batch.sweep.trials import INTERRUPTED, Trial


@dataclass(frozen=True, slots=True)
class Proposal:
    """A trial to be run."""

    number: int
    values: Values
    known: Trial | None = None  # of another machine, with the same values


class Proposals(Protocol):
    """Proposes trials until all that were asked for are there; used by one thread."""

    def next(self) -> Proposal | None:
        """The next trial; None: there are no more.

        Raises:
            SweepError: it cannot be known.
        """

    def ended(self, trial: Trial) -> Trial:
        """Take note of how a trial has ended; returns what counts.

        Raises:
            SweepError: that cannot be noted where others look.
        """

    def others(self) -> Iterable[Trial]:
        """Trials of other machines that have ended since this was asked last."""

    def close(self) -> None:
        """Nothing more is asked."""


class OwnProposals:
    """Of a sweep that this machine runs alone.

    Args:
        first: number of the next new trial.
        most: how many there are to be; None: as many as the sampler has.
    """

    def __init__(
        self, sampler: Sampler, metrics: Sequence[Metric], first: int, most: int | None
    ) -> None:
        self._sampler, self._metrics = sampler, metrics
        self._next, self._most = first, most

    def next(self) -> Proposal | None:
        """See ``Proposals``."""
        number = self._next
        if self._most is not None and number >= self._most:
            return None
        values = self._sampler.ask(number)
        if values is None:
            return None
        self._next += 1
        return Proposal(number, values)

    def ended(self, trial: Trial) -> Trial:
        """See ``Proposals``."""
        if trial.state != INTERRUPTED:
            self._sampler.tell(trial.number, trial.values, results_of(trial, self._metrics))
        return trial

    def others(self) -> Iterable[Trial]:
        """See ``Proposals``."""
        return ()

    def close(self) -> None:
        """See ``Proposals``."""
