"""A pipeline as a notebook sees it: run whole or in parts, looked into, saved."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any
from weakref import finalize

from alo.api import options
from alo.api.args import Args
from alo.api.history_table import history_table
from alo.api.open_run import OpenRun
from alo.api.solution import ArgsOfSteps, Solution
from alo.api.step_view import StepView
from alo.engine.checks.preflight import Checked
from alo.engine.request import RunOutcome
from alo.engine.spec import Job
from alo.errors import UsageError
from alo.events.log_lines import warning
from alo.plan.model import PipelinePlan, Source

if TYPE_CHECKING:
    import pandas as pd


class Pipeline:
    """One pipeline of a project, run whole or in parts.

    From the first ``load`` or ``run`` until ``save`` or ``close`` it has the workspace alone; what
    it replaced there comes back with ``close``.
    """

    def __init__(self, solution: Solution, plan: PipelinePlan, train_id: str = "") -> None:
        self._solution, self._plan, self._train_id = solution, plan, train_id
        self.kind = plan.kind
        self._steps = {step.name: step for step in plan.steps}
        self._args = {name: Args(name, step.args) for name, step in self._steps.items()}
        self._data_path: tuple[str, ...] = ()  # in place of the plan's
        self._told: set[str] = set()  # warnings that have been
        self._open = OpenRun(plan.name, solution.listener)
        finalize(self, self._open.give_up, "its pipeline was deleted").atexit = False

    @property
    def steps(self) -> list[str]:
        """The names of the steps in the order they run."""
        return list(self._steps)

    def __getitem__(self, step: str) -> StepView:
        return StepView(self, options.known_step(step, self.steps, self._plan.name))

    def __iter__(self) -> Iterator[StepView]:
        return (StepView(self, name) for name in self._steps)

    def __len__(self) -> int:
        return len(self._steps)

    def setup(self) -> Pipeline:
        """Check that everything is there to run.

        Raises:
            CheckError: with every problem that was found.
        """
        self._check(self._live_args())
        return self

    def load(self, data_path: str | os.PathLike[str] | Sequence[str] | None = None) -> Pipeline:
        """Begin a new run and stage its input data.

        Args:
            data_path: other data than the plan's ``load_*_data_path``, until the next ``load``: a
                folder, a file, or a list. Relative paths are below the project's folder.
        """
        paths = options.paths("data_path", data_path or ())
        with self._open.in_use():
            self._solution.listener.attach()
            self._open.give_up("given up in the notebook: loaded anew")
            before, self._data_path = self._data_path, paths
            try:
                self._begin()
            except BaseException:
                self._data_path = before
                raise
        return self

    def run(self, steps: str | Sequence[str] | None = None, *, until: str = "") -> Pipeline:
        """Run steps on what the steps before them have saved.

        Without a run in progress one begins: for all steps from the start, for later ones on what
        the run before had saved.

        Args:
            steps: ``"all"``, the name of a step, or a list of names; by default all.
            until: run from the first step that has not run yet up to this one.
        Raises:
            StepError: a step failed; mend it, and run it again.
        """
        with self._open.in_use():
            self._solution.listener.attach()
            chosen = self._chosen(steps, until)
            if self._open.run is None and chosen:
                self._begin(self.steps.index(chosen[0]))
            for name in chosen:
                self._run_one(name)
        return self

    def save(self) -> RunOutcome:
        """End the run: check its results, export them, and keep it in history.

        Raises:
            UsageError: some steps have not run.
        """
        with self._open.in_use():
            self._solution.listener.attach()
            missing = [name for name in self._steps if name not in self._open.ran]
            if self._open.run is None and self._open.outcome is not None and not missing:
                saved = self._open.outcome
                self._solution.listener(warning(f"saved already, as run {saved.run_id}"))
                return saved
            if self._open.run is None or missing:
                raise UsageError(
                    f"not all steps have run: {', '.join(missing or self._steps)}",
                    fix=f"run(until='{self.steps[-1]}') runs what is missing",
                )
            return self._open.save()

    def close(self) -> None:
        """Give up a run that was begun and not saved; the artifacts from before it come back."""
        with self._open.in_use():
            self._solution.listener.attach()
            self._open.give_up("given up in the notebook")

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def get_parameter(self, step: str) -> dict[str, object]:
        """The live args of a step: what you change takes effect the next time it runs."""
        return self[step].args

    def get_asset_source(self, step: str) -> Source:
        """Where the step's code comes from and what it requires."""
        return self[step].source

    def history(
        self,
        data_id: str = "",
        param_id: str = "",
        code_id: str = "",
        parameter_steps: str | Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Past runs of this pipeline, a row each, the newest first.

        Args:
            data_id, param_id, code_id: only runs with these ids.
            parameter_steps: steps whose args become columns ``<step>.<arg>``; None: all.
        """
        table = history_table(self._solution.workspace, self.kind, parameter_steps)
        wanted = {"data_id": data_id, "param_id": param_id, "code_id": code_id}
        for column, value in wanted.items():
            if options.text(column, value):
                table = table[table[column] == value]
        return table.reset_index(drop=True)

    def _saved_by(self, step: str) -> tuple[dict[str, object], dict[str, object]]:
        """Data and config, from the store where the plan says ``interface_mode: file``."""
        ran, latest = self._open.ran.get(step), self._open.latest
        if ran is None or latest is None:
            raise UsageError(
                f"step '{step}' has not run yet",
                fix=f"run it first: pipeline.run(until='{step}')",
            )
        return latest.session.load_values(ran.mark.values)

    def _live_args(self, number: int = 0) -> dict[str, dict[str, object]]:
        """The args as they are set from a step on, and for those before it as they ran."""
        args = {name: values.checked() for name, values in self._args.items()}
        ran = {name: dict(self._open.ran[name].args) for name in self.steps[:number]}
        return {**args, **ran}

    def _check(self, args: ArgsOfSteps) -> Checked:
        checked = self._solution.check(
            self.kind, args, train_id=self._train_id, data_path=self._data_path
        )
        for problem in checked.warnings:
            if str(problem) not in self._told:
                self._told.add(str(problem))
                self._solution.listener(warning(str(problem)))
        return checked

    def _job(self, number: int) -> Job:
        """The job, with the args as they are set from this step on."""
        (job,) = self._check(self._live_args(number)).jobs
        return job

    def _set_up(self, job: Job) -> Job:
        (ready,) = self._solution.set_up([job])
        return ready

    def _begin(self, number: int = 0) -> None:
        """Begin a run with this step; those before it are as in the run before."""
        if self._solution.has_changed():
            what = f"the plan has changed since this pipeline was opened: {self._plan.name}"
            self._solution.listener(warning(f"{what}; project.pipeline(...) opens it as it is now"))
        after = self.steps[number - 1] if number else ""
        self._open.begin(lambda: self._job(number), self._set_up, after)

    def _chosen(self, steps: Any, until: Any) -> list[str]:
        """The steps to run, if they can be."""
        if not until:
            wanted = options.ALL if steps is None else steps
            chosen = options.steps(wanted, self.steps, self._plan.name)
        elif steps is not None:
            raise UsageError("steps and until do not go together", fix="leave one of them out")
        else:
            last = self.steps.index(options.known_step(until, self.steps, self._plan.name))
            done = self._open.ran if self._open.run is not None else {}
            chosen = [name for name in self.steps[: last + 1] if name not in done]
        self._refuse_gaps(chosen)
        return chosen

    def _refuse_gaps(self, chosen: Sequence[str]) -> None:
        ready = {*self._open.ran}
        for name in chosen:
            number = self.steps.index(name)
            before = self.steps[number - 1] if number else ""
            if before and before not in ready:
                raise UsageError(
                    f"the step before, '{before}', has not run, so '{name}' has no data",
                    fix=f"run(until='{name}') runs what is missing",
                )
            ready = {*self.steps[: number + 1]}

    def _run_one(self, name: str) -> None:
        number = self.steps.index(name)
        job = self._set_up(self._job(number))
        step = job.pipeline.steps[number]
        self._open.run_step(job, step, number, deepcopy(dict(step.args)))

    def __repr__(self) -> str:
        steps = " → ".join(f"{view.name}{' ✓' if view.has_run else ''}" for view in self)
        return f"<{self._plan.name} of {self._solution.plan.name}: {steps}>"
