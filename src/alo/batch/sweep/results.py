"""What trials are judged by: the metrics of their runs, and their means over repeats."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence

from alo.batch.sweep.definition import Metric
from alo.batch.sweep.space import Values
from alo.batch.sweep.trials import Trial
from alo.executors.task import SCORE, RunDone

OF_INFERENCE = "inference."


def results_of(trial: Trial, metrics: Sequence[Metric]) -> Sequence[float] | None:
    """A trial's results in the order of the metrics; None: it has none."""
    if any(metric.name not in trial.results for metric in metrics):
        return None
    return [trial.results[metric.name] for metric in metrics]


def known_results(
    trials: Mapping[int, Trial], metrics: Sequence[Metric]
) -> Iterator[tuple[int, Values, Sequence[float] | None]]:
    """What a new sampler has to know of the trials so far, in their order."""
    for number in sorted(trials):
        if trials[number].has_ended:
            yield number, trials[number].values, results_of(trials[number], metrics)


def metrics_of(runs: Sequence[RunDone]) -> dict[str, float]:
    """All that the runs of a task can be judged by."""
    found: dict[str, float] = {}
    for run in runs:
        prefix = "" if run.pipeline == "train" else OF_INFERENCE
        if run.score is not None:
            found[f"{prefix}{SCORE}"] = run.score
        found |= {f"{prefix}probability.{name}": each for name, each in run.probability.items()}
        found |= {f"{prefix}{name}": each for name, each in run.metrics.items()}
    return found


def results_so_far(runs: Sequence[RunDone], metrics: Sequence[Metric]) -> dict[str, float]:
    """Of the metrics, those that the runs of a task which was ended early have."""
    found = metrics_of(runs)
    return {each.name: float(found[each.name]) for each in metrics if each.name in found}


def over_repeats(
    found: Sequence[Mapping[str, float]], metrics: Sequence[Metric]
) -> tuple[dict[str, float], dict[str, float]]:
    """The mean of each metric, and its standard deviation where there are repeats."""
    means, spread = {}, {}
    for metric in metrics:
        values = [each[metric.name] for each in found if metric.name in each]
        means[metric.name] = statistics.fmean(values)
        if len(values) > 1:
            spread[metric.name] = statistics.stdev(values)
    return means, spread
