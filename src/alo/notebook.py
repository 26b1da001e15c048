"""ALO from Python: open a project, run it whole or in steps, look at what lies between the steps.

``Project`` is the way to do that; ``ALO`` has the names that notebooks for ALO 2.x use.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from alo.engine.execution import Carry
from alo.engine.inherited import told_of_children
from alo.engine.lock import hold_workspace
from alo.engine.pipeline import GivenUp, PipelineRun, begin
from alo.engine.preflight import (
    Checked,
    Job,
    check_plan,
    find_workspace,
    needs_setup,
    read_plan,
)
from alo.engine.recovery import recover
from alo.engine.request import RunOutcome, RunRequest, Setup
from alo.engine.rerun import require_models
from alo.engine.run import run_jobs
from alo.engine.signals import SignalGuard
from alo.errors import UsageError
from alo.events import Event, Listener, LogLine, Output, SettingUp, StepFinished
from alo.layout import KINDS
from alo.plan.changes import told
from alo.plan.model import PipelinePlan, Plan, Source, StepPlan
from alo.plan.values import same

if TYPE_CHECKING:
    import pandas as pd

ALL: Final = "all"


def shown_on(stream: TextIO) -> Listener:
    """A listener that writes what a person at a notebook wants to see.

    Args:
        stream: standard output as it is outside of a step, where prints are events themselves.
    """

    def show(event: Event) -> None:
        if isinstance(event, Output):
            stream.write(event.text)
        elif isinstance(event, SettingUp):
            stream.write(f"setup  {event.text}\n")
        elif isinstance(event, LogLine) and (event.source == "USER" or event.level != "INFO"):
            stream.write(f"{event.format()}\n")
        elif isinstance(event, StepFinished):
            how = "failed" if event.status == "error" else "done"
            place = f"step {event.number} of {event.total}  {event.step}"
            stream.write(f"{place}  {how} in {event.seconds:.2f} s\n")

    return show


class StepView:
    """One step of a pipeline: its args to change, and what it saved once it has run."""

    def __init__(self, pipeline: Pipeline, plan: StepPlan) -> None:
        self._pipeline, self.name, self.source = pipeline, plan.name, plan.source
        self.args: dict[str, object] = deepcopy(dict(plan.args))

    @property
    def has_run(self) -> bool:
        return self.name in self._pipeline._carries

    @property
    def data(self) -> dict[str, object]:
        """What the step saved with ``save_data``: the objects themselves, not copies."""
        return self._pipeline._saved_by(self.name)[0]

    @property
    def config(self) -> dict[str, object]:
        """What the step saved with ``save_config``."""
        return self._pipeline._saved_by(self.name)[1]

    def run(self) -> StepView:
        """Run this step alone, on what the step before it has saved."""
        self._pipeline.run(self.name)
        return self

    def __repr__(self) -> str:
        args = ", ".join(f"{key}={value!r}" for key, value in self.args.items())
        saved = f"; data: {', '.join(self.data) or 'none'}" if self.has_run else "; has not run"
        return f"<step {self.name}({args}){saved}>"


class Pipeline:
    """One pipeline of a project, run whole or in parts.

    From the first ``load`` or ``run`` until ``save`` or ``close`` it has the workspace alone; what
    it replaced there comes back with ``close``.
    """

    def __init__(self, project: Project, plan: PipelinePlan, train_id: str = "") -> None:
        self._project, self._plan, self._train_id = project, plan, train_id
        self.kind = plan.kind
        self._views = {step.name: StepView(self, step) for step in plan.steps}
        self._carries: dict[str, Carry] = {}
        self._used_args: dict[str, dict[str, object]] = {}  # of the steps that have run
        self._run: PipelineRun | None = None
        self._latest: PipelineRun | None = None  # the same, and after it has ended
        self._open = ExitStack()
        self._data_path: tuple[str, ...] | None = None

    @property
    def steps(self) -> list[str]:
        """The names of the steps in the order they run."""
        return list(self._views)

    def __getitem__(self, step: str) -> StepView:
        try:
            return self._views[step]
        except KeyError:
            raise UsageError(
                f"no step '{step}' in the {self._plan.name}",
                fix=f"it has: {', '.join(self._views)}",
            ) from None

    def __iter__(self) -> Iterator[StepView]:
        return iter(self._views.values())

    def __len__(self) -> int:
        return len(self._views)

    def setup(self) -> Pipeline:
        """Check that everything is there to run.

        Raises:
            CheckError: with every problem that was found.
        """
        self._check()
        return self

    def load(self, data_path: str | os.PathLike[str] | Sequence[str] | None = None) -> Pipeline:
        """Begin a new run and stage its input data.

        Args:
            data_path: other data than the plan's ``load_*_data_path``: a folder, a file, or a list.
        """
        if data_path is not None:
            paths = [data_path] if isinstance(data_path, str | os.PathLike) else data_path
            self._data_path = tuple(os.fspath(path) for path in paths)
        self.close()
        self._begin()
        return self

    def run(self, steps: str | Sequence[str] = ALL, *, until: str = "") -> Pipeline:
        """Run steps on what the steps before them have saved.

        Args:
            steps: ``"all"``, the name of a step, or a list of names.
            until: run from the first step that has not run yet up to this one.
        Raises:
            StepError: a step failed; mend it, and run it again.
        """
        run = self._run or self._begin()
        for name in self._chosen(steps, until):
            self._run_one(run, name)
        return self

    def save(self) -> RunOutcome:
        """End the run: check its results, export them, and keep it in history.

        Raises:
            UsageError: some steps have not run.
        """
        run = self._run
        missing = [name for name in self._views if name not in self._carries]
        if run is None or missing:
            raise UsageError(
                f"not all steps have run: {', '.join(missing or self._views)}",
                fix="run() runs them",
            )
        with self._open:
            try:
                outcome = run.save()
            except BaseException as error:
                run.fail(error)
                raise
            finally:
                self._run = None
        return outcome

    def close(self) -> None:
        """Give up a run that was begun and not saved; the artifacts from before it come back."""
        run, self._run = self._run, None
        self._carries.clear()
        with self._open:
            if run is not None:
                run.fail(GivenUp("given up in the notebook"))

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
        parameter_steps: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Past runs of this pipeline, a row each, the newest first.

        Args:
            data_id, param_id, code_id: only runs with these ids.
            parameter_steps: steps whose args become columns ``<step>.<arg>``; None: all.
        """
        table = self._project.history(self.kind, parameter_steps=parameter_steps)
        wanted = {"data_id": data_id, "param_id": param_id, "code_id": code_id}
        for column, value in wanted.items():
            if value:
                table = table[table[column] == value]
        return table.reset_index(drop=True)

    def _saved_by(self, step: str) -> tuple[dict[str, object], dict[str, object]]:
        """Data and config, from the store where the plan says ``interface_mode: file``."""
        if self._latest is None or step not in self._carries:
            raise UsageError(
                f"step '{step}' has not run yet",
                fix=f"run it first: pipeline.run(until='{step}')",
            )
        return self._latest.values(self._carries[step])

    def _check(self) -> Checked:
        return self._project._check(
            self.kind, {self.kind: self._args()}, self._train_id, self._data_path
        )

    def _args(self) -> dict[str, dict[str, object]]:
        return {
            name: self._used_args[name] if view.has_run else view.args
            for name, view in self._views.items()
        }

    def _begin(self) -> PipelineRun:
        checked = self._check()
        workspace = checked.jobs[0].workspace
        with ExitStack() as opened:
            opened.enter_context(told_of_children())
            what = f"{self._plan.name} in a notebook"
            opened.enter_context(
                hold_workspace(workspace, wait=True, listener=self._project.listener, what=what)
            )
            recover(workspace, self._project.listener)
            (job,) = self._project._set_up(checked.jobs)
            run = begin(job, SignalGuard(), self._project.listener)
            try:
                run.load()
            except BaseException as error:
                run.fail(error)
                raise
            self._open = opened.pop_all()
        self._carries.clear()
        self._run = self._latest = run
        return run

    def _chosen(self, steps: str | Sequence[str], until: str) -> list[str]:
        if until:
            last = self.steps.index(self[until].name)
            return [name for name in self.steps[: last + 1] if name not in self._carries]
        if steps == ALL:
            return self.steps
        names = [steps] if isinstance(steps, str) else list(steps)
        return [self[name].name for name in names]

    def _run_one(self, run: PipelineRun, name: str) -> None:
        number = self.steps.index(name)
        run.carry = self._handed_to(number)
        for later in self.steps[number:]:
            self._carries.pop(later, None)
        (job,) = self._project._set_up(self._check().jobs)
        run.take(job, name)
        self._used_args[name] = deepcopy(self._views[name].args)
        run.run_step(job.pipeline.steps[number], number, may_reuse=False)
        if run.carry is not None:
            self._carries[name] = run.carry

    def _handed_to(self, number: int) -> Carry | None:
        if not number:
            return None
        before = self.steps[number - 1]
        if before not in self._carries:
            raise UsageError(
                f"the step before, '{before}', has not run, so '{self.steps[number]}' has no data",
                fix=f"run(until='{self.steps[number]}') runs what is missing",
            )
        return self._carries[before]

    def __repr__(self) -> str:
        steps = " → ".join(f"{view.name}{' ✓' if view.has_run else ''}" for view in self)
        return f"<{self._plan.name} of {self._project.plan.name}: {steps}>"


