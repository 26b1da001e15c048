"""``--keep``: models of trials that others have beaten are dropped, so that many fit the disk."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from alo.batch.sweep.definition import Definition
from alo.batch.sweep.trials import COMPLETE, Trial, best_of
from alo.errors import AloError, UsageError
from alo.history.deployment import deployed_ids
from alo.history.entries.drop import drop_models
from alo.history.pins import pins
from alo.layout import Workspace

ALL, NONE, BEST = "all", "none", "best"


def parse_keep(text: str) -> int | None:
    """How many models are kept; None: all.

    Raises:
        UsageError: it is none of ``all``, ``none`` and ``best:K``.
    """
    if text == ALL:
        return None
    if text == NONE:
        return 0
    word, _, number = text.partition(":")
    if word == BEST and number.isascii() and number.isdigit():
        return int(number)
    raise UsageError(f"--keep {text}: not best:K, all or none", fix="write, say, --keep best:5")


class Keeper:
    """Drops models as trials end.

    Args:
        trials: that ended before.
    """

    def __init__(
        self, workspace: Workspace, definition: Definition, keep: str, trials: Iterable[Trial]
    ) -> None:
        self._workspace, self._definition = workspace, definition
        self._most = parse_keep(keep)
        self._why = (
            f"other trials of sweep {definition.name} were better"
            if self._most
            else f"sweep {definition.name} keeps none"
        )
        self._kept = [each for each in trials if each.state == COMPLETE]  # with their models

    def ended(self, trial: Trial) -> None:
        """A trial has ended: it may have beaten another one."""
        if self._most is None or trial.state != COMPLETE:
            return
        self._kept.append(trial)
        if len(self._kept) <= self._most:
            return
        best = best_of(self._kept, self._definition.metrics)
        most = len(best) if len(self._definition.metrics) > 1 else self._most
        stays = {each.number for each in best[: max(most, self._most)]} if self._most else set()
        for beaten in [each for each in self._kept if each.number not in stays]:
            self._kept.remove(beaten)
            self._drop(beaten)

    def _drop(self, trial: Trial) -> None:
        with suppress(AloError, OSError):  # in doubt it stays; writers report a full disk
            held = {*deployed_ids(self._workspace), *pins(self._workspace)}
            for run_id in trial.run_ids:
                if run_id not in held:
                    drop_models(self._workspace, run_id, self._why)
