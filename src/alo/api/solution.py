"""A plan as it was read, and what its pipelines need to run: shared by a project and its pipelines.

Not here: the state of a run (``open_run.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import NamedTuple

from alo.api.display import Audience
from alo.engine.checks.preflight import Checked, check_plan, find_workspace, read_plan
from alo.engine.request import RunRequest, Setup
from alo.engine.spec import Job, needs_setup
from alo.errors import AloError
from alo.layout import Workspace
from alo.plan.changes import changed_line, unplanned_line, with_args
from alo.plan.model import ExternalPaths, Plan
from alo.plan.suggest import nearest
from alo.plan.values import same
from alolib.advice import NOTEBOOK

ArgsOfSteps = Mapping[str, Mapping[str, object]]


class Solution(NamedTuple):
    """A project's plan, read once."""

    workspace: Workspace
    listener: Audience
    setup: Setup
    plan: Plan
    changes: tuple[str, ...]  # that solution metadata has made
    metadata_version: str

    def has_changed(self) -> bool:
        """Whether the plan on disk is another one by now."""
        try:
            return self.plan.path.read_bytes() != self.plan.text
        except OSError:
            return False

    def check(
        self,
        mode: str,
        args: ArgsOfSteps | None = None,
        *,
        train_id: str = "",
        data_path: tuple[str, ...] = (),
    ) -> Checked:
        """The jobs to run.

        Args:
            mode: train, inference or all.
            args: of the steps of that pipeline, where they are not the plan's.
            train_id: for an inference with the model of this past run.
            data_path: in place of the plan's ``load_*_data_path``.
        Raises:
            CheckError: with every problem that was found.
        """
        plan, changes = self.plan, self.changes
        if args is not None:
            plan, set_here = _with_args(plan, mode, args)
            changes += set_here
        if data_path:
            plan = plan._replace(external=_with_data(plan.external, mode, data_path))
            changes += (f"external_path.load_{mode}_data_path: {', '.join(data_path)}",)
        version = self.metadata_version
        checked = check_plan(plan, self.workspace, mode, changes, version, train_id=train_id)
        jobs = [
            job._replace(execution=job.execution._replace(caller=NOTEBOOK)) for job in checked.jobs
        ]
        return checked._replace(jobs=tuple(jobs))

    def set_up(self, jobs: Sequence[Job], setup: Setup | None = None) -> Sequence[Job]:
        """The jobs, with the code and packages that they need."""
        if not needs_setup(jobs):
            return jobs
        from alo.engine.setup import set_up

        return set_up(jobs, setup or self.setup, self.listener)


def read_solution(request: RunRequest, listener: Audience) -> Solution:
    """Read the plan of a project.

    Raises:
        CheckError: the plan has problems.
        UsageError: there is no such folder.
    """
    try:
        workspace = find_workspace(request.home)
        plan, changes, version = read_plan(request, workspace)
    except AloError as error:
        error.fix = _for_python(error.fix)
        raise
    return Solution(workspace, listener, request.setup, plan, changes, version)


def _for_python(advice: str) -> str:
    """Advice of the command line, with the names that its options have here."""
    for option in ("config", "system"):
        advice = advice.replace(f"--{option}", f"{option}=")
    return advice


def _with_data(external: ExternalPaths, kind: str, paths: tuple[str, ...]) -> ExternalPaths:
    if kind == "train":
        return external._replace(load_train_data_path=paths)
    return external._replace(load_inference_data_path=paths)


def _with_args(plan: Plan, kind: str, args: ArgsOfSteps) -> tuple[Plan, tuple[str, ...]]:
    """The plan with other args for the steps of one pipeline, and a line for each change."""
    pipeline = plan.pipeline(kind)
    if pipeline is None:
        return plan, ()
    changes: list[str] = []
    chosen: dict[str, dict[str, object]] = {}
    for step in pipeline.steps:
        wanted = dict(args.get(step.name, step.args))
        for key in {**step.args, **wanted}:
            place = f"{pipeline.name}.{step.name}.{key}"
            if key not in step.args:
                changes.append(unplanned_line(place, wanted[key], nearest(key, step.args)))
            elif key not in wanted or not same(step.args[key], wanted[key]):
                changes.append(changed_line(place, step.args[key], wanted.get(key)))
        chosen[step.name] = deepcopy(wanted)
    return with_args(plan, kind, chosen), tuple(changes)
