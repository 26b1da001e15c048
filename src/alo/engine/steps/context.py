"""What the steps of one run share: the values in hand, their code, the cache, a scratch folder."""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from alo.engine.spec import Job
from alo.engine.steps.code import RunCode
from alo.engine.steps.executor import StepValues
from alo.engine.steps.task import Inputs, StepTask, make_task, run_envs
from alo.events.types import Listener
from alo.files import remove_tree
from alo.plan.model import PipelinePlan
from alo.sources.code.shared import SharedModules

if TYPE_CHECKING:  # only file mode, the cache and processes pay for the store
    from alo.engine.steps.reuse import StepReuse
    from alo.store import StepStore


class StepContext:
    """Shared by the executors of one run.

    Attributes:
        values: what the next step is given; None at the first, and while a step has them.
        reuse: of what steps have stored; None where they store nothing.
    """

    def __init__(
        self,
        job: Job,
        run_id: str,
        started: float,
        code: RunCode,
        shared: SharedModules,
        reuse: StepReuse | None,
        emit: Listener,
    ) -> None:
        self.workspace, self.kind = job.workspace, job.pipeline.kind
        self.code, self.shared = code, shared
        self.run_id, self.started, self.reuse, self.emit = run_id, started, reuse, emit
        self.values: StepValues | None = None
        self._folder: Path | None = None
        self._envs: tuple[Job | None, dict[str, object]] = (None, {})  # of which job
        self._step_names: dict[str, tuple[PipelinePlan, tuple[str, ...]]] = {}  # by kind
        self._own_store: StepStore | None = None  # in it, where the run has no reuse

    @property
    def folder(self) -> Path:
        """Of what processes hand over; made when needed."""
        if self._folder is None:
            self._folder = self.workspace.scratch()
        return self._folder

    def task(
        self, job: Job, inputs: Inputs, data: dict[str, object], config: dict[str, object]
    ) -> StepTask:
        """What a step is given; data and config are what the step before saved."""
        names, train_names = map(self._names_of, (job.pipeline, job.plan.train))
        if self._envs[0] is not job:
            self._envs = job, run_envs(job, self.started)
        return make_task(
            job,
            inputs.step,
            inputs.number,
            data,
            config,
            steps=names,
            train_steps=train_names,
            of_run=self._envs[1],
        )

    def _names_of(self, pipeline: PipelinePlan | None) -> tuple[str, ...]:
        """The names of its steps, which each step is given; made once."""
        if pipeline is None:
            return ()
        known, names = self._step_names.get(pipeline.kind, (None, ()))
        if known is not pipeline:
            names = tuple(step.name for step in pipeline.steps)
            self._step_names[pipeline.kind] = (pipeline, names)
        return names

    def turn(self, what: str) -> AbstractContextManager[None]:
        """Modules are imported while a step runs, and while its values are saved or loaded."""
        from alo.engine.isolation.turns import turn_of  # a cached step takes none

        return turn_of(what, self.emit)

    def give_away(self) -> tuple[dict[str, object], dict[str, object]]:
        """Data and config in hand, which only the caller has from then on."""
        values, self.values = self.values, None
        return self.load(values) if values else ({}, {})

    def load(self, values: StepValues) -> tuple[dict[str, object], dict[str, object]]:
        """Data and config that a step handed on, wherever they are."""
        if values.stored is None or values.is_live:
            return values.data, values.config
        store = self.reuse or self.own_store()
        if not values.stored.may_import:
            return store.load(values.stored)
        # A step that runs has it anyway.
        from alo.engine.isolation.process_state import values_loadable

        with self.turn("what a step saved"), values_loadable(self.shared, values.stored.paths):
            return store.load(values.stored)

    def own_store(self) -> StepStore:
        """A store of this run alone, for what goes to processes and back."""
        from alo.store import StepStore

        if self._own_store is None:
            self._own_store = StepStore(self.folder / "values", is_private=True)
        return self._own_store

    def close(self) -> None:
        """Remove what processes have handed over."""
        if self._folder is not None:
            with suppress(OSError):  # the next run sweeps it
                remove_tree(self._folder)
