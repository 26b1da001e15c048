"""What the steps of some jobs require: read, put together, and checked before anything is fetched.

Imported only where a plan requires something.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from alo.errors import CheckError, Problem
from alo.masking import masked
from alo.plan.model import PipelinePlan, Plan, StepPlan
from alo.sources.packages.requirements import (
    NOTHING,
    Requirement,
    RequirementsError,
    Wanted,
    all_of,
    read_requirements,
)

if TYPE_CHECKING:
    from alo.engine.spec import Job


NO_FOLDERS: Mapping[str, Path] = {}


class Environments(NamedTuple):
    """What the steps of some jobs require."""

    project: Wanted
    isolated: Mapping[str, Wanted]  # by step
    by_pipeline: Mapping[str, Sequence[Requirement]]  # all of them, by name of the pipeline

    @property
    def every(self) -> list[Wanted]:
        """What each environment requires: the project's own first, then those of isolated steps."""
        return [self.project, *self.isolated.values()]


def environments_of(jobs: Sequence[Job]) -> Environments:
    """What the steps of these jobs require: together, and those that have their own.

    Raises:
        CheckError: requirements are wrong or contradict each other.
    """
    plan = jobs[0].plan
    problems, parts = _read_each(plan, [job.pipeline for job in jobs], jobs[0].code.assets)
    return together(plan, parts, problems)


def together(
    plan: Plan, parts: Sequence[Environments], problems: Sequence[Problem] = ()
) -> Environments:
    """One set of environments for several pipelines.

    Raises:
        CheckError: with these problems, and with the requirements that contradict each other.
    """
    found = _together(parts)
    if listed := list(dict.fromkeys([*problems, *_conflicts(plan, found)])):
        raise CheckError(listed)
    return found


def requirement_findings(
    plan: Plan,
    pipelines: Sequence[PipelinePlan],
    assets: Path,
    *,
    unread: Collection[str] = (),
    folders: Mapping[str, Path] = NO_FOLDERS,
) -> tuple[list[Problem], list[Problem]]:
    """What is wrong with the requirements of a plan, and what is only odd.

    Args:
        pipelines: that are to run; of the others only what the plan itself says is looked at.
        unread: steps whose code is not there yet.
        folders: of steps whose code is not in its place yet.
    """
    kinds = [pipeline.kind for pipeline in pipelines]
    others = [pipeline for pipeline in plan.pipelines if pipeline.kind not in kinds]
    names = [step.name for pipeline in others for step in pipeline.steps]
    problems, parts = _read_each(plan, pipelines, assets, unread, folders)
    problems += [
        each for each in _read_each(plan, others, assets, names)[0] if each not in problems
    ]
    found = _together(parts)
    warnings = [warning for wanted in found.every for warning in wanted.warnings]
    warnings += _conflicts_with_alo(plan, found)
    listed = dict.fromkeys([*problems, *_conflicts(plan, found)])
    return list(listed), list(dict.fromkeys(warnings))


def _read_each(
    plan: Plan,
    pipelines: Sequence[PipelinePlan],
    assets: Path,
    unread: Collection[str] = (),
    folders: Mapping[str, Path] = NO_FOLDERS,
) -> tuple[list[Problem], list[Environments]]:
    """All problems, and what each pipeline requires, as far as it can be read."""
    problems: list[Problem] = []

    def read(steps: Sequence[StepPlan]) -> Wanted:
        try:
            return read_requirements(steps, assets, plan, unread=unread, folders=folders)
        except RequirementsError as error:
            problems.extend(error.problems)
            return error.readable

    parts = [_read(pipeline, read) for pipeline in pipelines]
    return list(dict.fromkeys(problems)), parts


def _read(pipeline: PipelinePlan, read: Callable[[Sequence[StepPlan]], Wanted]) -> Environments:
    """What the steps of one pipeline require."""
    if not any(step.source.requirements or step.environment for step in pipeline.steps):
        return Environments(NOTHING, {}, {})
    project = read([step for step in pipeline.steps if not step.environment])
    isolated = {step.name: read([step]) for step in pipeline.steps if step.environment}
    order = [step.name for step in pipeline.steps]
    every = [each for one in (project, *isolated.values()) for each in one.requirements]
    every.sort(key=lambda each: order.index(each.step))
    return Environments(project, isolated, {pipeline.name: every})


def _together(parts: Sequence[Environments]) -> Environments:
    names = dict.fromkeys(step for part in parts for step in part.isolated)
    isolated = {
        step: all_of([part.isolated[step] for part in parts if step in part.isolated])
        for step in names
    }
    lists = {name: each for part in parts for name, each in part.by_pipeline.items()}
    return Environments(all_of([part.project for part in parts]), isolated, lists)


def _conflicts(plan: Plan, found: Environments) -> Iterator[Problem]:
    """Requirements that no version satisfies, as far as that is known without an index."""
    from alo.sources.packages.installed import conflicts

    for wanted in found.every:
        for one, other in conflicts(wanted.requirements, wanted.limits):
            yield _conflict(plan, one, other, _way_out(one, other))


def _conflicts_with_alo(plan: Plan, found: Environments) -> Iterator[Problem]:
    """Requirements that cannot be installed together with ALO itself."""
    from alo.sources.packages.installed import conflicts
    from alo.sources.packages.own_package import needs_of_alo

    own = needs_of_alo() if any(found.every) else []
    for wanted in found.every:
        for one, other in conflicts(wanted.requirements, own):
            if not other.step:
                way_out = (
                    "it cannot be installed together with ALO, which runs in the same environment"
                )
                yield _conflict(plan, one, other, way_out)


def _conflict(plan: Plan, one: Requirement, other: Requirement, way_out: str) -> Problem:
    place = other.place if other.place.file else one.place
    what = (
        f"no version of {one.name} satisfies both '{one.text}' of {one.origin} and "
        f"'{other.text}' of {other.origin}: {way_out}"
    )
    return place._replace(what=f"{place.what}{masked(what)}", file=place.file or plan.file)


def _way_out(one: Requirement, other: Requirement) -> str:
    if one.step == other.step:
        return "change one"
    return (
        "change one, or give one of the steps packages of its own "
        "(environment: isolated, next to the step in user_parameters)"
    )
