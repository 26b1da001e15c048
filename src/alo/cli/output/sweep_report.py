"""A sweep as a table."""

from __future__ import annotations

from collections.abc import Sequence

from alo.batch.sweep.definition import Definition
from alo.batch.sweep.sweep import Outcome
from alo.batch.sweep.trials import Trial
from alo.cli.output import console
from alo.history.entries.drop import MODELS
from alo.history.entries.names import entry_folder
from alo.layout import Workspace
from alo.plan.values import plan_form

SHOWN_TRIALS = 10


def outcome_lines(outcome: Outcome, workspace: Workspace) -> Sequence[str]:
    """What a sweep has come to, and what can be done next.

    Args:
        workspace: whose history has the runs of the trials.
    """
    definition, best = outcome.definition, outcome.best
    counts = ", ".join(f"{count:,} {state}" for state, count in outcome.counts.items())
    lines = [f"sweep {definition.name}: {counts or 'no trials'}"]
    if best:
        lines.append(console.table(*table_of(definition, best[:SHOWN_TRIALS])))
        has_models = (entry_folder(workspace, "train", best[0].run_id) / MODELS).is_dir()
        other = f", or alo deploy {best[0].run_id}" if has_models else ", then alo run"
        lines.append(f"next: alo sweep apply {definition.name}{other}")
    if not outcome.is_whole:
        lines.append(f"it has trials to go: alo sweep resume {definition.name}")
    return lines


def table_of(
    definition: Definition, trials: Sequence[Trial]
) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """Headers and rows: a trial each, with its metrics and params."""
    metrics = [metric.name for metric in definition.metrics]
    params = [param.name for param in definition.params]
    rows = [
        (
            str(trial.number),
            trial.state,
            *[shown_value(trial.results.get(name)) for name in metrics],
            *[shown_value(trial.values.get(name)) for name in params],
            trial.run_id,
        )
        for trial in trials
    ]
    return ("trial", "state", *metrics, *params, "run"), rows


def shown_value(value: object) -> str:
    """A value in a table."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else value if isinstance(value, str) else plan_form(value)
