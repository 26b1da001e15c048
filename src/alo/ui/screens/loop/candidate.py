"""``/models/{run}``: a model, what it was compared with, and whether it may be deployed."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import NamedTuple

from alo.errors import HistoryError
from alo.gate.compared import comparison_of
from alo.gate.comparison import Comparison
from alo.gate.verdict import (
    CANDIDATE_FAILED,
    NO_GAIN,
    NOT_SHOWN,
    ROWS_UNANSWERED,
    SLICE_WORSE,
    TEST_IN_TRAINING,
    TOO_FEW_ROWS,
)
from alo.history.browse import Entry
from alo.history.promotions import promotions
from alo.ui.ask import Ask
from alo.ui.drawing.comparisons import accuracy_chart, difference_chart
from alo.ui.problems import not_found
from alo.ui.rendering.page import Page, Table
from alo.ui.screens.lists import below_of, limit_of, table_of
from alo.ui.screens.models import deployed_now

CHANGED_COLUMNS = ("record", "label", "old", "new")


class Reason(NamedTuple):
    """Why the gate holds a candidate."""

    name: str  # as verdict has it
    about: str  # a slice


class Rule(NamedTuple):
    """One rule of the gate, and what the candidate has come to."""

    reason: str  # as verdict has it, where the rule is broken
    is_kept: bool
    wanted: object
    found: object


class Confusion(NamedTuple):
    """What one model said of the rows of each label."""

    model: str  # old or new
    answers: Sequence[str]  # empty: it gave none
    rows: Sequence[tuple[str, Sequence[int]]]


def show(ask: Ask) -> Page:
    """The comparison, the changed records page by page, and what can be done with the model."""
    ask.query.allow("page", "limit")
    entry = _entry(ask)
    record, workspace = entry.record, ask.studio.workspace
    problem, compared = "", None
    try:
        compared = comparison_of(entry.folder)
        promoted = [each for each in promotions(workspace) if each.run == record.id]
    except HistoryError as error:
        problem, promoted = f"{error.what} · {error.where}", []
    deployed, of_deployment = deployed_now(workspace)
    changed = [each.to_json() for each in compared.changed] if compared else []
    first, limit = below_of(ask.query), limit_of(ask.query)
    following = ask.query.link(page=str(first + limit), limit=ask.query.one("limit"))
    content = {
        "run": record.id,
        "dataset": record.dataset,
        "score": record.score,
        "deployed": bool(deployed.run) and deployed.run == record.id,
        "problem": problem or of_deployment,
        "comparison": compared and compared.to_json(),
        "promotions": [each.to_json() for each in promoted],
        "items": changed[first : first + limit],
        "next": following if first + limit < len(changed) else None,
        "total": len(changed),
    }
    shown = {
        "record": record,
        "compared": compared,
        "is_held": compared is not None and compared.is_held,
        "reasons": _reasons(compared) if compared else [],
        "rules": _rules(compared) if compared else [],
        "accuracy": accuracy_chart(compared) if compared else None,
        "difference": difference_chart(compared) if compared else None,
        "confusions": _confusions(compared) if compared else [],
        "gate": asdict(compared.gate) if compared else {},
        "verdict": compared.judged.verdict if compared else "",
        "promoted": promoted,
        "retrain": (compared and compared.command) or _retrain(record.dataset),
        "is_first": first == 0,
        "command": f"alo models show {record.id}",
    }
    return Page("candidate", record.id, content, shown, _table(changed), folder="loop/")


def _entry(ask: Ask) -> Entry:
    try:
        entry = ask.studio.history.find(ask.names["run"])
    except HistoryError as error:
        raise not_found(error.what, fix="/models lists them", about=ask.names["run"]) from error
    if entry.record.pipeline != "train":
        raise not_found(f"{entry.record.id} is no train run", fix="/runs lists all runs")
    return entry


def _reasons(compared: Comparison) -> list[Reason]:
    """The reasons, each with what it is about."""
    return [Reason(*each.partition(": ")[::2]) for each in compared.judged.reasons]


def _rules(compared: Comparison) -> list[Rule]:
    """Each rule of the gate, in the order in which it looks, with what it wants and has found."""
    gate = compared.gate
    broken = {each.name for each in _reasons(compared)}
    worse = [each.about for each in _reasons(compared) if each.name == SLICE_WORSE]
    looked_at = sum(each.is_looked_at for each in compared.slices)
    found: Mapping[str, tuple[object, object]] = {
        CANDIDATE_FAILED: (None, None),
        TOO_FEW_ROWS: (gate.min_rows, compared.rows),
        ROWS_UNANSWERED: (0, compared.unanswered),
        TEST_IN_TRAINING: (0, compared.in_training),
        NOT_SHOWN: (gate.max_loss, compared.bound),
        NO_GAIN: (gate.min_gain, compared.difference),
        SLICE_WORSE: (gate.slice_max_loss, ", ".join(worse) or looked_at),
    }
    return [Rule(name, name not in broken, *numbers) for name, numbers in found.items()]


def _confusions(compared: Comparison) -> list[Confusion]:
    found = []
    for model in ("old", "new"):
        rows = compared.confusion.get(model)
        if not rows:
            continue
        answers = sorted({answer for counts in rows.values() for answer in counts} | set(rows))
        answers.sort(key=lambda each: each == "")
        shown = [(label, [rows[label].get(each, 0) for each in answers]) for label in sorted(rows)]
        found.append(Confusion(model, answers, shown))
    return found


def _retrain(dataset: str) -> str:
    """The command that could make such a candidate."""
    return shlex.join(["alo", "retrain", "--dataset", dataset or "NAME"])


def _table(changed: Sequence[Mapping[str, object]]) -> Table:
    return table_of(
        CHANGED_COLUMNS, ({name: each.get(name) for name in CHANGED_COLUMNS} for each in changed)
    )
