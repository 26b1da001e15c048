"""What the plan says: its ``review``, as reviews and the gate take it, and where train data is."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from alo.errors import AloError
from alo.gate.verdict import GateSettings
from alo.history.browse import Entry
from alo.layout import PLAN_NAME, Workspace, find_plan
from alo.plan.load import load_plan
from alo.plan.model import ReviewPlan
from alo.review.labels import Label
from alo.review.settings import PictureTruth, ReviewSettings


def settings_of_plan(workspace: Workspace) -> ReviewSettings:
    """How results are reviewed; the usual way where the plan does not say.

    Raises:
        PlanError: the plan cannot be read.
    """
    return settings_of(_review(workspace))


def settings_of(said: ReviewPlan) -> ReviewSettings:
    """The same of a ``review`` that was read."""
    return ReviewSettings(
        unit=said.unit,
        prediction=said.prediction,
        probabilities=said.probabilities,
        certainty=said.certainty,
        key=said.key,
        image=said.image,
        label=said.label,
        truth=PictureTruth(**said.truth._asdict()) if said.truth else PictureTruth(),
        labels=[
            Label(id=each.name, name=each.name, key=each.key, colour=each.colour)
            for each in said.labels
        ],
        slices=said.slices,
    )


def gate_of_plan(workspace: Workspace) -> GateSettings:
    """What a new model has to reach.

    Raises:
        PlanError: the plan cannot be read.
    """
    return GateSettings(**_review(workspace).gate._asdict())


def label_of_run(entry: Entry) -> str:
    """The column of the train data that labels become, as a run's solution metadata named it.

    Empty: it is not said, or the plan of that time cannot be read any more.
    """
    with suppress(AloError, OSError):
        plan = load_plan(entry.folder / PLAN_NAME, home=entry.folder)
        return plan.review.label if plan.review else ""
    return ""


def train_data_paths(workspace: Workspace) -> list[Path]:
    """The files and folders of the plan's train data, or what the last train run staged of them.

    Returns:
        None of them where the data is not on this machine, and nothing is staged.
    Raises:
        PlanError: the plan cannot be read.
    """
    plan = load_plan(find_plan(workspace.home), home=workspace.home)
    found = [workspace.home / each for each in plan.external.load_train_data_path]
    if not found or not all(path.exists() for path in found):
        staged = workspace.input("train")
        found = sorted(staged.iterdir()) if staged.is_dir() else []
    return [path.resolve() for path in found]


def _review(workspace: Workspace) -> ReviewPlan:
    path = find_plan(workspace.home)
    if not path.is_file():  # a project may have runs and no plan any more
        return ReviewPlan()
    return load_plan(path, home=workspace.home).review or ReviewPlan()
