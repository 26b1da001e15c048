"""The jobs of a driver, with the paths of a node in the place of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from alo.data.location import SourceFile, is_remote
from alo.engine.spec import Job
from alo.layout import Workspace


def local_sources(job: Job) -> dict[str, Path]:
    """The data of a job that is on the driver's machine: where each file is, by its name as input.

    An empty folder is not among them.
    """
    return {
        each.name: Path(each.path)
        for each in job.inputs.sources or ()
        if not (each.is_folder or is_remote(each.path))
    }


def rebased(job: Job, kept: Workspace, data: Path | None, models: Path | None) -> Job:
    """A job as a node runs it.

    Args:
        kept: whose history its runs go into.
        data: the folder with its local sources; None: it has none.
        models: in the place of its ``load_model_path``; None: that is not local.
    """
    inputs = job.inputs
    if inputs.sources is not None and data is not None:
        inputs = inputs._replace(sources=tuple(_here(each, data) for each in inputs.sources))
    return job._replace(
        workspace=kept,
        code=job.code._replace(assets=kept.assets, pythons={}),
        inputs=inputs._replace(model_source=models or inputs.model_source),
        outputs=job.outputs._replace(export_target=None),
        execution=job.execution._replace(loaded=None),
    )


def _here(source: SourceFile, data: Path) -> SourceFile:
    if source.is_folder or is_remote(source.path):
        return source
    path = data / source.name
    status = os.stat(path)
    return source._replace(path=str(path), size=status.st_size, mtime_ns=status.st_mtime_ns)


def with_pythons(jobs: Mapping[str, Job], pythons: Mapping[str, str]) -> dict[str, Job]:
    """The jobs with the interpreters of steps that have environments of their own."""
    return {
        kind: job._replace(code=job.code._replace(pythons=pythons)) for kind, job in jobs.items()
    }
