"""What all trials of a sweep have in common, and the tasks that it makes of them."""

from __future__ import annotations

from dataclasses import dataclass

from alo.batch.sweep.definition import MAX, Definition, pipelines_of
from alo.batch.sweep.space import args_of
from alo.batch.sweep.trials import ON_THE_WAY, SweepFolder, Trial
from alo.executors.task import TRIAL, Task
from alo.plan.keys.sweep import NONE
from alo.plan.model import NOTHING_ASKED, Resources
from alolib.pruning import Pruner


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialContext:
    """What all trials have in common."""

    definition: Definition
    folder: SweepFolder
    prefix: str = ""  # the last step before the first swept one; empty: there is none
    resources: Resources = NOTHING_ASKED  # that a trial asks for

    def task_of(
        self, trial: Trial, repeat: int, attempt: int = 1, timeout_s: float | None = None
    ) -> Task:
        """The task that one run of a trial is.

        Args:
            repeat: which of its runs, from 0.
            timeout_s: that it has; None: as much as it needs.
        """
        definition = self.definition
        args = args_of(definition.params, trial.values)
        if definition.seed_arg:
            step, _, key = definition.seed_arg.partition(".")
            args.setdefault("train", {}).setdefault(step, {})[key] = repeat
        return Task(
            id=f"{trial.number}/{repeat}",
            kind=TRIAL,
            pipelines=pipelines_of(definition.mode),
            args=args,
            attempt=attempt,
            timeout_s=timeout_s,
            sweep={"name": definition.name, "trial": trial.number},
            resources=self.resources,
            pruner=self._pruner_of(trial, repeat),
        )

    def _pruner_of(self, trial: Trial, repeat: int) -> Pruner | None:
        definition = self.definition
        if definition.pruner == NONE:
            return None
        metric = definition.metrics[0]
        return Pruner(
            how=definition.pruner,
            path=str(self.folder.path.resolve() / ON_THE_WAY),
            trial=f"{trial.number}/{repeat}",
            number=trial.number,
            metric=metric.name,
            is_max=metric.direction == MAX,
        )
