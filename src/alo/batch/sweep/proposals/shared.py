"""A sweep that several machines run at once: its trials are handed out by a PostgreSQL database.

The database holds an Optuna study, by the sweep's name. Who asks for a trial has an advisory lock
meanwhile, so that numbers, repetitions and the trials of machines that are gone are each dealt with
once. Each machine keeps a record of all trials of its own (``trials``): the truth about its runs.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from alo.batch.sweep.definition import Definition, differences
from alo.batch.sweep.proposals.optuna_params import (
    OptunaParams,
    optuna_directions,
    optuna_sampler,
    without_warnings,
)
from alo.batch.sweep.proposals.own import Proposal
from alo.batch.sweep.proposals.samplers import OF_OPTUNA, Sampler, make_sampler
from alo.batch.sweep.proposals.shared_database import (
    AGAIN_OF,
    ARGS,
    GRACE_S,
    HEARTBEAT_S,
    MOST_TRIES,
    SharedDatabase,
)
from alo.batch.sweep.results import results_of
from alo.batch.sweep.space import Values, form_of
from alo.batch.sweep.trials import INTERRUPTED, LOST, PRUNED, RUNNING, Trial, trial_of
from alo.engine.records import args_of
from alo.engine.spec import Job
from alo.errors import SweepError, UsageError
from alo.executors.identity import ids_of
from alo.executors.slot import node_name
from alo.history.ids import param_id
from alo.json_text import json_text
from alo.masking import masked
from alolib.errors import AloError

if TYPE_CHECKING:
    import optuna

DEFINITION, IDS = "alo_definition", "alo_ids"  # of the study
NODE, ENDED = "node", "trial"  # of a trial


def shared_ids(definition: Definition, jobs: Mapping[str, Job]) -> dict[str, str]:
    """What has to be the same on all machines: data, code, and the args that are not swept.

    Raises:
        StagingError, RunError: data or code cannot be read.
    """
    swept = {(param.pipeline, param.step, param.key) for param in definition.params}
    args = {
        f"{kind}.{step}": {
            key: value for key, value in values.items() if (kind, step, key) not in swept
        }
        for kind, job in jobs.items()
        for step, values in args_of(job).items()
    }
    return {**ids_of(jobs["train"]), "args": param_id(args)}


class SharedProposals:
    """``Proposals`` of a sweep that other machines work on, too.

    Args:
        definition: with the ids of this machine's data, code and args.
        trials: of this machine's record.
        anyway: also if other machines have other data, code or args.
    Raises:
        UsageError: the sweep of this name is another one there, or the database has lost it.
        SweepError: the database cannot be reached.
    """

    def __init__(
        self, url: str, definition: Definition, trials: Mapping[int, Trial], *, anyway: bool
    ) -> None:
        self._place, self._definition = masked(url), definition
        self._params = OptunaParams(definition.params)
        directions = [metric.direction for metric in definition.metrics]
        self._own: Sampler | None = None
        if definition.sampler not in OF_OPTUNA:
            self._own = make_sampler(
                definition.sampler, definition.params, definition.seed, directions
            )
        self._running: dict[int, optuna.Trial] = {}  # of this machine
        self._known = set(trials)
        self._database = SharedDatabase(url)
        self._closing = threading.Event()
        self._heart: threading.Thread | None = None
        try:
            with self._as_ours(), self._database.locked(definition.name):
                self._study = self._database.study(
                    definition.name, optuna_directions(directions), self._sampler()
                )
                self._join(anyway=anyway)
                self.changed = [*self._brought_up_to_date(trials)]  # of this machine's trials
        except AloError:
            self._database.close()
            raise
        self._heart = threading.Thread(target=self._beat, name="alo-sweep-heartbeat", daemon=True)
        self._heart.start()

    def next(self) -> Proposal | None:
        """See ``Proposals``."""
        from optuna.storages import fail_stale_trials
        from optuna.trial import TrialState

        with self._as_ours(), self._database.locked(self._definition.name):
            fail_stale_trials(self._study)
            found = self._study.get_trials(deepcopy=False)
            is_one_left = any(each.state == TrialState.WAITING for each in found)
            points = sum(AGAIN_OF not in each.user_attrs for each in found)
            most = self._definition.trials
            if not is_one_left and most is not None and points >= most:
                return None
            if self._own is not None and not is_one_left:
                values = self._own.ask(points)
                if values is None:
                    return None
                trial = self._study.ask()
            else:
                trial = self._study.ask(self._params.distributions if not self._own else None)
                stored = trial.user_attrs.get(ARGS)
                values = json.loads(stored) if stored else self._params.values(trial.params)
            trial.set_user_attr(ARGS, json_text(values))
            trial.set_user_attr(NODE, node_name())
            self._database.beat([trial])
            self._running[trial.number] = trial
            self._known.add(trial.number)
            return Proposal(trial.number, values, _same(found, trial.number, values))

    def ended(self, trial: Trial) -> Trial:
        """See ``Proposals``."""
        running = self._running.pop(trial.number, None)
        if running is None or trial.state == INTERRUPTED:  # a resume runs it, or another machine
            return trial
        with self._as_ours():
            return self._noted(running, trial)

    def others(self) -> Iterable[Trial]:
        """See ``Proposals``."""
        with self._as_ours():
            found = self._study.get_trials(deepcopy=False)
        again = {each.user_attrs.get(AGAIN_OF) for each in found}
        for each in found:
            if each.number in self._known or each.number in again or not each.state.is_finished():
                continue
            self._known.add(each.number)
            yield _ended_trial(each)

    def close(self) -> None:
        """See ``Proposals``."""
        self._closing.set()
        if self._heart is not None:
            self._heart.join()
        self._database.close()

    def _sampler(self) -> optuna.samplers.BaseSampler:
        import optuna

        name = self._definition.sampler
        if self._own is not None:
            return optuna.samplers.RandomSampler()  # is not asked
        # Machines with one seed would all propose the same; a sequence is one for all of them.
        return optuna_sampler(name, self._definition.seed if name == "qmc" else None)

    def _join(self, *, anyway: bool) -> None:
        """Be the first, or see that the others do the same."""
        mine, known = self._definition, self._study.user_attrs
        if DEFINITION not in known:
            self._study.set_user_attr(IDS, dict(mine.ids))
            self._study.set_user_attr(DEFINITION, json_text(mine.to_json()))
            return
        there = Definition.from_json(json.loads(known[DEFINITION]))
        same_place = replace(there, storage=mine.storage, config=mine.config, system=mine.system)
        differs = list(differences(same_place, mine))
        if differs:
            raise UsageError(
                f"other machines run a sweep '{mine.name}' of another kind: {'; '.join(differs)}",
                where=self._place,
                fix="take another name, or the same options",
            )
        other = [name for name, each in mine.ids.items() if known[IDS].get(name) != each]
        if other and not anyway:
            what = " and ".join(name.removesuffix("_id") for name in other)
            raise UsageError(
                f"the {what} of sweep '{mine.name}' is not that of the machine that began it",
                where=self._place,
                fix="bring it up to date; or add --anyway, and compare what cannot be compared",
            )

    def _brought_up_to_date(self, trials: Mapping[int, Trial]) -> Iterator[Trial]:
        """What was not reported, as this machine was killed, or what others did with its trials."""
        from optuna.trial import Trial as StudyTrial

        found = {each.number: each for each in self._study.get_trials(deepcopy=False)}
        for number, trial in trials.items():
            if trial.node:
                continue
            there = found.get(number)
            if there is None:
                raise UsageError(
                    f"the database does not know trial {number} of sweep '{self._definition.name}'",
                    where=self._place,
                    fix=f"it began with --storage {self._definition.storage}: name that, or take "
                    "another name",
                )
            if not there.state.is_finished():
                running = StudyTrial(self._study, there._trial_id)
                if trial.has_ended:
                    yield self._noted(running, trial)
                else:
                    self._running[number] = running
                    self._database.beat([running])
            elif ENDED not in there.user_attrs and trial.state != LOST:
                yield _taken_over(trial)

    def _noted(self, running: optuna.Trial, trial: Trial) -> Trial:
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        results = results_of(trial, self._definition.metrics)
        ended = replace(trial, node=node_name())
        try:
            running.set_user_attr(ENDED, json_text(ended.to_json()))
            if results is None:
                self._study.tell(running, state=TrialState.FAIL)
            elif trial.state == PRUNED:
                self._study.tell(running, state=TrialState.PRUNED)
            else:
                self._study.tell(running, list(results))
        except (UpdateFinishedTrialError, ValueError):  # which of the two is Optuna's affair
            if not self._study.trials[trial.number].state.is_finished():
                raise
            return _taken_over(trial)
        return trial

    def _beat(self) -> None:
        while not self._closing.wait(HEARTBEAT_S):
            with suppress(Exception):  # the database is away for a while, say
                self._database.beat([*self._running.values()])

    @contextmanager
    def _as_ours(self) -> Iterator[None]:
        """What goes wrong with the database is an error of ours."""
        try:
            with without_warnings():
                yield
        except AloError:
            raise
        except Exception as error:
            text = str(error.__cause__ or error).strip().splitlines()
            raise SweepError(
                f"the database of the sweep fails: {masked(text[0] if text else repr(error))}",
                where=self._place,
                fix="see that it can be reached, then resume: "
                f"alo sweep resume {self._definition.name}; where its address or password is "
                "another now, with --storage URL",
            ) from error


def _same(found: Iterable[optuna.trial.FrozenTrial], number: int, values: Values) -> Trial | None:
    """The trial that has these values already, as far as it has come."""
    from optuna.trial import TrialState

    form = form_of(values)
    for each in found:
        stored = each.user_attrs.get(ARGS)
        is_lost = each.state == TrialState.FAIL and ENDED not in each.user_attrs
        if stored and each.number != number and not is_lost:
            there = json.loads(stored)
            if form_of(there) == form:
                return (
                    _ended_trial(each)
                    if each.state.is_finished()
                    else Trial(number=each.number, values=there, state=RUNNING)
                )
    return None


def _ended_trial(there: optuna.trial.FrozenTrial) -> Trial:
    """What another machine has said of a trial that has ended."""
    stored = there.user_attrs.get(ENDED)
    if stored:
        return trial_of(json.loads(stored))
    return Trial(
        number=there.number,
        values=json.loads(there.user_attrs.get(ARGS, "{}")),
        state=LOST,
        error=f"its machine was gone, {MOST_TRIES} times",
        node=str(there.user_attrs.get(NODE, "another machine")),
    )


def _taken_over(trial: Trial) -> Trial:
    return replace(
        trial,
        state=LOST,
        results={},
        spread={},
        error=f"this machine did not say for {GRACE_S} s that it runs: others run it again",
    )