class Project:
    """A solution's folder.

    Args:
        home: the folder.
        config: another plan than ``solution/experimental_plan.yaml``.
        system: solution metadata that overrides the plan: a YAML file's path, or JSON.
        listener: told of everything that happens; by default it is written to standard output.
        environment: where packages that the plan requires and that are missing go: ``current``,
            into the environment of this process; ``here``, nowhere: it is an error that names them.
    Raises:
        CheckError: the plan has problems.
    """

    def __init__(
        self,
        home: str | os.PathLike[str] = ".",
        *,
        config: str | os.PathLike[str] | None = None,
        system: str | None = None,
        listener: Listener | None = None,
        environment: str = "here",
    ) -> None:
        self._setup = Setup(environment)
        self.workspace = find_workspace(Path(home))
        self.listener = listener or shown_on(sys.stdout)
        self._request = RunRequest(
            self.workspace.home, Path(config) if config else None, system or ""
        )
        self.plan, self._changes, self._metadata_version = read_plan(self._request, self.workspace)
        self._pipelines: dict[str, Pipeline] = {}

    @property
    def home(self) -> Path:
        return self.workspace.home

    @property
    def train(self) -> Pipeline:
        """The train pipeline; the same object each time."""
        return self._own("train")

    @property
    def inference(self) -> Pipeline:
        """The inference pipeline, on the last train run's model; the same object each time."""
        return self._own("inference")

    def _own(self, kind: str) -> Pipeline:
        if kind not in self._pipelines:
            self._pipelines[kind] = self.pipeline(kind)
        return self._pipelines[kind]

    def pipeline(self, kind: str, *, train_id: str = "") -> Pipeline:
        """A new pipeline to run in parts.

        Args:
            kind: train or inference.
            train_id: for an inference with the model of this past run instead of the last.
        """
        kind = kind.removesuffix("_pipeline")
        plan = self.plan.pipeline(kind) if kind in KINDS else None
        if plan is None:
            has = ", ".join(pipeline.kind for pipeline in self.plan.pipelines)
            raise UsageError(f"the plan has no {kind} pipeline", fix=f"it has: {has}")
        if train_id:
            if kind == "train":
                raise UsageError(
                    "train_id chooses the model of an inference; a train run makes one"
                )
            train_id = require_models(self.workspace, train_id)
        return Pipeline(self, plan, train_id)

    def run(self, mode: str = ALL) -> tuple[RunOutcome, ...]:
        """Run the pipelines whole, as ``alo run`` does.

        Args:
            mode: train, inference or all.
        """
        kind = mode.removesuffix("_pipeline")
        return run_jobs(
            lambda: self._check(kind, {}), self.home, self.listener, wait=True, setup=self._setup
        )

    def install(self) -> Project:
        """Fetch the code, and install into this environment what the plan requires and is missing.

        Raises:
            AloError: code cannot be fetched, or something not be installed.
        """
        jobs = self._check(ALL, {}).jobs
        hold = hold_workspace(
            self.workspace, wait=True, listener=self.listener, what="an installation"
        )
        with told_of_children(), hold:
            self._set_up(jobs, Setup("current"))
        return self

    def _set_up(self, jobs: Sequence[Job], setup: Setup | None = None) -> Sequence[Job]:
        """The jobs, with the code and packages that they need."""
        if not needs_setup(jobs):
            return jobs
        from alo.engine.setup import set_up

        return set_up(jobs, setup or self._setup, self.listener)

    def history(
        self, kind: str = "", *, parameter_steps: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Past runs, a row each, the newest first; args are columns ``<step>.<arg>``.

        Args:
            kind: train, inference, or empty for both.
            parameter_steps: only these steps' args; None: all.
        """
        try:
            import pandas as pd
        except ModuleNotFoundError as error:
            raise UsageError(
                "history() gives a pandas DataFrame, and pandas is not installed here",
                fix="pip install 'open-alo[notebook]', or use the command: alo history --json",
            ) from error
        from alo.history.browse import Filters, History

        records = History(self.workspace).list(Filters(pipeline=kind), None)
        rows = []
        for record in records:
            row: dict[str, Any] = {name: getattr(record, name) for name in HISTORY_COLUMNS}
            for step, args in record.args.items():
                if parameter_steps is None or step in parameter_steps:
                    row.update({f"{step}.{key}": value for key, value in args.items()})
            rows.append(row)
        return pd.DataFrame(rows) if rows else pd.DataFrame(columns=list(HISTORY_COLUMNS))

    def _check(
        self,
        mode: str,
        args: Mapping[str, Mapping[str, Mapping[str, object]]],
        train_id: str = "",
        data_path: tuple[str, ...] | None = None,
    ) -> Checked:
        """The jobs to run, with the args and data that were set here."""
        plan, changes = self.plan, self._changes
        for kind, steps in args.items():
            plan, set_here = _with_args(plan, kind, steps)
            changes += set_here
        if data_path is not None:
            external = plan.external
            if mode == "train":
                external = external._replace(load_train_data_path=data_path)
            else:
                external = external._replace(load_inference_data_path=data_path)
            plan = plan._replace(external=external)
            changes += (f"external_path.load_{mode}_data_path: {', '.join(data_path)}",)
        checked = check_plan(plan, self.workspace, mode, changes, self._metadata_version)
        jobs: list[Job] = [job._replace(train_id=train_id) for job in checked.jobs]
        return checked._replace(jobs=tuple(jobs))

    def __repr__(self) -> str:
        lines = [f"<Project {self.plan.name} {self.plan.version}".rstrip() + f" at {self.home}"]
        for pipeline in self.plan.pipelines:
            names = " → ".join(step.name for step in pipeline.steps)
            lines.append(f"  {pipeline.name}: {names}")
        return "\n".join(lines) + ">"


HISTORY_COLUMNS: Final = (
    "id",
    "pipeline",
    "status",
    "start_time",
    "end_time",
    "seconds",
    "score",
    "result",
    "note",
    "data_id",
    "code_id",
    "param_id",
    "train_id",
)


def _with_args(
    plan: Plan, kind: str, args: Mapping[str, Mapping[str, object]]
) -> tuple[Plan, tuple[str, ...]]:
    """The plan with other args for the steps of one pipeline, and a line for each change."""
    pipeline = plan.pipeline(kind)
    if pipeline is None:
        return plan, ()
    changes: list[str] = []
    steps: list[StepPlan] = []
    for step in pipeline.steps:
        wanted = args.get(step.name, step.args)
        for key in {**step.args, **wanted}:
            before, after = step.args.get(key), wanted.get(key)
            if (key in step.args) != (key in wanted) or not same(before, after):
                changes.append(told(f"{pipeline.name}.{step.name}.{key}", before, after))
        steps.append(step._replace(args=deepcopy(dict(wanted))))
    return plan.with_pipeline(pipeline._replace(steps=tuple(steps))), tuple(changes)


class ALO:
    """The engine under the names of ALO 2.x.

    Args:
        config: another plan than ``solution/experimental_plan.yaml``.
        system: solution metadata that overrides the plan: a YAML file's path, or JSON.
        mode: train, inference or all.
        loop: keep the inference pipeline warm and serve requests from Redis, until a signal.
        computing: where the steps run; ``local`` is what there is.
        project: the solution's folder; None: the current one.
    """

    def __init__(
        self,
        config: str | os.PathLike[str] | None = None,
        system: str | None = None,
        mode: str = ALL,
        loop: bool = False,
        computing: str = "local",
        *,
        project: str | os.PathLike[str] | None = None,
    ) -> None:
        refuse_later_features(computing=computing)
        self._config, self._system, self._mode, self._loop = config, system, mode, loop
        self._home = Path(project if project is not None else ".").resolve()

    def main(self) -> tuple[RunOutcome, ...]:
        """Run the pipelines; the plan is read from disk anew each time.

        Raises:
            AloError: of the class that says what went wrong.
        """
        if self._loop:
            self._serve()
            return ()
        return self._project().run(self._mode)

    def _serve(self) -> None:
        from alo.serve.loop import serve_loop
        from alo.serve.redis_url import find_url

        config = Path(self._config) if self._config else None
        setup = Setup("current")
        request = RunRequest(self._home, config, self._system or "", setup=setup)
        with told_of_children():
            serve_loop(request, find_url("", self._system or ""), shown_on(sys.stdout))

    def pipeline(self, pipeline_type: str = "train_pipeline", train_id: str = "") -> Pipeline:
        """A pipeline to run in parts.

        Args:
            pipeline_type: train_pipeline or inference_pipeline.
            train_id: for an inference with the model of this past run.
        """
        return self._project().pipeline(pipeline_type, train_id=train_id)

    def history(self) -> pd.DataFrame:
        """Past runs, a row each, the newest first."""
        return self._project().history()

    def _project(self) -> Project:
        # As ALO 2.x did, and the programs that drive it expect.
        environment = "current"
        return Project(
            self._home, config=self._config, system=self._system, environment=environment
        )

    def __repr__(self) -> str:
        return f"<ALO {self._mode} at {self._home}>"


def refuse_later_features(*, computing: str) -> None:
    """Raise a UsageError for what ALO 2.x's ``main.py`` took and this version does not do yet."""
    if computing != "local":
        raise UsageError(
            f"computing '{computing}' comes with a later version", fix="use --computing local"
        )
