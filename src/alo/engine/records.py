"""The record of a run as it begins, its summary, and what a caller gets of it in the end."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alo.engine.environment import GitState, python_version
from alo.engine.request import RunOutcome
from alo.engine.spec import Job, Original
from alo.history.ids import new_run_id, utc_text
from alo.history.models_origin import NO_TRAIN_RUN
from alo.history.record import RunRecord
from alo.masking import masked
from alo.sources.git.checkout import current_checkouts
from alo.version import __version__
from alolib.summary import EXACT_SCORE


def first_record(job: Job, started: float) -> RunRecord:
    """What is known of a run before it has done anything.

    Args:
        started: seconds since 1970.
    """
    kind, origin = job.pipeline.kind, job.execution.origin
    return RunRecord(
        id=new_run_id(job.plan.name, started),
        pipeline=kind,
        status="running",
        start_time=utc_text(started),
        solution=job.plan.name,
        version=job.plan.version,
        part=job.part.text,
        train_id=(job.inputs.train_id or NO_TRAIN_RUN) if kind == "inference" else "",
        overrides=tuple(map(masked, job.changes)),
        python=python_version(),
        sources=_sources(job),
        host=os.uname().nodename,
        alo_version=__version__,
        metadata_version=job.metadata_version,
        sweep=origin.sweep if origin else {},
        executor=origin.executor if origin else "",
        node=origin.node if origin else "",
    ).with_args(args_of(job))


def with_original(job: Job) -> Job:
    """The job with what a copy of its project does not have: where the code comes from."""
    git = GitState(job.workspace.home).read()
    original = Original(job.workspace, _sources(job), git)
    return job._replace(execution=job.execution._replace(original=original))


def record_again(record: RunRecord, job: Job, started: float) -> RunRecord:
    """The first record of a further run of the same pipeline with the same args.

    Args:
        record: the first record of another one.
    """
    return record._replace(
        id=new_run_id(job.plan.name, started),
        start_time=utc_text(started),
        overrides=tuple(map(masked, job.changes)),
        metadata_version=job.metadata_version,
    )


def args_of(job: Job) -> dict[str, dict[str, object]]:
    """The args of each step."""
    return {step.name: dict(step.args) for step in job.pipeline.steps}


def _sources(job: Job) -> dict[str, object]:
    """Where the code of its steps was checked out from, if the project's own assets run."""
    if job.execution.original is not None:
        return dict(job.execution.original.sources)
    if not job.is_of_project:
        return {}
    found = current_checkouts(job.workspace, job.pipeline.steps)
    return {each.step: each._asdict() for each in found}


def with_summary(record: RunRecord, summary: Mapping[str, object]) -> RunRecord:
    """The record with what ``save_summary`` has stored."""
    probability: Any = summary.get("probability") or {}
    score: Any = summary["score"]
    exact: Any = summary.get(EXACT_SCORE, score)
    metrics = {name: each for name, each in record.metrics.items() if name != "score"}
    return record._replace(
        metrics={"score": float(exact), **metrics} if exact != score else metrics,
        result=str(summary["result"]),
        score=float(score),
        note=str(summary.get("note", "")),
        probability={str(name): float(value) for name, value in probability.items()},
    )


def summary_of(record: RunRecord) -> Mapping[str, object] | None:
    """What ``with_summary`` put in; None before."""
    if record.score is None:
        return None
    return {
        "result": record.result,
        "score": record.score,
        "note": record.note,
        "probability": record.probability,
    }


def outcome_of(
    record: RunRecord, artifacts: Path, history: Path, exported: tuple[str, ...]
) -> RunOutcome:
    """What a caller gets of a run that has succeeded."""
    return RunOutcome(
        record.id,
        record.pipeline,
        record.status,
        record.seconds,
        summary_of(record),
        artifacts,
        history,
        exported,
        record.steps,
    )
