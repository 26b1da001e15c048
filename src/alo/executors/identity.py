"""Which data and code a run would have now, without running it."""

from __future__ import annotations

from collections.abc import Mapping

from alo.engine.loading import load_data
from alo.engine.spec import Job
from alo.engine.steps.code import RunCode
from alo.executors.scratch import scratch_folder
from alo.layout import Workspace


def ids_of(job: Job) -> Mapping[str, str]:
    """The data_id and the code_id that a run of this job would begin with.

    Raises:
        StagingError, RunError: data or code cannot be read.
    """
    with scratch_folder(job.workspace) as folder:
        scratch = (
            job._replace(workspace=Workspace(folder)) if job.inputs.sources is not None else job
        )
        data_id = load_data(scratch, _no_report).data_id
        code = RunCode(job.code.assets, folder / "code", workspace=job.workspace.home)
        code.take([step.name for step in job.pipeline.steps])
        return {"data_id": data_id, "code_id": code.id}


def _no_report(done: int, total: int) -> None:
    """It is not shown."""
