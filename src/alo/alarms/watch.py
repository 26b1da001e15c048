"""When an alarm is raised and when it ends: requests in, changes out; no files, no clock.

Score and failures are looked at with each request, the class mix when ``look`` is called, as that
costs more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from alo.alarms.class_mix import UNKNOWN, Shares, distance, mean_of, shares_of, total_variation
from alo.plan.model import Alarm

SCORE, FAILURES, CLASS_MIX = "score_below", "failures", "class_mix"  # as the plan calls them
RAISED, ENDED = "raised", "ended"
SLACK = 1e-9  # a tenth of 30 is 3, whatever floats make of it
DIGITS = 6


class Outcome(NamedTuple):
    """What came of one request, as far as alarms look at it."""

    score: float | None = None
    has_failed: bool = False
    shares: Shares = UNKNOWN  # of its classes; empty: none is known
    model: str = ""  # the train run whose model has answered it


class Change(NamedTuple):
    """An alarm was raised, or has ended."""

    alarm: str
    state: str  # raised or ended
    value: float  # a score, a share of the requests, or a distance
    limit: float  # that it has crossed
    requests: int  # that it is about


class Window(NamedTuple):
    """What is remembered of the last requests, the newest last."""

    scores: tuple[float, ...] = ()
    failures: tuple[bool, ...] = ()
    mixes: tuple[Shares, ...] = ()
    model: str = ""  # that the mixes are of


NOTHING_SEEN = Window()


class Watch:
    """The alarms of one plan, as requests come.

    Args:
        window: what is remembered from before.
        raised: the alarms that are raised now.
        train_shares_of: the class mix of a train run; empty: it is not known.
    """

    def __init__(
        self,
        alarm: Alarm,
        window: Window,
        raised: Collection[str],
        train_shares_of: Callable[[str], Shares],
    ) -> None:
        self._alarm, self._train_shares_of = alarm, train_shares_of
        self._size = alarm.of_last or 1
        self._raised = set(raised)
        below = alarm.score_below
        self._scores: deque[float] = deque(window.scores, self._size)
        self._low = _Share(self._size, [score < below for score in window.scores] if below else [])
        self._failures = _Share(self._size, window.failures)
        self._mixes: deque[Shares] = deque(window.mixes, self._size)
        self._model = window.model

    @property
    def window(self) -> Window:
        """What is to be remembered."""
        alarm = self._alarm
        return Window(
            tuple(self._scores) if alarm.score_below is not None else (),
            tuple(self._failures.flags) if alarm.failures is not None else (),
            tuple(self._mixes) if alarm.class_mix is not None else (),
            self._model,
        )

    def see(self, outcome: Outcome) -> list[Change]:
        """A request has ended; what that changes."""
        self._see_mix(outcome)
        found = (self._see_score(outcome.score), self._see_failure(outcome.has_failed))
        return [change for change in found if change is not None]

    def look(self) -> list[Change]:
        """What the class mix of the last requests changes."""
        limit, train = self._alarm.class_mix, self._train_shares_of(self._model)
        if limit is None or not train or len(self._mixes) < self._size:
            return []
        mixes = list(self._mixes)
        value = total_variation(mean_of(mixes), train)
        is_high, is_low = value >= limit - SLACK, value < limit / 2
        if is_high or (not is_low and CLASS_MIX in self._raised):  # else chance decides nothing
            found = distance(mixes, train)
            is_high, is_low = is_high and found.is_beyond_chance, is_low or value < found.typical
        change = self._switch(CLASS_MIX, is_high, is_low, value, limit, self._size)
        return [change] if change else []

    def _see_score(self, score: float | None) -> Change | None:
        below = self._alarm.score_below
        if below is None or score is None:
            return None
        self._scores.append(score)
        self._low.add(score < below)
        share = self._alarm.share
        if self._alarm.of_last is None or share is None:
            return self._switch(SCORE, score < below, score >= below, score, below, 1)
        return self._switch_share(SCORE, self._low, share)

    def _see_failure(self, has_failed: bool) -> Change | None:
        self._failures.add(has_failed)
        share = self._alarm.failures
        return None if share is None else self._switch_share(FAILURES, self._failures, share)

    def _see_mix(self, outcome: Outcome) -> None:
        if outcome.shares and self._alarm.class_mix is not None:
            if outcome.model != self._model:  # another train run: what was before says nothing
                self._mixes.clear()
                self._model = outcome.model
            self._mixes.append(outcome.shares)

    def _switch_share(self, name: str, share: _Share, limit: float) -> Change | None:
        if not share.is_full:
            return None
        most = limit * self._size - SLACK
        is_high, is_low = share.count >= most, share.count < most / 2
        return self._switch(name, is_high, is_low, share.count / self._size, limit, self._size)

    def _switch(
        self, name: str, is_high: bool, is_low: bool, value: float, limit: float, count: int
    ) -> Change | None:
        """Raise what is high and was not, end what is low and was raised."""
        if name in self._raised and is_low:
            self._raised.discard(name)
            return Change(name, ENDED, round(value, DIGITS), limit, count)
        if name not in self._raised and is_high:
            self._raised.add(name)
            return Change(name, RAISED, round(value, DIGITS), limit, count)
        return None


class _Share:
    """How many of the last requests are so."""

    def __init__(self, size: int, flags: Iterable[bool]) -> None:
        self.flags: deque[bool] = deque(flags, size)
        self.count = sum(self.flags)

    def add(self, flag: bool) -> None:
        """Take in one more; the oldest goes."""
        if self.is_full:
            self.count -= self.flags[0]
        self.flags.append(flag)
        self.count += flag

    @property
    def is_full(self) -> bool:
        """Whether so many have been seen."""
        return len(self.flags) == self.flags.maxlen


def outcome_of(summary: Mapping[str, object] | None, *, has_failed: bool, model: str) -> Outcome:
    """What came of a request with this summary; None: it has none."""
    content = {} if has_failed else summary or {}
    score = content.get("score")
    is_number = isinstance(score, int | float) and not isinstance(score, bool)
    shares = shares_of(content.get("result"), content.get("probability"))
    return Outcome(float(str(score)) if is_number else None, has_failed, shares, model)


def watched_by(alarm: Alarm | None) -> list[str]:
    """The alarms that a plan asks for."""
    return [name for name in (SCORE, FAILURES, CLASS_MIX) if getattr(alarm, name, None) is not None]
