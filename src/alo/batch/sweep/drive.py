"""Drives a sweep: asks for configurations, sends them out as runs, and records what they come to.

The record is on disk before the next trial is asked for, and all of it is made anew from there when
a sweep resumes. Not here: which values come next (``samplers``), where runs happen (``executors``).
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from alo.batch.sweep.context import TrialContext
from alo.batch.sweep.limits import Limits
from alo.batch.sweep.proposals.own import Proposal, Proposals
from alo.batch.sweep.results import metrics_of, over_repeats, results_so_far
from alo.batch.sweep.space import form_of
from alo.batch.sweep.trials import (
    COMPLETE,
    DUPLICATE,
    FAILED,
    FAILURES,
    INTERRUPTED,
    LOST,
    OOM,
    OPEN,
    PRUNED,
    RUNNING,
    TIMEOUT,
    WAITING,
    Trial,
    TrialLog,
)
from alo.engine.faults import disk_errors
from alo.errors import SweepError, UsageError, passed_on
from alo.events.types import StepFinished
from alo.executors.guard import GuardedExecutor
from alo.executors.task import (
    ERROR,
    SUCCESS,
    Done,
    Executor,
    Lost,
    Result,
    RunEvent,
    Task,
    TaskEvent,
)
from alo.executors.task import INTERRUPTED as TASK_INTERRUPTED
from alo.executors.task import OOM as TASK_OOM
from alo.executors.task import PRUNED as TASK_PRUNED
from alo.executors.task import TIMEOUT as TASK_TIMEOUT
from alo.history.ids import utc_text

STATES = {
    ERROR: FAILED,
    TASK_TIMEOUT: TIMEOUT,
    TASK_OOM: OOM,
    TASK_INTERRUPTED: INTERRUPTED,
}
GRACE_S = 5.0  # that a run has to end by itself


@dataclass(slots=True)
class Reports:
    """Who is notified of what happens; each does nothing by itself."""

    started: Callable[[Trial], object] = lambda trial: None
    ended: Callable[[Trial], object] = lambda trial: None
    progressed: Callable[[], object] = lambda: None
    warned: Callable[[str], object] = lambda text: None


@dataclass(slots=True)
class _InHand:
    """A trial that runs: the results of its repeats so far."""

    trial: Trial
    began: float
    left: int  # repeats that have not ended
    done: list[Result] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Repeat:
    """One run of a trial, as a task."""

    number: int  # of the trial
    repeat: int  # from 0
    task: Task


class SweepDrive:
    """One process' part of a sweep.

    Args:
        trials: as they are on record.
    """

    def __init__(
        self,
        context: TrialContext,
        trials: Mapping[int, Trial],
        log: TrialLog,
        executor: Executor,
        proposals: Proposals,
        limits: Limits,
        reports: Reports,
    ) -> None:
        self.definition, self.trials = context.definition, dict(trials)
        self._context, self._log = context, log
        fix = f"mend it, then resume: alo sweep resume {context.definition.name}"
        self._executor, self._proposals = GuardedExecutor(executor, fix), proposals
        self._limits, self._reports = limits, reports
        self._is_prefix_made = not context.prefix  # once, before trials run at the same time
        self._to_send: deque[_Repeat] = deque()
        self._out: dict[str, _Repeat] = {}  # by the handles of their tasks
        self._in_hand: dict[int, _InHand] = {}
        self._alike: dict[int, list[Trial]] = {}  # trials that wait for one that runs
        self._again = deque(sorted(number for number, each in trials.items() if each.state in OPEN))
        self._forms = {
            form_of(each.values): number
            for number, each in sorted(trials.items(), reverse=True)  # the first one is run
            if each.state not in (DUPLICATE, LOST)
        }
        self._failed = [each for each in trials.values() if each.state in FAILURES]
        self._is_over = False
        self._is_ending = False  # now, with what runs
        self._deadline = time.monotonic() + limits.timeout_s if limits.timeout_s else None
        self._problem: SweepError | UsageError | None = None

    def run(self) -> None:
        """Run until all is done, or something ends it.

        Raises:
            SweepError: too many trials failed, or nothing can be recorded.
            UsageError: no trial has such a metric.
        """
        with disk_errors("the sweep cannot continue"):
            self._send_out()
            for handle, event in self._executor.events():
                self._take(handle, event)
                self._send_out()
            self._note_others()
        if self._problem is not None:
            raise self._problem

    def stop(self) -> None:
        """Ask for no more trials; what runs now ends by itself. For a signal handler."""
        self._is_over = True

    def end(self) -> None:
        """End now, with what runs. For a signal handler."""
        self._is_over = self._is_ending = True
        for handle in list(self._out):
            self._executor.cancel(handle, GRACE_S)

    @property
    def running(self) -> int:
        """How many trials run now."""
        return len(self._in_hand)

    def _send_out(self) -> None:
        while len(self._out) < self._room and (repeat := self._next()) is not None:
            self._out[self._executor.submit(repeat.task)] = repeat

    @property
    def _room(self) -> int:
        """How many tasks may be out; until the common steps have run once: one."""
        if not self._is_prefix_made:
            return 1
        return self._limits.jobs or self._executor.capacity()

    def _next(self) -> _Repeat | None:
        if self._context.folder.is_to_stop or self._is_late:
            self._is_over = True
        while not self._to_send and not self._is_over:
            if not self._begin_next():
                return None
        return self._to_send.popleft() if self._to_send and not self._is_ending else None

    @property
    def _is_late(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _begin_next(self) -> bool:
        """Begin a trial; whether there was one."""
        if self._again:
            number = self._again.popleft()
            proposal = Proposal(number, self.trials[number].values)
        else:
            proposed = self._proposals.next()
            self._note_others()
            if proposed is None:
                return False
            proposal = proposed
        number = proposal.number
        trial = Trial(
            number=number, values=proposal.values, state=RUNNING, started=utc_text(time.time())
        )
        known = self._forms.setdefault(form_of(proposal.values), number)
        if proposal.known or known != number:
            if known in self._in_hand and not proposal.known:  # what it comes to is not known yet
                self._alike.setdefault(known, []).append(trial)
                self._note(replace(trial, state=WAITING), lasts=False)
            else:
                self._end_as_duplicate(trial, proposal.known or self.trials[known])
            return True
        self._note(trial, lasts=False)
        self._reports.started(trial)
        repeats = self.definition.repeats
        self._in_hand[number] = _InHand(trial, time.monotonic(), repeats)
        self._to_send.extend(self._repeat(trial, repeat) for repeat in range(repeats))
        return True

    def _end_as_duplicate(self, trial: Trial, known: Trial) -> None:
        ended = replace(
            trial,
            state=DUPLICATE,
            reused_from=known.number,
            results=known.results,
            spread=known.spread,
            ended=utc_text(time.time()),
        )
        self._note_end(ended)

    def _repeat(self, trial: Trial, repeat: int, attempt: int = 1) -> _Repeat:
        task = self._context.task_of(trial, repeat, attempt, self._time_left())
        return _Repeat(trial.number, repeat, task)

    def _time_left(self) -> float | None:
        of_trial = self._limits.trial_timeout_s
        if self._deadline is None:
            return of_trial
        left = max(0.01, self._deadline - time.monotonic())
        return left if of_trial is None else min(left, of_trial)

    def _take(self, handle: str, event: TaskEvent) -> None:
        match event:
            case RunEvent(envelope):
                step = envelope.event
                if isinstance(step, StepFinished) and step.step == self._context.prefix:
                    self._is_prefix_made = True
                self._reports.progressed()
            case Lost(reason):
                self._lost(self._out.pop(handle), reason)
            case Done(result):
                self._is_prefix_made = self._is_prefix_made or result.status == SUCCESS
                self._done(self._out.pop(handle).number, result)

    def _lost(self, lost: _Repeat, reason: str) -> None:
        number, attempt = lost.number, lost.task.attempt
        if attempt <= self._limits.retries and not self._is_ending:
            self._reports.warned(f"trial {number} is lost, and tried again: {reason}")
            trial = self._in_hand[number].trial
            self._to_send.appendleft(self._repeat(trial, lost.repeat, attempt + 1))
            return
        tries = "once" if attempt == 1 else f"{attempt} times"
        self._done(number, Result(status=LOST, error=f"it was lost {tries}: {reason}"))

    def _done(self, number: int, result: Result) -> None:
        """A repeat of a trial has ended; with the last one, the trial has."""
        in_hand = self._in_hand[number]
        in_hand.done.append(result)
        in_hand.left -= 1
        if in_hand.left:
            return
        del self._in_hand[number]
        trial = self._note_end(self._ended(in_hand))
        if trial.state in FAILURES:
            self._failed.append(trial)
        if trial.state == LOST:  # which is no fault of its values
            self._forms.pop(form_of(trial.values), None)
        for each in self._alike.pop(number, ()):
            if trial.state in (LOST, INTERRUPTED):  # its values are still to be tried
                self._again.append(each.number)
            else:
                self._end_as_duplicate(each, trial)
        self._look_at_failures()

    def _ended(self, in_hand: _InHand) -> Trial:
        """What a trial has come to, of all its repeats."""
        trial = replace(
            in_hand.trial,
            seconds=round(time.monotonic() - in_hand.began, 6),
            ended=utc_text(time.time()),
            run_ids=tuple(
                run.run_id for each in in_hand.done for run in each.runs if run.pipeline == "train"
            ),
        )
        bad = next((each for each in in_hand.done if each.status != SUCCESS), None)
        if bad is not None:
            return self._ended_early(trial, bad)
        found = [metrics_of(each.runs) for each in in_hand.done]
        missing = [each.name for each in self.definition.metrics if each.name not in found[0]]
        if missing:
            return self._ended_without(missing[0], trial, found[0])
        results, spread = over_repeats(found, self.definition.metrics)
        return replace(trial, state=COMPLETE, results=results, spread=spread)

    def _ended_early(self, trial: Trial, bad: Result) -> Trial:
        """A trial of which a repeat has not succeeded."""
        if bad.status == TASK_PRUNED:  # it is reported with what it had come to
            results = results_so_far(bad.runs, self.definition.metrics)
            return replace(trial, state=PRUNED, results=results, error=bad.error)
        state = STATES.get(bad.status, bad.status)
        if state == TIMEOUT and self._is_late:
            return replace(trial, state=INTERRUPTED, error="the time of the sweep was over")
        return replace(trial, state=state, error=bad.error)

    def _ended_without(self, metric: str, trial: Trial, saved: Mapping[str, float]) -> Trial:
        """A trial that saved no such metric; where no other one did, nothing more is begun."""
        what, has = f"no metric '{metric}' was saved", ", ".join(sorted(saved)) or "nothing"
        if not any(each.state == COMPLETE for each in self.trials.values()):
            self._problem = UsageError(
                f"{what} by the first trial that ended; it saved {has}",
                where=f"run {trial.run_id}",
                fix="name one of them with --metric, or save it: "
                f"self.asset.save_metric('{metric}', value)",
            )
            self.end()
        return replace(trial, state=FAILED, error=f"{what}; it saved {has}")

    def _note_end(self, trial: Trial) -> Trial:
        """On record before anybody else is notified of it."""
        self._note(trial, lasts=True)
        counts = self._proposals.ended(trial)
        if counts != trial:
            self._note(counts, lasts=True)
        self._reports.ended(counts)
        return counts

    def _note_others(self) -> None:
        """What other machines' trials have come to is on record here, too."""
        for trial in self._proposals.others():
            self._note(trial, lasts=False)
            self._reports.ended(trial)

    def _look_at_failures(self) -> None:
        failed = self._failed
        total = self._limits.trials or len(self.trials)
        if self._problem is None and len(failed) > self._limits.failures(total):
            common, times = Counter(each.error for each in failed).most_common(1)[0]
            shown = next(each for each in reversed(failed) if each.error == common)
            self._problem = passed_on(
                SweepError,
                f"{len(failed)} trials failed, {times} of them so: ",
                common,
                where=f"trial {shown.number}" + f", run {shown.run_id}" * bool(shown.run_id),
                fix=f"mend it, then resume: alo sweep resume {self.definition.name}; "
                "or allow for more: --max-failures N",
            )
            self.end()

    def _note(self, trial: Trial, *, lasts: bool) -> None:
        self._log.write(trial, lasts=lasts)
        self.trials[trial.number] = trial
