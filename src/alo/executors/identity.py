"""Which data and code a run would have now, without running it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from os import close

from alo.claims import locked_folder
from alo.engine.loading import load_data
from alo.engine.spec import Job
from alo.engine.steps.code import RunCode
from alo.files import discard
from alo.layout import Workspace


def ids_of(job: Job) -> Mapping[str, str]:
    """The data_id and the code_id that a run of this job would begin with.

    Raises:
        StagingError, RunError: data or code cannot be read.
    """
    job.workspace.internal.mkdir(exist_ok=True)
    folder, descriptor = locked_folder(job.workspace.past_code)
    with ExitStack() as ending:
        ending.callback(close, descriptor)
        ending.callback(discard, folder)
        scratch = (
            job._replace(workspace=Workspace(folder)) if job.inputs.sources is not None else job
        )
        data_id = load_data(scratch, _no_report).data_id
        code = RunCode(job.code.assets, folder / "code", workspace=job.workspace.home)
        code.take([step.name for step in job.pipeline.steps])
        return {"data_id": data_id, "code_id": code.id}


def _no_report(done: int, total: int) -> None:
    """It is not shown."""
