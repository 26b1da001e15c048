"""Whether the project's folders can take a run: there, writable, with room, and ours to replace.

A run replaces whole folders, by renaming them, so that it can be undone. What is mounted in one of
them could not go with it, and is not ours to empty: a problem, reported before anything changes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alo.data.location import SourceFile
from alo.data.manifest import read_manifest
from alo.data.staging import bytes_to_copy
from alo.errors import Problem
from alo.layout import KINDS, OWN_FOLDERS, Workspace
from alo.mounts import mount_point, mounted_in
from alolib.disk import free_bytes

if TYPE_CHECKING:
    from alo.engine.spec import Job

SPARE_BYTES = 10_000_000  # for logs, the history entry and small artifacts
ELSEWHERE = "mount it at the project's folder, or elsewhere"
OF_ARTIFACTS = ("models", "output", "extra_output", "report", "score", "log")


def place_problems(workspace: Workspace, jobs: Sequence[Job], *, serves: bool) -> Iterator[Problem]:
    """What of the project's folders would stop these jobs.

    Args:
        serves: they run in workspaces of their own, and replace nothing here.
    """
    yield from _folder_problems(workspace, jobs, serves)
    for job in () if serves else jobs:
        yield from _volume_problems(job)
    yield from _room_problems(workspace, jobs)


def place_warnings(jobs: Sequence[Job]) -> Iterator[Problem]:
    """What a run does to folders that its user may not expect."""
    for job in jobs:
        artifacts = job.workspace.artifacts(job.pipeline.kind)
        folders = [artifacts, *(artifacts / name for name in OF_ARTIFACTS)]
        if _brings_models(job):
            folders.append(job.workspace.models)
        for folder in folders:
            if folder.is_symlink():
                what = "a link: a run puts a folder in its place, and leaves what it leads to"
                yield Problem(what, str(folder))


def _brings_models(job: Job) -> bool:
    return job.inputs.model_source is not None or bool(job.inputs.train_id)


def _folder_problems(workspace: Workspace, jobs: Sequence[Job], serves: bool) -> Iterator[Problem]:
    """What the run will have to write to at its end is better known to be in the way now."""
    kinds = [job.pipeline.kind for job in jobs]
    below = [os.path.join(top, kind) for top in ("input", "history") for kind in kinds]
    read_only = _only_read(jobs, serves)
    for name in (*OWN_FOLDERS, *below):
        folder = workspace.home / name
        if not os.path.lexists(folder):
            continue
        if not folder.is_dir():
            what = "a file, or a link that leads nowhere, is where a folder belongs: remove it"
            yield Problem(what, str(folder))
        elif name not in read_only and not os.access(folder, os.W_OK | os.X_OK):
            yield Problem("no permission to write to this folder", str(folder))
    if not os.access(workspace.home, os.W_OK | os.X_OK):
        yield Problem("no permission to write to the project's folder", str(workspace.home))


def _only_read(jobs: Sequence[Job], serves: bool) -> set[str]:
    """Folders that these jobs write nothing to: volumes that are mounted read-only, say."""
    kinds = {job.pipeline.kind for job in jobs}
    writing = () if serves else jobs
    staged = {job.pipeline.kind for job in writing if job.inputs.sources is not None}
    names = {os.path.join("input", kind) for kind in kinds - staged}
    if not staged:
        names.add("input")
    names |= {f"{kind}_artifacts" for kind in KINDS if serves or kind not in kinds}
    if any(map(_brings_models, writing)):
        names.discard("train_artifacts")
    return names


def _volume_problems(job: Job) -> Iterator[Problem]:
    workspace, kind = job.workspace, job.pipeline.kind
    yield from volumes(
        workspace.artifacts(kind),
        f"a {kind} run replaces {kind}_artifacts/ as a whole",
        f"{ELSEWHERE} and name that in save_{kind}_artifacts_path"
        + (" (load_model_path reads a model from there)" if kind == "train" else ""),
    )
    if _brings_models(job):
        what = "the models that this run uses take the place of train_artifacts/models/"
        yield from volumes(workspace.models, what, f"{ELSEWHERE} and name it in load_model_path")
        yield from _disk_problems(workspace, what)
    if job.inputs.sources is not None:
        yield from _staging_problems(job, job.inputs.sources)
    yield from volumes(workspace.unfinished, "each run makes and removes this folder", "unmount it")


def _staging_problems(job: Job, sources: Sequence[SourceFile]) -> Iterator[Problem]:
    """Volumes where data is copied to, or was by an earlier run: the old copies are removed."""
    kind, workspace = job.pipeline.kind, job.workspace
    root = os.path.realpath(workspace.input(kind))
    points = [point for point in mounted_in(root) if point != root]
    if not points:
        return
    known = read_manifest(workspace.staging_manifest(kind)).sources
    names = {name.partition("/")[0] for name in (*known, *(file.name for file in sources))}
    for point in points:
        if os.path.relpath(point, root).split(os.sep)[0] in names:
            yield Problem(
                f"a volume is mounted here, and load_{kind}_data_path is copied to this folder, or "
                "was: name the volume's own path there, or leave the path empty to use what is "
                "there; or mount it under another name",
                point,
            )


def volumes(folder: Path, what: str, fix: str) -> Iterator[Problem]:
    """What is mounted at or below a folder that is to be replaced."""
    if folder.is_symlink() or not folder.exists():  # of a link only the link is replaced
        return
    for point in mounted_in(folder):
        yield Problem(f"a volume is mounted here, and {what}: {fix}", point)


def _disk_problems(workspace: Workspace, what: str) -> Iterator[Problem]:
    folder = workspace.artifacts("train")
    if folder.exists() and mount_point(folder) != mount_point(workspace.home):
        yield Problem(
            f"this folder is on another disk than the project, and {what}, which has to be on the "
            f"same one: {ELSEWHERE} and name it in load_model_path",
            str(folder),
        )


def _room_problems(workspace: Workspace, jobs: Sequence[Job]) -> Iterator[Problem]:
    free = free_bytes(workspace.home)
    sizes = sum(file.known_size for job in jobs for file in job.inputs.sources or ())
    if free is None or free >= SPARE_BYTES + sizes:
        return
    # Only now it matters which of them are here already.
    needed = SPARE_BYTES + sum(
        bytes_to_copy(workspace, job.pipeline.kind, sources)
        for job in jobs
        if (sources := job.inputs.sources)
    )
    if free < needed:
        what = f"the disk has {free / 1e6:,.0f} MB free and the run needs {needed / 1e6:,.0f} MB"
        yield Problem(f"{what}: make room on it", str(workspace.home))
