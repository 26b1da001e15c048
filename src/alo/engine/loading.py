"""What a run needs, brought in: its input data, and for an inference the models."""

import os
from collections.abc import Sequence

from alo.data.location import Access, LocationError, SourceFile
from alo.data.locations import list_sources
from alo.data.progress import Report
from alo.data.staging import Staged, stage, use_what_is_there
from alo.engine.spec import Job
from alo.engine.workspace.unfinished import UnfinishedRun
from alo.errors import RunError, StagingError
from alo.history.entries.save import copy_tree, entry_folder
from alo.history.models_origin import EXTERNAL_MODEL, current_train_id, write_origin
from alo.processes.signals import SignalGuard


def load_data(job: Job, report: Report) -> Staged:
    """Have the input data in its place.

    Raises:
        StagingError: it cannot be read, or the run that was to make it has not.
        RunError: it is not what a rerun needs.
    """
    workspace, kind = job.workspace, job.pipeline.kind
    if job.inputs.sources is None:
        staged = use_what_is_there(workspace, kind)
    else:
        access = Access(job.plan.aws_key_profile)
        sources = _made_by_now(job, access) if job.inputs.lists_late else job.inputs.sources
        staged = stage(workspace, kind, sources, report, access)
    _refuse_other_data(job, staged)
    return staged


def _made_by_now(job: Job, access: Access) -> Sequence[SourceFile]:
    workspace, kind = job.workspace, job.pipeline.kind
    paths = job.plan.external.load_data(kind)
    try:
        return list_sources(workspace.home, paths, workspace.input(kind), access)
    except LocationError as error:
        what = f"{error.what}, also after the run that was to make it"
        raise StagingError(what, where=error.where, fix=error.fix) from error


def load_models(job: Job, run: UnfinishedRun, guard: SignalGuard) -> str:
    """Have the models of an inference in their place; returns the train run that made them.

    Models from outside stay; those of a past run are lent, and those before them put back.
    """
    workspace = job.workspace
    inputs = job.inputs
    if inputs.train_id:
        run.replace_models(borrowed=True)
        copy_tree(entry_folder(workspace, "train", inputs.train_id) / "models", workspace.models)
        return inputs.train_id
    if inputs.model_source is not None:
        from alo.data.models import fetch_models

        fetched = workspace.unfinished / "fetched-models"
        fetch_models(inputs.model_source, fetched)
        with guard.held():
            run.replace_models(borrowed=False)
            os.rename(fetched, workspace.models)
            write_origin(workspace, EXTERNAL_MODEL)
    train_id = current_train_id(workspace)
    run.note(train_id=train_id)  # for whoever finds the models spoilt
    return train_id


def _refuse_other_data(job: Job, staged: Staged) -> None:
    if job.inputs.expected_data is None:
        return
    data_id, expected = job.inputs.expected_data
    if data_id == staged.data_id:
        return
    names = sorted({*expected, *staged.files})
    changed = [name for name in names if expected.get(name) != staged.files.get(name)]
    differ = f"{len(changed)} files differ, {', '.join(changed[:5])}"
    raise RunError(
        f"the input data is not that of the run: {differ}",
        where=str(job.workspace.input(job.pipeline.kind)),
        fix="bring the data of that run back; `alo history show` says where it came from",
    )
