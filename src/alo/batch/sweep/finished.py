"""Trials whose runs are in history, though whoever drove them was killed before noting it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from alo.batch.sweep.definition import Definition, pipelines_of
from alo.batch.sweep.results import metrics_of, over_repeats
from alo.batch.sweep.trials import COMPLETE, OPEN, SweepFolder, Trial, TrialLog
from alo.executors.task import SUCCESS, RunDone
from alo.history.entries.names import entry_names, read_record
from alo.history.ids import start_in_name
from alo.history.record import RunRecord
from alo.layout import Workspace


def adopt(
    workspace: Workspace, definition: Definition, trials: Mapping[int, Trial]
) -> dict[int, Trial]:
    """The trials, those complete that have all their runs in history; that is noted first.

    Raises:
        SweepError: it cannot be noted.
    """
    unfinished = {number: each for number, each in trials.items() if each.state in OPEN}
    if not unfinished or len(pipelines_of(definition.mode)) > 1:
        return dict(trials)
    found: dict[int, list[RunRecord]] = {}
    since = min(each.started[:19] for each in unfinished.values())
    for record in _successes(workspace, definition.name, since):
        number = record.sweep.get("trial")
        if isinstance(number, int) and number in unfinished:
            found.setdefault(number, []).append(record)
    log = TrialLog(SweepFolder(workspace, definition.name))
    adopted = dict(trials)
    try:
        for number, records in found.items():
            if (trial := _completed(unfinished[number], definition, records)) is not None:
                log.write(trial, lasts=True)
                adopted[number] = trial
    finally:
        log.close()
    return adopted


def _completed(trial: Trial, definition: Definition, records: list[RunRecord]) -> Trial | None:
    if len(records) < definition.repeats:
        return None
    records = sorted(records, key=lambda each: each.start_time)[-definition.repeats :]
    metrics = [metrics_of([RunDone.of(record)]) for record in records]
    if any(metric.name not in each for each in metrics for metric in definition.metrics):
        return None
    results, spread = over_repeats(metrics, definition.metrics)
    return replace(
        trial,
        state=COMPLETE,
        results=results,
        spread=spread,
        run_ids=tuple(record.id for record in records),
        seconds=sum(record.seconds for record in records),
        ended=max(record.end_time for record in records),
    )


def _successes(workspace: Workspace, name: str, since: str) -> Iterator[RunRecord]:
    """The successful train runs of a sweep that began at this time or later."""
    folder = workspace.history / "train"
    for entry in sorted(entry_names(folder)):
        if start_in_name(entry)[:19] < since:
            continue
        try:
            record = read_record(folder / entry)
        except FileNotFoundError:  # it was removed
            continue
        if record.status == SUCCESS and record.sweep.get("name") == name:
            yield record
