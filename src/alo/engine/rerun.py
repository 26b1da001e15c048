"""Run a past run again from its history entry: its plan, code and model, on its data (spec 8)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from alo.claims import locked_folder
from alo.copies import copy_and_hash
from alo.engine.checks.preflight import Checked, check_plan, find_workspace
from alo.engine.records import args_of
from alo.engine.request import RunOutcome, RunRequest
from alo.engine.run import run_solution
from alo.engine.spec import Part
from alo.errors import CheckError, HistoryError, Problem
from alo.events.types import Listener
from alo.files import discard
from alo.history.browse import Entry, History
from alo.history.ids import param_id
from alo.history.models_origin import EXTERNAL_MODEL, NO_TRAIN_RUN
from alo.history.record import RunRecord
from alo.layout import ASSETS, PLAN_NAME, Workspace, find_plan, in_entry
from alo.plan.load import load_plan
from alo.plan.passwords import unknown_urls, with_passwords_of


def rerun(home: Path, run_id: str, listener: Listener, *, wait: bool = True) -> RunOutcome:
    """Run again what a history entry describes, to the same ids; the result is a new run.

    Args:
        run_id: of the run, or the beginning of it.
    Raises:
        HistoryError: the entry is not there or not whole, or the model's train run is gone.
        RunError: the input data is not that of the run.
    """
    workspace = find_workspace(home)
    entry = History(workspace).find(run_id)
    with _code_of(entry, workspace) as assets:
        request = RunRequest(workspace.home, wait=wait)
        (outcome,) = run_solution(request, listener, lambda: _check(entry, workspace, assets))
    return outcome


def _check(entry: Entry, workspace: Workspace, assets: Path) -> Checked:
    record = entry.record
    plan = load_plan(entry.folder / PLAN_NAME, home=workspace.home)
    current = None
    with suppress(CheckError):  # a project may have no plan, or another one, by now
        current = load_plan(find_plan(workspace.home), home=workspace.home)
        plan = with_passwords_of(plan, current)
    train_id = "" if record.train_id in ("", NO_TRAIN_RUN, EXTERNAL_MODEL) else record.train_id
    if train_id:
        require_models(workspace, train_id)
    checked = check_plan(
        plan,
        workspace,
        record.pipeline,
        changes=record.overrides,
        metadata_version=record.metadata_version,
        assets=assets,
        code_shown=str(entry.folder),
        train_id=train_id,
    )
    _require_args(checked, entry)
    files: Any = record.data_id_description.get("files") or {}
    expected = (record.data_id, dict(files)) if record.data_id else None
    part = Part.of_text(record.part)
    jobs = [
        job._replace(inputs=job.inputs._replace(expected_data=expected), part=part)
        for job in checked.jobs
    ]
    notes = [*_not_the_same(record), *map(_read_bare, unknown_urls(plan, current))]
    warnings = [*checked.warnings, *map(Problem, notes)]
    return checked._replace(jobs=tuple(jobs), warnings=tuple(warnings))


def _read_bare(url: str) -> str:
    what = f"{url} is not in the project's plan: it is read without password and query"
    return f"{what}, which history does not keep"


def _require_args(checked: Checked, entry: Entry) -> None:
    """The plan in the entry has to give the args that the run had."""
    wanted = entry.record.param_id
    for job in checked.jobs:
        if wanted and wanted != param_id(args_of(job)):
            raise HistoryError(
                f"the plan in history does not give the args of run {entry.record.id}",
                where=str(entry.folder / PLAN_NAME),
                fix=f"alo history verify {entry.record.id} shows whether it has been changed",
            )


def _not_the_same(record: RunRecord) -> Iterator[str]:
    """In what the new run may not be as the old one was."""
    if record.part:
        last = Part.of_text(record.part).last
        what = f"{record.id} was a run of a part ({record.part})"
        yield f"{what}: the steps up to '{last}' run, and the artifacts stay as they are"
    if record.train_id == NO_TRAIN_RUN:
        what = f"it is not known which model {record.id} used"
        yield f"{what}: what is in train_artifacts/models/ now is used"
    if record.train_id == EXTERNAL_MODEL:
        what = f"the model of {record.id} came from outside"
        yield f"{what}: it is loaded from there again, as it is now"


def require_models(workspace: Workspace, train_id: str) -> str:
    """The whole id of a train run whose models are in history.

    Raises:
        HistoryError: there is no such run, or it has no models that can be used.
    """
    entry = History(workspace).find(train_id)
    if problem := _no_models(entry):
        raise HistoryError(
            f"run {entry.record.id} {problem}",
            where=str(entry.folder),
            fix="name another run: alo history --mode train --status success lists them",
        )
    return entry.record.id


def _no_models(entry: Entry) -> str:
    """Why the run has no models for others to use; empty: it has."""
    if entry.record.pipeline != "train":
        return "is an inference run, which makes no model that can be used"
    if entry.record.status != "success":
        return "did not succeed: its models may be half made"
    if entry.record.models_dropped:
        return f"has its models no more: {entry.record.models_dropped}"
    if not (entry.folder / "models").is_dir():
        return "has no models: its steps wrote none, or backup_artifacts was False"
    return ""


@contextmanager
def _code_of(entry: Entry, workspace: Workspace) -> Iterator[Path]:
    """The entry's code in a folder of its own: history holds nothing that a run writes to."""
    files: Any = entry.record.code_id_description.get("files") or {}
    if not files:
        raise HistoryError(
            f"the history entry of {entry.record.id} does not say what its code is",
            where=str(entry.folder),
        )
    workspace.internal.mkdir(exist_ok=True)
    home, descriptor = locked_folder(workspace.past_code)
    try:
        for name, known in dict(files).items():
            _copy(entry, name, known, home / name)
        yield home / ASSETS
    finally:
        discard(home)
        os.close(descriptor)


def _copy(entry: Entry, name: str, known: str, target: Path) -> None:
    source = entry.folder / in_entry(name)
    if os.pardir in Path(name).parts or os.path.isabs(name):
        raise HistoryError(f"{name} cannot be a file of a project's code", where=str(entry.folder))
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        is_same = copy_and_hash(source, target) == known
    except FileNotFoundError:
        is_same = False
    if not is_same:
        raise HistoryError(
            f"{name} in history is not what run {entry.record.id} was made with",
            where=str(source),
            fix=f"alo history verify {entry.record.id} shows what else has been changed",
        )
