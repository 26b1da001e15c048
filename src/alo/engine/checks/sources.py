"""The check of where the code of steps comes from, and of what it requires."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from alo.errors import PlanError, Problem
from alo.layout import KINDS, Workspace
from alo.named_tuples import NamedTuple
from alo.plan.load import BrokenPlanError
from alo.plan.model import LOCAL, PipelinePlan, Plan, StepPlan
from alo.sources.git.checkout import Policy, needs_checkout
from alo.sources.git.repositories import (
    lacks_repository,
    repositories,
    source_problems,
    source_warnings,
)


class Findings(NamedTuple):
    """What is wrong, and what is only odd."""

    problems: Sequence[Problem]
    warnings: Sequence[Problem]


def source_findings(
    plan: Plan,
    workspace: Workspace,
    pipelines: Sequence[PipelinePlan],
    assets: Path,
    *,
    offline: bool,
) -> Findings:
    """What is to be said of the sources and requirements of a plan.

    Args:
        pipelines: that are to run.
        assets: the folder of the steps' folders; of a past run it is not the project's own, and
            nothing is fetched.
        offline: nothing but the cache may be used, so that the repositories do not matter.
    """
    problems: list[Problem] = []
    warnings: list[Problem] = []
    is_own = assets == workspace.assets
    if is_own:
        problems += source_problems(workspace, plan, pipelines)
        problems += [] if offline else _missing_repositories(plan, workspace, pipelines)
        warnings += source_warnings(plan, pipelines)
    if _requires_anything(plan):
        from alo.engine.checks.requirements import requirement_findings

        steps = [step for pipeline in pipelines for step in pipeline.steps]
        unread = [step.name for step in steps if is_own and is_fetched_later(workspace, plan, step)]
        wrong, odd = requirement_findings(plan, pipelines, assets, unread=unread)
        problems += wrong
        warnings += odd
    return Findings(problems, warnings)


def is_fetched_later(workspace: Workspace, plan: Plan, step: StepPlan) -> bool:
    """Whether what the step's folder holds now is not what will run."""
    if step.source.code == LOCAL:
        return False
    every = plan.control.get_asset_source == "every"
    return bool(needs_checkout(workspace, step, Policy(every)))


def with_source_problems(
    error: BrokenPlanError, workspace: Workspace, mode: str, *, offline: bool
) -> PlanError:
    """All that is wrong with a plan at once: also what its readable rest names."""
    kinds = KINDS if mode == "all" else (mode,)
    pipelines = [each for kind in kinds if (each := error.rest.pipeline(kind))]
    more = source_findings(error.rest, workspace, pipelines, workspace.assets, offline=offline)
    every = dict.fromkeys([*error.problems, *more.problems])
    return PlanError(sorted(every, key=lambda problem: (problem.line, problem.column)))


def _missing_repositories(
    plan: Plan, workspace: Workspace, pipelines: Sequence[PipelinePlan]
) -> Iterator[Problem]:
    for step in repositories(pipelines):
        if is_fetched_later(workspace, plan, step) and (what := lacks_repository(workspace, step)):
            yield plan.source_problem(step, what)


def _requires_anything(plan: Plan) -> bool:
    return any(step.source.requirements for each in plan.pipelines for step in each.steps)
