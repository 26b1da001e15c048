"""``/models/{run}``: a model, what it was compared with, and whether it may be deployed."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from alo.errors import HistoryError
from alo.history.browse import Entry
from alo.history.compared import CHANGED, Compared, comparison_of, is_held, reasons_of
from alo.history.promotions import promotions
from alo.json_text import misfit
from alo.ui.ask import Ask
from alo.ui.drawing.comparisons import accuracy_chart, difference_chart
from alo.ui.problems import not_found
from alo.ui.rendering.page import Page, Table
from alo.ui.screens.lists import below_of, limit_of, table_of
from alo.ui.screens.models import deployed_now

CHANGED_COLUMNS = ("record", "label", "old", "new")
NOTHING: Mapping[str, object] = {}


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
    changed = [each for each in _list(compared, "changed") if not misfit(each, CHANGED)]
    first, limit = below_of(ask.query), limit_of(ask.query)
    following = ask.query.link(page=str(first + limit), limit=ask.query.one("limit"))
    content = {
        "run": record.id,
        "dataset": record.dataset,
        "score": record.score,
        "deployed": bool(deployed.run) and deployed.run == record.id,
        "problem": problem or of_deployment,
        "comparison": compared,
        "promotions": [each.to_json() for each in promoted],
        "items": changed[first : first + limit],
        "next": following if first + limit < len(changed) else None,
        "total": len(changed),
    }
    shown = {
        "record": record,
        "compared": compared or {},
        "is_compared": compared is not None,
        "is_held": is_held(compared),
        "reasons": _reasons(compared) if compared else [],
        "rules": _rules(compared) if compared else [],
        "accuracy": accuracy_chart(compared) if compared else None,
        "difference": difference_chart(compared) if compared else None,
        "confusions": _confusions(compared),
        "slices": _list(compared, "slices"),
        "agreement": _mapping(compared, "agreement"),
        "gate": _mapping(compared, "gate"),
        "told": _mapping(compared, "difference"),
        "old_run": str(_mapping(compared, "old").get("run") or ""),
        "verdict": str((compared or NOTHING).get("verdict", "")),
        "promoted": promoted,
        "retrain": _retrain(record.dataset, compared),
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


def _reasons(compared: Compared) -> list[Reason]:
    """The reasons, each with what it is about."""
    found = []
    for text in reasons_of(compared):
        name, _, about = text.partition(": ")
        found.append(Reason(name, about))
    return found


def _rules(compared: Compared) -> list[Rule]:
    """Each rule of the gate, in the order in which it looks, with what it wants and has found."""
    gate, difference = _mapping(compared, "gate"), _mapping(compared, "difference")
    broken = {each.name for each in _reasons(compared)}
    slices = [each.about for each in _reasons(compared) if each.name == "slice_worse"]
    looked_at = sum(bool(each.get("looked_at")) for each in _list(compared, "slices"))
    found: Mapping[str, tuple[object, object]] = {
        "candidate_failed": (None, None),
        "too_few_rows": (gate.get("min_rows"), compared.get("rows")),
        "rows_unanswered": (0, compared.get("rows_unanswered")),
        "test_in_training": (0, compared.get("test_in_training")),
        "not_shown_no_worse": (gate.get("max_loss"), difference.get("bound")),
        "no_gain": (gate.get("min_gain"), difference.get("value")),
        "slice_worse": (gate.get("slice_max_loss"), ", ".join(slices) or looked_at),
    }
    return [Rule(name, name not in broken, *numbers) for name, numbers in found.items()]


def _confusions(compared: Compared | None) -> list[Confusion]:
    tables = _mapping(compared, "confusion")
    found = []
    for model in ("old", "new"):
        rows = tables.get(model)
        if not isinstance(rows, Mapping) or not rows:
            continue
        answers = sorted({answer for counts in rows.values() for answer in counts} | set(rows))
        answers.sort(key=lambda each: each == "")
        shown = [(label, [rows[label].get(each, 0) for each in answers]) for label in sorted(rows)]
        found.append(Confusion(model, answers, shown))
    return found


def _retrain(dataset: str, compared: Compared | None) -> str:
    """The command that has made the candidate, or could."""
    command = (compared or NOTHING).get("command")
    return str(command or shlex.join(["alo", "retrain", "--dataset", dataset or "NAME"]))


def _mapping(compared: Compared | None, key: str) -> Mapping[str, object]:
    found = (compared or NOTHING).get(key)
    return found if isinstance(found, Mapping) else NOTHING


def _list(compared: Compared | None, key: str) -> list[Mapping[str, object]]:
    found = (compared or NOTHING).get(key)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _table(changed: Sequence[Mapping[str, object]]) -> Table:
    return table_of(
        CHANGED_COLUMNS, ({name: each.get(name) for name in CHANGED_COLUMNS} for each in changed)
    )
