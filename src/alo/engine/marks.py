"""A run as it was after one of its steps, for a notebook: to go back to it, or to continue from it.

What a later step needs of those before it are their values, the files that they wrote, and what
they reported; a mark has all three.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from alo.copies import clone_or_copy
from alo.engine.pipeline_run import PipelineRun
from alo.engine.spec import Job, stores_steps
from alo.engine.steps.executor import StepValues
from alo.errors import RunError, UsageError
from alo.events.log_lines import info, warning
from alo.history.entries.save import entry_folder
from alo.history.record import RunRecord, StepRecord

Files = Mapping[str, tuple[object, ...]]  # name in a folder → what changes when it is written
FROM_THE_START = "run() runs all steps from the start"
SHOWN_NAMES = 5


class Mark(NamedTuple):
    """A run after one of its steps."""

    values: StepValues
    files: Files  # in the artifacts folder, but for the logs and the summary
    summary: bytes | None  # the file's content: a later step may save another one
    wrote_input: bool  # the step, or one before it, has changed the staged input data
    record: RunRecord


def input_files(run: PipelineRun) -> Files:
    """What is in the staged input data now."""
    return _files_of(run.workspace.input(run.kind))


def mark(run: PipelineRun, values: StepValues, inputs: Files) -> Mark:
    """The run as it is now, after a step.

    Args:
        inputs: what was in the input data when the run began.
    """
    return Mark(values, written(run), _summary(run), input_files(run) != inputs, run.record)


def go_back(run: PipelineRun, to: Mark | None, added: Collection[str]) -> None:
    """Take away what steps have written since a mark, and what they have reported.

    Args:
        to: None: the beginning of the run.
        added: the files and folders that those steps have added, also where they failed; others
            are of the person at the notebook, and stay.
    """
    known = to.files if to else {}
    _report_as(run, to)
    for name in sorted({*added} - known.keys(), reverse=True):
        _remove(run.artifacts / name)
    _report_changed(run, known, written(run))
    run.session.values = to.values if to else None


def find_files(job: Job, marks: Sequence[Mark], to: Mark, ended: RunRecord) -> Path | None:
    """Where the files of a run that has ended are; None: in the artifacts folder still.

    Args:
        marks: all of that run.
        to: the one to continue from.
    Raises:
        UsageError: the run cannot be continued.
    """
    if to.wrote_input:
        raise _not_continued("its steps have changed the input data, which each run has afresh")
    if not (to.values.is_live or stores_steps(job)):
        raise _not_continued("what a step has saved can only be read in that step's environment")
    entry = entry_folder(job.workspace, job.pipeline.kind, ended.id)
    if not entry.is_dir():
        raise _not_continued(f"run {ended.id} is not in history any more")
    there = _files_of(job.workspace.artifacts(job.pipeline.kind))
    if all(there.get(name) == stamp for name, stamp in marks[-1].files.items()):
        return None
    if not all(os.path.lexists(entry / name) for name in to.files):
        raise _not_continued(f"the files of run {ended.id} are not there any more")
    return entry


def continue_from(
    run: PipelineRun, marks: Sequence[Mark], number: int, ended: RunRecord, files: Path | None
) -> list[Mark]:
    """Have a new run be where another one was after a step.

    Args:
        run: begun and loaded.
        marks: all of the run that has ended.
        number: of the mark to continue from.
        files: as ``find_files`` gave it, before the run was begun.
    Returns:
        the marks up to that one, in the new run.
    Raises:
        RunError: the input data, or the model of an inference, is not what it was.
    """
    _refuse_other_inputs(run.record, ended)
    to = marks[number]
    for name in sorted(to.files):
        _copy((files or run.replaced_artifacts) / name, run.artifacts / name)
    _report_changed(run, to.files, marks[-1].files)
    steps = [step.name for step in to.record.steps]
    run.session.take_code_of(entry_folder(run.workspace, run.kind, ended.id), ended, steps)
    run.emit(info(f"as in run {ended.id}: {', '.join(steps)}"))
    now = written(run)
    moved = [_moved(each, now, run.record) for each in marks[: number + 1]]
    moved[-1] = moved[-1]._replace(values=run.session.adopt(to.values))
    _report_as(run, moved[-1])
    return moved


def _refuse_other_inputs(now: RunRecord, ended: RunRecord) -> None:
    pairs = {"input data": (now.data_id, ended.data_id), "model": (now.train_id, ended.train_id)}
    for what, (new, old) in pairs.items():
        if new != old:
            raise RunError(
                f"the {what} is not that of run {ended.id}, which this run would continue: "
                f"{new} instead of {old}",
                fix=FROM_THE_START,
            )


def _moved(old: Mark, now: Files, record: RunRecord) -> Mark:
    """A mark of a run that has ended as one of the run that continues it."""
    cached = tuple(StepRecord(s.name, "cached", 0.0, 0.0, 0, s.data_keys) for s in old.record.steps)
    then = old.record
    return old._replace(
        files={name: now[name] for name in old.files},
        record=_with_results(record, then)._replace(steps=cached),
    )


def _report_as(run: PipelineRun, to: Mark | None) -> None:
    """Have the run say of summary and steps what it said at the mark."""
    run.session.record = _with_results(run.record, to.record if to else None)
    file = _summary_file(run)
    if to and to.summary is not None:
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(to.summary)
    else:
        file.unlink(missing_ok=True)


def _with_results(record: RunRecord, then: RunRecord | None) -> RunRecord:
    if then is None:
        return record._replace(result="", score=None, note="", probability={}, steps=())
    return record._replace(
        result=then.result,
        score=then.score,
        note=then.note,
        probability=then.probability,
        steps=then.steps,
    )


def _report_changed(run: PipelineRun, before: Files, after: Files) -> None:
    changed = sorted(name for name, stamp in before.items() if after.get(name) != stamp)
    if changed:
        names = ", ".join(changed[:SHOWN_NAMES]) + (" ..." if len(changed) > SHOWN_NAMES else "")
        what = f"what earlier steps wrote has been changed since: {names}"
        run.emit(warning(f"{what}; it stays as it is now, and {FROM_THE_START}"))


def _not_continued(why: str) -> UsageError:
    return UsageError(f"the run before cannot be continued: {why}", fix=FROM_THE_START)


def _summary_file(run: PipelineRun) -> Path:
    return run.artifacts / "score" / f"{run.kind}_summary.yaml"


def _summary(run: PipelineRun) -> bytes | None:
    try:
        return _summary_file(run).read_bytes()
    except OSError:
        return None


def written(run: PipelineRun) -> Files:
    """What is in the artifacts folder, but for the logs and the summary."""
    summary = _summary_file(run).relative_to(run.artifacts).as_posix()
    return {name: stamp for name, stamp in _files_of(run.artifacts).items() if name != summary}


def _files_of(folder: Path) -> Files:
    """What is in a folder, the logs left out; links are not followed."""
    found: dict[str, tuple[object, ...]] = {}
    waiting = [(os.fspath(folder), "")]
    while waiting:
        path, prefix = waiting.pop()
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(path) as entries:
            for entry in entries:
                name = prefix + entry.name
                if name == "log":
                    continue
                found[name] = _stamp(entry)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, f"{name}/"))
    return found


def _stamp(entry: os.DirEntry[str]) -> tuple[object, ...]:
    """What changes when it is written; of a folder nothing does."""
    if entry.is_symlink():
        return ("link", os.readlink(entry.path))
    if entry.is_dir():
        return ("folder",)
    status = entry.stat()  # one call for each: input data may be many files
    return ("file", status.st_size, status.st_mtime_ns, status.st_ino)


def _copy(source: Path, target: Path) -> None:
    if source.is_symlink():
        os.symlink(os.readlink(source), target)
    elif source.is_dir():
        target.mkdir(exist_ok=True)
    else:
        clone_or_copy(source, target)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        with suppress(OSError):  # something else is in it
            path.rmdir()
    else:
        path.unlink(missing_ok=True)
