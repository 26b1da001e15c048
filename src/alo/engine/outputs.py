"""What a run hands over to the plan's ``save_*_artifacts_path`` at its end (spec 6)."""

from __future__ import annotations

from pathlib import Path

from alo.engine.spec import Job
from alo.errors import AloError, ExportError
from alo.processes.signals import SignalGuard


def export(job: Job, artifacts: Path, *, failed: bool = False) -> list[str]:
    """Save the artifacts outside, where the plan says so; returns what was written.

    Args:
        failed: the run has, so there is an archive of what it had made and no model.
    Raises:
        ExportError: nothing new is to be seen there then.
    """
    target = job.outputs.export_target
    if target is None:
        return []
    from alo.data.export import export_artifacts

    archive_format = job.plan.control.save_inference_format
    places = export_artifacts(artifacts, job.pipeline.kind, target, archive_format, failed=failed)
    return [str(place) for place in places]


def export_failed(
    job: Job, artifacts: Path, error: BaseException, guard: SignalGuard
) -> tuple[list[str], str]:
    """Save what a failed run has come to; whatever is wrong with that never hides ``error``.

    Args:
        guard: held; a signal ends the export all the same.
    Returns:
        what was written, and what to warn of.
    """
    # What could not be saved a moment ago could not now; a part of a run is never saved.
    if isinstance(error, ExportError) or job.part.text:
        return [], ""
    try:
        with guard.released():
            return export(job, artifacts, failed=True), ""
    except (Exception, KeyboardInterrupt) as problem:
        reason = problem.what if isinstance(problem, AloError) else f"{problem!r}"
        return [], f"the failed run is not saved outside: {reason}"
