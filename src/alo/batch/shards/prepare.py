"""What a batch has before its first shard: plan, input, model and code, each with its id."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from alo.batch.cutting.inputs import list_inputs
from alo.batch.shards.definition import Definition
from alo.data.export import try_export_target
from alo.data.location import Access, LocationError, SourceFile
from alo.data.models import fetch_models, has_files
from alo.data.progress import Report
from alo.data.staging import Staged
from alo.engine.checks.preflight import (
    OFFLINE,
    ONLINE,
    Checked,
    check_plan,
    find_workspace,
    read_plan,
)
from alo.engine.loading import load_data
from alo.engine.records import args_of
from alo.engine.request import RunRequest
from alo.engine.rerun import require_models
from alo.engine.spec import Job
from alo.engine.steps.code import RunCode
from alo.errors import CheckError, HistoryError, Problem, StagingError, UsageError
from alo.executors.depot import Depot
from alo.history.entries.names import entry_folder
from alo.history.ids import param_id
from alo.history.models_origin import EXTERNAL_MODEL, NO_TRAIN_RUN, current_train_id
from alo.layout import Workspace
from alo.plan.metadata import PipelineMetadata, SolutionMetadata, apply_metadata

KIND = "inference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """All that the shards are made from."""

    job: Job  # the run that they are to become; its input and model are in their places
    files: tuple[SourceFile, ...]  # of the input as it is staged, in its order
    ids: Mapping[str, str]  # of the input, its order, the model, the code and the args
    code: Mapping[str, str]  # name → checksum
    model: str  # digest of its folder; empty: there is none
    train_id: str  # the run that has made it; empty: none is known


def check_batch(definition: Definition, request: RunRequest) -> Checked:
    """Check what a batch needs, with all that was typed in place of the plan.

    Raises:
        CheckError: with every problem that was found.
        UsageError: there is no such model.
        LocationError: artifacts cannot be saved where they are to be.
    """
    workspace = find_workspace(request.home)
    plan, changes, version = read_plan(request, workspace)
    typed = PipelineMetadata(
        KIND,
        dataset_uri=definition.sources or None,
        artifact_uri=definition.out,
        model_uri="" if definition.model else None,
    )
    metadata = SolutionMetadata("alo infer", pipelines=(typed,))
    plan, more = apply_metadata(plan, metadata, [KIND])
    with _as_typed(definition):
        train_id = require_models(workspace, definition.model) if definition.model else ""
        checked = check_plan(
            plan,
            workspace,
            KIND,
            changes=(*changes, *more),
            metadata_version=version,
            network=OFFLINE if request.setup.offline else ONLINE,
            train_id=train_id,
        )
    for job in checked.jobs:
        if (target := job.outputs.export_target) is not None:
            try_export_target(target)  # which a batch of hours is to find out now
    return checked


@contextmanager
def _as_typed(definition: Definition) -> Iterator[None]:
    """What is wrong with a place that was typed is not said of the plan."""
    words = {
        "external_path.load_inference_data_path": "SOURCE" if definition.sources else "",
        "external_path.save_inference_artifacts_path": "--out" if definition.out else "",
    }
    try:
        yield
    except HistoryError as error:
        raise UsageError(f"--model: {error.what}", where=error.where, fix=error.fix) from error
    except CheckError as error:
        problems = [
            Problem(each.what, key=word) if (word := words.get(each.key)) else each
            for each in error.problems
        ]
        raise CheckError(problems, fix=error.fix) from error


def prepare(job: Job, scratch: Path, depot: Depot, report: Report) -> Prepared:
    """Have input, model and code in their places, and say which they are.

    Args:
        job: as the check has found it; the workspace is the caller's alone.
        scratch: a folder for what lasts no longer than the batch is driven.
        report: of the staging.
    Raises:
        StagingError: input or model cannot be read.
        RunError: the code cannot be read.
    """
    staged = load_data(job, report)
    job, models, train_id = _with_models(job, scratch)
    code = RunCode(job.code.assets, scratch / "code", workspace=job.workspace.home)
    code.take([step.name for step in job.pipeline.steps])
    model = depot.add_folder(models) if models.is_dir() and has_files(models) else ""
    files = tuple(_staged_files(job, staged))
    ids = {
        "data_id": staged.data_id,
        "order": _order_of(files),
        "model": model,
        "code_id": code.id,
        "param_id": param_id(args_of(job)),
    }
    # What is staged now is what runs, whatever becomes of its sources.
    inputs = job.inputs._replace(
        sources=None, lists_late=False, expected_data=(staged.data_id, dict(staged.files))
    )
    return Prepared(
        job=job._replace(inputs=inputs),
        files=files,
        ids=ids,
        code=dict(code.checksums),
        model=model,
        train_id="" if train_id == NO_TRAIN_RUN else train_id,
    )


def _order_of(files: Sequence[SourceFile]) -> str:
    """Checksum of the files' names as they come; the input's id is the same in any order."""
    names = json.dumps([file.name for file in files])
    return sha256(names.encode()).hexdigest()


def _with_models(job: Job, scratch: Path) -> tuple[Job, Path, str]:
    """The job, where its models are, and which run has made them."""
    inputs = job.inputs
    if train_id := inputs.train_id:
        return job, entry_folder(job.workspace, "train", train_id) / "models", train_id
    if inputs.model_source is not None:
        fetched = scratch / "models"
        fetch_models(inputs.model_source, fetched)
        return job._replace(inputs=inputs._replace(model_source=fetched)), fetched, EXTERNAL_MODEL
    return job, job.workspace.models, current_train_id(job.workspace)


def _staged_files(job: Job, staged: Staged) -> list[SourceFile]:
    """The input's files as they are staged: those of the sources in their order, then others."""
    root = job.workspace.input(KIND)
    if job.inputs.sources is None:
        return _listed(sorted(root.iterdir()), job.workspace)
    paths, access = job.plan.external.load_data(KIND), Access(job.plan.aws_key_profile)
    try:
        found = list_inputs(job.workspace.home, paths, root, access)
        here = [_here(root, file) for file in found]
    except (LocationError, OSError) as error:
        raise StagingError(
            f"a source changed while it was being staged: {error}",
            fix="try again when nothing writes to it",
        ) from error
    known = {file.name for file in here}
    foreign = [SourceFile("", name, 0, 0) for name in staged.foreign if name not in known]
    return [*here, *(_here(root, file) for file in foreign)]


def _here(root: Path, file: SourceFile) -> SourceFile:
    """A file of a source, where it is staged."""
    if file.is_folder:
        return file
    path = root / file.name
    status = os.stat(path)
    return SourceFile(str(path), file.name, status.st_size, status.st_mtime_ns)


def _listed(tops: list[Path], workspace: Workspace) -> list[SourceFile]:
    paths = [str(each) for each in tops]
    return list_inputs(workspace.home, paths, workspace.scratch())
