"""What a step is given: args, data, config with its ``meta``, and the ``envs`` of ALO 2.x.

And what comes of it; how it is run is in ``step.py``, which only a step that runs has to import.
"""

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from alo.engine.spec import Job
from alo.errors import StepError
from alo.events.log_files import PIPELINE_LOG
from alo.history.ids import stamp_of
from alo.layout import Workspace
from alo.named_tuples import NamedTuple
from alo.plan.model import StepPlan
from alo.version import __version__
from alolib.advice import COMMAND, SERVICE
from alolib.once import LoadedOnce

if TYPE_CHECKING:
    from alo.store import StoredStep
    from alolib.pruning import Pruner


META = "meta"  # the key of config that the engine sets afresh before each step


class StepTask(NamedTuple):
    """All that a step is given."""

    name: str
    home: Path
    envs: dict[str, object]
    args: Mapping[str, object]
    data: dict[str, object]
    config: dict[str, object]
    is_first: bool
    steps: tuple[str, ...]  # of this pipeline
    train_steps: tuple[str, ...]
    sample_resources: bool
    is_measured: bool = True  # what it costs is asked for
    loaded: LoadedOnce | None = None  # by load_once, where a process serves
    caller: str = COMMAND  # who runs it, for advice
    pruner: "Pruner | None" = None  # of the sweep that it is a trial of


class StepResult(NamedTuple):
    """What a step gave back and what it cost."""

    data: dict[str, object]
    config: dict[str, object]
    summary: Mapping[str, object] | None
    cpu_seconds: float
    peak_bytes: int
    sampled: str  # what the sampler saw, as a line; empty without one


class FailedStep(NamedTuple):
    """Why a step failed, and what it cost until then."""

    error: StepError
    cpu_seconds: float
    peak_bytes: int
    sampled: str


class Inputs(NamedTuple):
    """What a step is about to be run on."""

    step: StepPlan
    number: int  # in the pipeline, from 0
    code: Mapping[str, str]  # of its asset: name → checksum
    data_id: str
    incoming: "StoredStep | None"  # where the step before has stored what it saved


def make_task(
    job: Job,
    step: StepPlan,
    number: int,
    data: dict[str, object],
    config: dict[str, object],
    *,
    steps: tuple[str, ...],
    train_steps: tuple[str, ...],
    of_run: Mapping[str, object],
) -> StepTask:
    """The task of one step.

    Args:
        number: of the step in the pipeline, from 0.
        data, config: what the step before saved; empty at the first.
        steps, train_steps: the names of all steps of this pipeline, and of the train pipeline.
        of_run: what ``run_envs`` gives.
    """
    control, caller, origin = job.plan.control, job.execution.caller, job.execution.origin
    meta = step_meta(job.workspace, job.pipeline.name, step.name, number)
    return StepTask(
        name=step.name,
        home=job.workspace.home,
        envs={**of_run, **own_envs(job, step, number), "artifacts": meta["artifacts"]},
        args=step.args,
        data=dict(data),
        config={**config, META: meta},
        is_first=number == 0,
        steps=steps,
        train_steps=train_steps,
        sample_resources=control.check_resource,
        # Of a served request only history shows what its steps cost.
        is_measured=caller != SERVICE or control.backup_artifacts or control.check_resource,
        loaded=job.execution.loaded,
        caller=caller,
        pruner=origin.pruner if origin else None,
    )


def step_meta(workspace: Workspace, pipeline: str, step: str, number: int) -> dict[str, object]:
    """What the API page promises below ``config["meta"]``."""
    return {
        "artifacts": {**_folders(workspace)},
        "pipeline": pipeline,
        "step_number": number,
        "step": number,
        "step_name": step,
    }


@lru_cache(maxsize=4)
def _folders(workspace: Workspace) -> Mapping[str, str]:
    """For all steps of all requests of a service."""
    return {
        "input": _slashed(workspace.home / "input"),
        "train_artifacts": _slashed(workspace.artifacts("train")),
        "inference_artifacts": _slashed(workspace.artifacts("inference")),
        ".asset_interface": _slashed(workspace.interface),
        "history": _slashed(workspace.history),
    }


def _is_one_folder(one: Path, other: Path) -> bool:
    """By a look at each, as a served request pays for it."""
    try:
        return one == other or os.path.samefile(one, other)
    except OSError:  # one is not there
        return False


def run_envs(job: Job, started: float) -> dict[str, object]:
    """What ALO 2.x calls ``asset_envs``, as far as it is the same for all steps of a run.

    The artifacts are in ``project_home`` there.

    Args:
        started: when it began, in seconds since 1970.
    """
    external, control = job.plan.external, job.plan.control
    artifacts = _folders(job.workspace)[f"{job.pipeline.kind}_artifacts"]
    # In a rerun; a served pipeline's own workspace links to the project's.
    is_outside = not _is_one_folder(job.code.assets, job.workspace.assets)
    return {
        **({"asset_home": _slashed(job.code.assets)} if is_outside else {}),
        "project_home": _slashed(job.workspace.home),
        "pipeline": job.pipeline.name,
        "alo_version": __version__,
        "solution_metadata_version": job.metadata_version,
        "interface_mode": control.interface_mode,
        "proc_start_time": stamp_of(int(started)),
        "save_train_artifacts_path": external.save_train_artifacts_path,
        "save_inference_artifacts_path": external.save_inference_artifacts_path,
        "check_resource": control.check_resource,
        "log_file_path": f"{artifacts}log/{PIPELINE_LOG}",
    }


def own_envs(job: Job, step: StepPlan, number: int) -> dict[str, object]:
    """Those of ``asset_envs`` that are the step's own."""
    return {
        "step": step.name,
        "num_step": number,
        "prev_step": job.pipeline.steps[number - 1].name if number else "",
        "asset_branch": step.source.branch,
    }


def _slashed(path: Path) -> str:
    return f"{path}/"
