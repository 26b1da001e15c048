"""The steps before the first swept one, which are alike in all trials and run once for all."""

from __future__ import annotations

from alo.batch.sweep.definition import Definition
from alo.engine.spec import Job
from alo.plan.model import StepPlan


def prefix_of(definition: Definition, job: Job) -> str:
    """The last step of the train pipeline before the first one that a swept arg reaches."""
    swept = {param.step for param in definition.params if param.pipeline == "train"}
    swept.add(definition.seed_arg.partition(".")[0])
    last = ""
    for step in job.pipeline.steps:
        if step.name in swept:
            return last
        last = step.name
    return last


def with_cached_prefix(job: Job, prefix: str) -> Job:
    """The job whose steps up to this one run once for all trials, whatever the plan's cache is."""
    if not prefix:
        return job
    steps: list[StepPlan] = []
    is_before = True
    wanted = job.plan.control.cache
    for step in job.pipeline.steps:
        steps.append(step._replace(cache=is_before or (wanted and step.cache)))
        is_before = is_before and step.name != prefix
    pipeline = job.pipeline._replace(steps=tuple(steps))
    plan = job.plan._replace(control=job.plan.control._replace(cache=True))
    return job._replace(plan=plan.with_pipeline(pipeline), pipeline=pipeline)
