"""Train a candidate on a data set, compare it with the deployed model, and let the gate judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from alo.database.audit import Note
from alo.datasets.catalog import Catalog, Version
from alo.engine.rerun import require_models
from alo.errors import AloError, HistoryError, RetrainError, ReviewError
from alo.files import checksum_of, write_whole
from alo.gate.compared import COMPARISON
from alo.gate.comparison import ComparedRow, Comparison, compare
from alo.gate.rules import with_rules
from alo.gate.verdict import CANDIDATE_FAILED, HELD, PASS, GateSettings
from alo.history.browse import Entry, History
from alo.history.deployment import CURRENT, read_deployment
from alo.history.entries.checksums import read_checksums, stamp, write_checksums
from alo.history.models_origin import NAMELESS, current_train_id
from alo.json_text import json_bytes
from alo.layout import Workspace
from alo.loop.candidates import keep_candidate
from alo.loop.evaluation import TestedCase, answers_of, contents_below, tested_cases
from alo.loop.trial_project import TrialProject, trial_project
from alo.plan.overrides import for_pipeline
from alo.serve.rollout.choose import deploy_model, noted
from alo.texts import counted
from alolib.disk import fix_of_full

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainRequest:
    """What `alo retrain` was asked for."""

    dataset: str  # NAME[@V]
    against: str = ""  # a train run; empty: the deployed one, else that of the current model
    overrides: Sequence[str] = ()  # step.key=value
    gate: GateSettings = field(default_factory=GateSettings)  # of the plan
    rules: Mapping[str, float] = field(default_factory=dict)  # in place of it, and of the reviews'
    deploy: bool = False
    force_reason: str = ""  # deploy also where the gate holds it, and why
    person: str = ""
    command: str = ""
    prints_to: int | None = None  # what the train run prints; None: standard output


@dataclass(frozen=True, slots=True)
class Retrained:
    """A candidate and what the gate says of it."""

    run: str
    comparison: Comparison
    is_deployed: bool

    @property
    def exit_status(self) -> int:
        """0: it passes; 3: it is held."""
        return 0 if self.comparison.judged.verdict == PASS else 3

    def to_json(self) -> dict[str, object]:
        """As `alo retrain --json` prints it."""
        return {"run": self.run, "deployed": self.is_deployed, **self.comparison.to_json()}


@dataclass(frozen=True, slots=True)
class _Champion:
    """The model that a candidate is compared with."""

    run: str  # empty: it is not known which run made it
    models: Path
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class _Test:
    """What both models are asked."""

    workspace: Workspace
    version: Version
    champion: _Champion
    cases: Sequence[TestedCase]


def retrain(workspace: Workspace, asked: RetrainRequest, say: Say, note: Note) -> Retrained:
    """Train on a data set in a copy of the project, compare, judge, and deploy what passes.

    Args:
        say: receives what is being done.
        note: adds a line to the audit, before what passes is deployed.
    Raises:
        UsageError: there is no such data set or run.
        DatasetError: the data set is damaged.
        RetrainError: there is no model to compare with, or the train run failed.
    """
    version = Catalog(workspace).find_whole(asked.dataset)
    champion = _champion(workspace, asked.against)
    test = _Test(workspace, version, champion, tested_cases(version))
    with trial_project(workspace) as trial:
        compared_with = champion.run or "the workspace"
        say(f"testing the model of {compared_with} on {counted(len(test.cases), 'row')}")
        trial.use_models(champion.models)
        old = _answers(trial, test)
        if old is None:
            raise RetrainError(
                f"the model of {compared_with} fails on the test rows",
                fix="name another model to compare with: --against RUN",
            )
        say(f"training on {version.manifest.reference}")
        entry = _train(trial, version, asked)
        say(f"testing the candidate on {counted(len(test.cases), 'row')}")
        new = _answers(trial, test)
        run = entry.record.id
        comparison = _compared(test, run, old, new, asked)
        _keep(entry, comparison)
        keep_candidate(workspace, version.manifest.name, [run, champion.run])
        trial.hand_over(entry)  # with its comparison: whoever is killed leaves all of it, or none
    return Retrained(run, comparison, _deploy(workspace, run, comparison, asked, note))


def _champion(workspace: Workspace, against: str) -> _Champion:
    history = History(workspace)
    run_id = against or read_deployment(workspace).in_use
    if run_id and run_id != CURRENT:
        try:
            deployed = history.find(require_models(workspace, run_id))
        except HistoryError as error:
            if against:
                raise
            raise RetrainError(
                f"the deployed model cannot be compared with: {error.what}",
                where=error.where,
                fix="name another model: --against RUN; or deploy one: alo deploy RUN",
            ) from error
        return _Champion(deployed.record.id, deployed.folder / "models", deployed)
    run_id = current_train_id(workspace)
    if not workspace.models.is_dir():
        raise RetrainError(
            "there is no model to compare a new one with",
            fix="alo run --mode train makes the first; or name one: --against RUN",
        )
    entry: Entry | None = None
    if run_id not in NAMELESS:
        with suppress(HistoryError):  # pruned; its models are here
            entry = history.find(run_id)
    return _Champion("" if run_id in NAMELESS else run_id, workspace.models, entry)


def _train(trial: TrialProject, version: Version, asked: RetrainRequest) -> Entry:
    overrides = [for_pipeline(text, "train") for text in asked.overrides]
    status = trial.run("train", version.train_paths, overrides, prints_to=asked.prints_to)
    entry = trial.last_entry("train")
    if status == 0 and entry is not None:
        return entry
    if entry is not None:
        trial.hand_over(entry)
    raise RetrainError(
        f"the train run on {version.manifest.reference} failed",
        where=entry.record.id if entry else "",
        fix=f"alo history show {entry.record.id}" if entry else "see what it printed",
    )


def _answers(trial: TrialProject, test: _Test) -> list[str | None] | None:
    """What the models of the trial answer; None: the inference failed."""
    if not test.cases:
        return []
    if trial.run("inference", [test.version.test_folder]) != 0:
        if fix := fix_of_full(trial.workspace.home):  # that says nothing of the model
            raise RetrainError("the disk is full", where=str(trial.project.internal), fix=fix)
        _require_whole(test)
        return None
    try:
        return answers_of(trial.output, test.cases, test.version.manifest.meaning)
    except ReviewError:
        return None


def _require_whole(test: _Test) -> None:
    """A failure where the test rows have gone says nothing of a model, either."""
    reference = test.version.manifest.reference
    try:
        Catalog(test.workspace).find_whole(reference)
    except AloError as error:
        raise RetrainError(
            f"data set {reference} was changed or removed meanwhile: {error.what}",
            where=str(test.version.folder),
            fix="make it again, or name another version",
        ) from error


def _compared(
    test: _Test,
    run: str,
    old: Sequence[str | None],
    new: Sequence[str | None] | None,
    asked: RetrainRequest,
) -> Comparison:
    manifest = test.version.manifest
    found = compare(
        _rows(test, old, new),
        with_rules(with_rules(asked.gate, manifest.meaning.gate), asked.rules),
        old_run=test.champion.run,
        new_run=run,
        in_training=_learned(test),
        test_share=manifest.test_share,
    )
    if new is None:
        judged = replace(found.judged, verdict=HELD, reasons=[CANDIDATE_FAILED])
        found = replace(found, judged=judged)
    return replace(
        found,
        agreement=manifest.meaning.agreement,
        dataset=manifest.reference,
        command=asked.command,
        by=asked.person,
    )


def _rows(
    test: _Test, old: Sequence[str | None], new: Sequence[str | None] | None
) -> list[ComparedRow]:
    slices = test.version.manifest.meaning.slices
    return [
        ComparedRow(
            record=case.record,
            label=case.label,
            old=old[at],
            new=new[at] if new is not None else None,
            weight=case.weight,
            slices={name: case.values[name] for name in slices if name in case.values},
        )
        for at, case in enumerate(test.cases)
    ]


def _learned(test: _Test) -> int:
    """How many test rows either model has learned from, as far as its train data is still here."""
    meaning = test.version.manifest.meaning
    learned = contents_below([test.version.train_folder], meaning)
    if test.champion.entry is not None:
        sources = test.champion.entry.record.data_id_description.get("sources")
        paths = (
            [test.workspace.home / str(each) for each in sources if each]
            if isinstance(sources, list)
            else []
        )
        learned |= contents_below([path for path in paths if path.exists()], meaning)
    return sum(case.content in learned for case in test.cases)


def _keep(entry: Entry, comparison: Comparison) -> None:
    """Put the comparison into the candidate's entry, which stays whole for `verify`."""
    content = json_bytes(comparison.to_json(), indent=1)
    path = entry.folder / COMPARISON
    path.parent.mkdir(exist_ok=True)
    write_whole(path, content)
    checksums = read_checksums(entry.folder)
    checksums[COMPARISON] = stamp(str(path), checksum_of(content))
    write_checksums(entry.folder, checksums)


def _deploy(
    workspace: Workspace, run: str, comparison: Comparison, asked: RetrainRequest, note: Note
) -> bool:
    passes = comparison.judged.verdict == PASS
    if not (asked.deploy and (passes or asked.force_reason)):
        return False
    deploy_model(
        workspace,
        run,
        asked.person,
        why="the gate lets it pass",
        force_reason=asked.force_reason,
        note=noted(note, asked.person, "deploy", asked.force_reason),
    )
    return True
