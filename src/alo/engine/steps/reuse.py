"""The step cache: what the steps of a run have saved, for the next step and for later runs.

Here: when a stored step may replace one that would run now, and putting back what it had saved.
Not here: how values and files are stored (``alo/store``).
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import takewhile

from alo.engine.spec import Job
from alo.engine.steps.dependencies import Dependencies
from alo.engine.steps.effects import Snapshot, holds, seen_folders
from alo.engine.steps.task import META, Inputs
from alo.errors import StoreError
from alo.history.entries.names import FAILED, entry_names
from alo.layout import KINDS, Workspace
from alo.named_tuples import NamedTuple
from alo.plan.model import StepPlan
from alo.store import StepStore, StoredStep
from alo.store.keys import difference
from alo.store.results import CachedStep, ResultDir


class Reused(NamedTuple):
    """A step that need not run."""

    cached: CachedStep
    stored: StoredStep


class Ahead(NamedTuple):
    """A step that need not run if it comes to be run on these inputs, as was to be expected."""

    inputs: Inputs
    reused: Reused


class StepReuse:
    """The step cache of a run: what it stores, and what it may take from earlier runs.

    Args:
        code_of: the code that counts for a step: name → checksum.
    """

    def __init__(
        self, job: Job, run_id: str, code_of: Callable[[str], Mapping[str, str]] = lambda step: {}
    ) -> None:
        self._job, self._run_id, self._code_of = job, run_id, code_of
        self._workspace, self._kind = job.workspace, job.pipeline.kind
        self._store = StepStore(job.workspace.interface)
        self._results = ResultDir(job.workspace.interface)
        self._results.claim(self._kind, run_id, str(job.workspace.home))
        self._follows = bool(job.part.resumes or job.part.first)
        self._folders = seen_folders(job.workspace, self._kind)
        self._seen: Snapshot | None = None  # as they were after the last step
        self._traces: dict[str, str] = {}  # of the steps so far that have left any, by name
        self._dependencies = Dependencies(job)
        self._ahead: dict[str, Ahead] = {}  # by step
        self._saved: StoredStep | None = None  # by the last step
        self._own: set[str] = set()  # the steps that this run has a result of

    @property
    def hands_on_files(self) -> bool:
        """Whether values go from step to step through the store."""
        return self._job.plan.control.interface_mode == "file"

    def look(self) -> Snapshot:
        """The files that a step may see or change, as they are before it."""
        if self._seen is None:
            self._seen = self._look()
        return self._seen

    def notice_changes(self) -> None:
        """Someone may have written between two steps: what comes then depends on that too."""
        self._ahead = {}
        seen, self._seen = self._seen, self._look()
        if seen is not None and any(seen.effect(self._seen)):
            self._traces["someone else"] = os.urandom(8).hex()  # no other run finds the same

    def _look(self) -> Snapshot:
        return Snapshot.of(self._workspace.home, self._folders)

    def find(self, inputs: Inputs) -> tuple[Reused | None, str]:
        """The stored step that replaces this one; or None, and why there is none."""
        if not inputs.number:
            self._look_ahead(inputs)
        if ahead := self._ahead.pop(inputs.step.name, None):
            if ahead.inputs == inputs and self._put_back_files(ahead.reused.cached):
                return ahead.reused, ""
            self._ahead = {}
        candidates, reason = self._candidates(inputs)
        reasons = []
        for cached in candidates:
            now = self._dependencies.as_before(inputs, self._traces, cached.key)
            why = difference(cached.key, now)
            if not why and (reused := self._put_back(cached)):
                return reused, ""
            reasons.append(why or "what was kept of it is damaged")
        return None, reasons[0] if reasons else reason

    def begins(self, step: str) -> None:
        """A step is about to run: what is stored of it in this run no longer holds.

        Raises:
            StoreError: the file system does not let us.
        """
        if step in self._own:
            self._results.drop(self._kind, self._run_id, step)

    def save(
        self,
        inputs: Inputs,
        data: Mapping[str, object],
        config: Mapping[str, object],
        paths: Iterable[str],
    ) -> StoredStep:
        """Store what a step saved; ``cache`` comes next.

        Raises:
            StoreError: a value cannot be stored, or there is no room.
        """
        own = {key: value for key, value in config.items() if key != META}
        name, given = inputs.step.name, inputs.incoming
        self._saved = self._store.save(
            self._run_id, self._kind, name, data, own, incoming=given, paths=paths
        )
        return self._saved

    def cache(
        self,
        inputs: Inputs,
        before: Snapshot,
        modules: Mapping[str, str],
        summary: Mapping[str, object] | None,
        data_keys: tuple[str, ...],
        packages: Mapping[str, str] | None = None,
    ) -> None:
        """Store what a step wrote, and what its result depends on.

        Args:
            before: the files before the step.
            modules: that it may have used: name → checksum.
            packages: that it imported: name → version; None: those of this process.
        Raises:
            StoreError: there is no room.
        """
        self._seen = after = self._look()
        effect = before.effect(after)
        is_bound = self._job.execution.origin is not None and self._names_home(effect.files)
        cached = CachedStep(
            self._run_id,
            self._kind,
            inputs.step.name,
            self._dependencies.now(inputs, self._traces, modules, packages, is_bound=is_bound),
            effect,
            summary,
            data_keys,
        )
        self._own.add(cached.step)
        _note_trace(self._traces, self._results.save(cached, self._workspace.home))

    def _names_home(self, files: Iterable[str]) -> bool:
        """Whether what the step has just saved or written says where the project is.

        Another workspace would then be led to files of this one.
        """
        stored, home = self._saved, self._workspace.home
        paths = [home / name for name in files]
        if stored is not None:
            folder = self._workspace.interface / self._kind / self._run_id
            own = {part.blob for part in stored.parts() if part.step == stored.step}
            paths += [folder / blob for blob in own]
        return any(holds(path, os.fsencode(home)) for path in paths)

    def load(self, stored: StoredStep) -> tuple[dict[str, object], dict[str, object]]:
        """Data and config of a stored step.

        Raises:
            StoreError: something is missing or damaged.
        """
        return self._store.load(stored)

    def adopt(self, stored: StoredStep) -> StoredStep:
        """What a step of another run saved, as this run's own.

        Raises:
            StoreError: a part of it is missing.
        """
        return self._store.adopt(stored, self._run_id)

    def _candidates(self, inputs: Inputs) -> tuple[Iterable[CachedStep], str]:
        """The stored steps that may replace this one, and the reason if there are none."""
        part, step = self._job.part, inputs.step
        if part.first and inputs.number >= self._number_of(part.first):
            return [], ""
        found: Iterable[CachedStep] = ()
        if self._follows and part.resumes:
            cached = self._results.find(self._kind, part.resumes, step.name)
            found = [cached] if cached else []
        elif self._follows:
            found = self._results.recent(self._kind, step.name)
        elif self._job.plan.control.cache and step.cache:
            found = self._results.recent(self._kind, step.name)
            return found, "no earlier result"
        elif self._job.plan.control.cache:
            return [], "cache: False"
        return found, ""

    def _number_of(self, step: str) -> int:
        return [each.name for each in self._job.pipeline.steps].index(step)

    def stop_following(self) -> None:
        """From here on only the cache may replace a step."""
        self._follows = False

    @property
    def follows(self) -> bool:
        """Whether earlier steps are taken from a run that is resumed."""
        return self._follows

    def _put_back(self, cached: CachedStep) -> Reused | None:
        """Use a cached step; None where its values or files are not whole any more.

        Raises:
            StoreError: its files cannot be put back.
        """
        try:
            stored = self._store.find(cached.run_id, cached.kind, cached.step)
            if stored is None or not self._results.is_whole(cached):
                return None
            if cached.run_id != self._run_id:
                stored = self._store.adopt(stored, self._run_id)
                self._own.add(cached.step)
                self._results.adopt(cached, self._run_id)
        except StoreError:
            return None
        self._do_again(cached)
        return Reused(cached, stored)

    def _put_back_files(self, cached: CachedStep) -> bool:
        """As ``_put_back``, of a step that this run has taken already; whether it is whole."""
        is_whole = self._results.is_whole(cached)
        if is_whole:
            self._do_again(cached)
        return is_whole

    def _do_again(self, cached: CachedStep) -> None:
        self._seen = None
        self._results.put_back(cached, self._workspace.home)
        _note_trace(self._traces, cached)

    def _look_ahead(self, first: Inputs) -> None:
        """Take all steps at once that need not run, as far as is known before the first one.

        They are those from the first one on that the newest run has stored. What this does not
        find, or cannot take, is looked for step by step.
        """
        self._ahead = {}
        steps = self._cached_steps()
        newest = next(self._results.recent(self._kind, first.step.name), None) if steps else None
        if newest is None or newest.run_id == self._run_id:
            return
        ahead = list(self._usable(newest.run_id, steps, first.data_id))
        if not ahead:
            return
        try:
            self._store.adopt_all([each.reused.stored for each in ahead], newest.run_id)
            self._results.adopt_all([each.reused.cached for each in ahead], self._run_id)
        except StoreError:
            return
        self._ahead = {each.inputs.step.name: each for each in ahead}
        self._own.update(self._ahead)

    def _cached_steps(self) -> Sequence[StepPlan]:
        """The first steps of a whole run, up to one that is never cached."""
        job = self._job
        if any(job.part) or not job.plan.control.cache:
            return ()
        return tuple(takewhile(lambda step: step.cache, job.pipeline.steps))

    def _usable(self, run: str, steps: Sequence[StepPlan], data_id: str) -> Iterator[Ahead]:
        """The first steps of a run that may replace ours, each on what the one before handed on."""
        names = [step.name for step in steps]
        found = zip(
            steps,
            self._results.find_each(self._kind, run, names),
            self._store.find_each(run, self._kind, names),
            strict=False,
        )
        traces: dict[str, str] = {}
        incoming: StoredStep | None = None
        for number, (step, cached, stored) in enumerate(found):
            inputs = Inputs(step, number, self._code_of(step.name), data_id, incoming)
            if difference(cached.key, self._dependencies.as_before(inputs, traces, cached.key)):
                return
            _note_trace(traces, cached)
            incoming = stored._replace(run_id=self._run_id)
            yield Ahead(inputs, Reused(cached, incoming))


def _note_trace(traces: dict[str, str], cached: CachedStep) -> None:
    """Of a step that has left nothing there is none, lest each step's key name all before it."""
    traces.pop(cached.step, None)  # a notebook may run a step again
    if any(cached.effect):
        traces[cached.step] = cached.trace


def forget_runs(workspace: Workspace, run_ids: Sequence[str]) -> None:
    """Remove what the steps of these runs have stored: their history is gone."""
    if run_ids and workspace.interface.is_dir():
        StepStore(workspace.interface).forget(run_ids)
        ResultDir(workspace.interface).forget(run_ids)


def forget_unknown_runs(workspace: Workspace, current: str) -> None:
    """Remove what was stored by runs of this workspace that have no history any more.

    A process that was killed while it removed their history has left it.
    """
    results = ResultDir(workspace.interface)
    gone = [
        run_id
        for kind in KINDS
        for run_id in {*results.runs(kind)} - _in_history(workspace, kind) - {current}
        if results.is_claimed(kind, run_id, str(workspace.home))
    ]
    forget_runs(workspace, gone)


def _in_history(workspace: Workspace, kind: str) -> set[str]:
    names = entry_names(workspace.history / kind)
    return {name.removesuffix(FAILED) for name in names}
