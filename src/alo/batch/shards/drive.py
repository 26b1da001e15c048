"""Drives the shards of a batch: sends them out, takes their results, decides on what fails.

What a shard has come to is on disk before the next is reported. Not here: how an input is cut
(``cutting``), where shards run (``executors``), what their results become (``merge``).
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from alo.batch.cutting.parts import halves
from alo.batch.cutting.shard import Shard
from alo.batch.shards.context import ShardContext
from alo.batch.shards.definition import BISECT, STOP, Tolerance
from alo.batch.shards.record import (
    DONE,
    FAILED,
    INTERRUPTED,
    RUNNING,
    SPLIT,
    BatchFolder,
    BatchLog,
    ShardState,
)
from alo.batch.shards.result import Manifest, is_whole, put_in_place, read_manifest
from alo.batch.shards.staging import Staging
from alo.batch.shards.tables import TableForm
from alo.engine.faults import disk_errors
from alo.errors import AloError, BatchError, passed_on
from alo.executors.task import INTERRUPTED as TASK_INTERRUPTED
from alo.executors.task import (
    SUCCESS,
    Done,
    Executor,
    Lost,
    Result,
    RunEvent,
    Task,
    TaskEvent,
)
from alo.files import discard
from alo.history.entries.move import move_entry

LOG = "log"
LONGEST_SHOWN = 100  # characters of a header
GRACE_S = 5.0  # that a run has to end by itself
RETRIES = 2  # of a shard that was lost


@dataclass(slots=True)
class Reports:
    """Who is notified of what happens; each does nothing by itself."""

    started: Callable[[Shard, int], object] = lambda shard, attempt: None
    ended: Callable[[Shard, ShardState], object] = lambda shard, state: None
    progressed: Callable[[], object] = lambda: None
    warned: Callable[[str], object] = lambda text: None


@dataclass(slots=True)
class _Out:
    """A shard that is out."""

    shard: Shard
    task: Task
    began: float
    has_begun: bool = False  # as its run says


class ShardDrive:
    """One process' part of a batch.

    Args:
        tasks: shards at once.
        form: that their tables have to have; None: that of the first that is done.
    """

    def __init__(
        self,
        shards: Sequence[Shard],
        folder: BatchFolder,
        log: BatchLog,
        executor: Executor,
        staging: Staging,
        context: ShardContext,
        tolerance: Tolerance,
        tasks: int,
        form: TableForm | None = None,
    ) -> None:
        self._form = form
        self._folder, self._log, self._executor, self._staging = folder, log, executor, staging
        self._context, self._tolerance, self._tasks = context, tolerance, tasks
        self.reports = Reports()
        known = folder.known().shards
        self.states: dict[str, ShardState] = dict(known)
        self.leaves = {shard.number: list(_leaves(shard, known)) for shard in shards}
        self.results: dict[str, Manifest] = {}
        self._take_what_is_there()
        self.reused = frozenset(self.results)
        self._waiting = deque(each for each in self._in_order() if each.name not in self.results)
        self._out: dict[str, _Out] = {}
        self._is_over = self._is_ending = False
        self._problem: AloError | None = None

    @property
    def running(self) -> int:
        """How many shards run now."""
        return sum(each.has_begun for each in self._out.values())

    @property
    def ended(self) -> int:
        """How many shards of the input have ended, whatever they were split into."""
        return sum(
            all(each.name in self.results or self._is(each, FAILED) for each in leaves)
            for leaves in self.leaves.values()
        )

    @property
    def failed(self) -> Sequence[Shard]:
        """The shards, or halves, that no output could be made for, in their order."""
        return [each for each in self._in_order() if self._is(each, FAILED)]

    def path_of(self, shard: str) -> Path:
        """Where the result of a shard is."""
        return self._folder.results / shard

    def run(self) -> None:
        """Run until all is done, or something ends it.

        Raises:
            BatchError: more has failed than is allowed, or nothing can be recorded.
            StagingError: an input is not as it was.
        """
        with disk_errors("the batch cannot continue", self._folder.path):
            self._send_out()
            for handle, event in self._executor.events():
                self._take(handle, event)
                if self._is_ending:  # what was sent while the signal came is ended, too
                    self.end()
                self._send_out()
        if self._problem is not None:
            raise self._problem

    def stop(self) -> None:
        """Begin no more shards; what runs now ends by itself. For a signal handler."""
        self._is_over = True
        for handle, out in list(self._out.items()):
            if not out.has_begun:
                self._executor.cancel(handle, 0.0)

    def end(self) -> None:
        """End now, with what runs. For a signal handler."""
        self._is_over = self._is_ending = True
        for handle in list(self._out):
            self._executor.cancel(handle, GRACE_S)

    def _in_order(self) -> Iterator[Shard]:
        for number in sorted(self.leaves):
            yield from self.leaves[number]

    def _is(self, shard: Shard, state: str) -> bool:
        return shard.name in self.states and self.states[shard.name].state == state

    def _take_what_is_there(self) -> None:
        """The results of earlier processes count where they are whole, and of the same."""
        for shard in self._in_order():
            path = self.path_of(shard.name)
            if not path.is_dir():
                continue
            try:
                manifest = read_manifest(path)
            except BatchError:
                discard(path)
                continue
            if manifest.ids == self._context.ids and is_whole(path, manifest):
                self.results[shard.name] = manifest
            else:
                discard(path)

    def _send_out(self) -> None:
        # Twice as many as run: the next input is there when a process is free.
        while self._waiting and len(self._out) < 2 * self._tasks and not self._is_over:
            self._send(self._waiting.popleft(), 1)

    def _send(self, shard: Shard, attempt: int) -> None:
        task = self._context.task_of(shard, self._staging.put(shard), attempt)
        state = ShardState(shard=shard.name, state=RUNNING, attempts=attempt)
        self._note(state, lasts=False)
        self._out[self._executor.submit(task)] = _Out(shard, task, time.monotonic())

    def _take(self, handle: str, event: TaskEvent) -> None:
        out = self._out[handle]
        match event:
            case RunEvent():
                if not out.has_begun:
                    out.has_begun, out.began = True, time.monotonic()
                    self.reports.started(out.shard, out.task.attempt)
                self.reports.progressed()
            case Lost(reason):
                self._forget(handle, out)
                self._lost(out, reason)
            case Done(result):
                self._forget(handle, out)
                self._done(out, result)

    def _forget(self, handle: str, out: _Out) -> None:
        del self._out[handle]
        self._staging.drop(out.task.inputs["inference"])

    def _lost(self, out: _Out, reason: str) -> None:
        if self._is_over:
            self._interrupted(out)
        elif out.task.attempt <= RETRIES:
            self.reports.warned(f"shard {out.shard.name} is lost, and tried again: {reason}")
            self._send(out.shard, out.task.attempt + 1)
        else:
            self._fail(out, f"it was lost {out.task.attempt} times: {reason}")

    def _done(self, out: _Out, result: Result) -> None:
        if result.status == TASK_INTERRUPTED:  # by us, or else it is as if it had been lost
            self._lost(out, result.error or "its run was interrupted")
        elif result.status != SUCCESS or result.output is None:
            if result.output is not None:
                self._keep_failed(out.shard, result.output)
            self._fail(out, result.error or "its run left no result")
        elif wrong := self._accept(out, result.output):
            self._fail(out, wrong)
        else:
            self._end(out, DONE)

    def _keep_failed(self, shard: Shard, output: Path) -> None:
        """Its logs say more than its error; they are a help, and no more."""
        with suppress(OSError):
            self._folder.failures.mkdir(exist_ok=True)
            discard(self._folder.failures / shard.name)
            move_entry(output / LOG, self._folder.failures, shard.name)
        discard(output)

    def _accept(self, out: _Out, output: Path) -> str:
        """Have a result count; returns why it cannot."""
        try:
            manifest = self._context.manifest_of(output, out.shard, out.task)
        except (BatchError, ValueError) as error:
            return str(error)
        if wrong := self._misfit(manifest):
            return wrong
        put_in_place(output, self._folder.results, manifest)
        self.results[out.shard.name] = read_manifest(self.path_of(out.shard.name))
        return ""

    def _misfit(self, manifest: Manifest) -> str:
        """Why a result does not go with those of the other shards."""
        rows, form = manifest.rows, manifest.form
        if form is not None and rows not in (None, form.rows) and self._tolerance.needs_all_rows:
            return f"its output has {form.rows:,} rows for {rows:,}; --row-check off takes that"
        if form and self._form and (differs := _differs(form, self._form)):
            return f"its table has other columns than that of the rows that were checked: {differs}"
        other = next(iter(self.results.values()), None)
        if other is None:
            return ""
        if bool(other.table) != bool(manifest.table):
            one, two = ("a", "no") if manifest.table else ("no", "a")
            return f"its output has {one} table, and that of shard {other.shard} has {two}"
        if form and other.form and (differs := _differs(form, other.form)):
            return f"its table has other columns than that of shard {other.shard}: {differs}"
        return ""

    def _fail(self, out: _Out, error: str) -> None:
        shard, tolerance = out.shard, self._tolerance
        if tolerance.on_error == BISECT and (parts := halves(shard)):
            self._end(out, SPLIT, error)
            leaves = self.leaves[shard.number]
            at = leaves.index(shard)
            leaves[at : at + 1] = parts
            self._waiting.extendleft(reversed(parts))
            return
        self._end(out, FAILED, error)
        if tolerance.on_error == STOP:
            self._give_up(
                f"shard {shard.name} failed: ",
                error,
                "or leave such shards out: --on-error skip; such rows: --on-error bisect",
            )
        elif tolerance.on_error == BISECT and len(self.failed) > tolerance.bad_rows:
            errors = Counter(self.states[each.name].error for each in self.failed)
            common, times = errors.most_common(1)[0]
            self._give_up(
                f"{len(self.failed):,} rows failed, {times:,} of them so: ",
                common,
                "or allow for more: --max-bad-rows N",
            )

    def _give_up(self, what: str, cause: str, fix: str) -> None:
        if self._problem is None:
            again = f"mend it, then resume: alo infer --resume {self._folder.name}"
            self._problem = passed_on(BatchError, what, cause, fix=f"{again}; {fix}")
        self.stop()

    def _interrupted(self, out: _Out) -> None:
        self._end(out, INTERRUPTED)

    def _end(self, out: _Out, state: str, error: str = "") -> None:
        ended = ShardState(
            shard=out.shard.name,
            state=state,
            attempts=out.task.attempt,
            seconds=round(time.monotonic() - out.began, 6),
            error=error,
        )
        self._note(ended, lasts=True)
        self.reports.ended(out.shard, ended)

    def _note(self, state: ShardState, *, lasts: bool) -> None:
        self._log.write(state, lasts=lasts)
        self.states[state.shard] = state


def _leaves(shard: Shard, known: Mapping[str, ShardState]) -> Iterator[Shard]:
    """The shard, or what an earlier process has split it into."""
    state = known.get(shard.name)
    if state is None or state.state != SPLIT:
        yield shard
        return
    for half in halves(shard) or (shard,):
        yield from _leaves(half, known)


def _shown(header: bytes) -> str:
    text = header.decode("utf-8", "replace")
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def _differs(form: TableForm, other: TableForm) -> str:
    """The columns of both, where they are not the same."""
    mine, theirs = (each.header.rstrip(b"\r\n") for each in (form, other))
    return "" if mine == theirs else f"{_shown(mine)}; {_shown(theirs)}"
