"""What the plan's ``review`` says, as reviews and the gate take it."""

from __future__ import annotations

from contextlib import suppress

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


def _review(workspace: Workspace) -> ReviewPlan:
    path = find_plan(workspace.home)
    if not path.is_file():  # a project may have runs and no plan any more
        return ReviewPlan()
    return load_plan(path, home=workspace.home).review or ReviewPlan()
