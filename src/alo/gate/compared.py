"""What a candidate was compared with before it went into history: ``log/comparison.json``.

Written by whoever compares, read here, and nowhere else: pages, commands and the JSON of both have
one `Comparison` of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alo.errors import HistoryError
from alo.gate.comparison import ChangedRow, Comparison, ModelShare
from alo.gate.rules import with_rules
from alo.gate.verdict import GateSettings, Judged, Slice
from alo.json_text import EACH, json_file, misfit

COMPARISON = "log/comparison.json"  # in the candidate's history entry
RESTORE = "restore it from a backup, or retrain: alo history verify names what has changed"
SHOWN = ("dataset", "rows", "difference", "verdict", "reasons")  # in promotions.jsonl

_NUMBER, _PERHAPS, _WORD = (int, float), (int, float, type(None)), (str, type(None))
_MODEL = {"run": _WORD, "accuracy": _PERHAPS, "low": _PERHAPS, "high": _PERHAPS}
_SLICE = {
    "slice": str,
    "rows": int,
    "difference": _NUMBER,
    "only_old_right": int,
    "only_new_right": int,
}
_CHANGED = {"record": str, "label": str, "old": _WORD, "new": _WORD}
_SHAPE = {
    "verdict": str,
    "reasons": [str],
    "rows": int,
    "dataset": _WORD,
    "old": _MODEL,
    "new": _MODEL,
    "difference": {"value": _PERHAPS, "low": _PERHAPS, "high": _PERHAPS, "bound": _PERHAPS},
    "gate": {EACH: _NUMBER},
    "test_in_training": int,
    "rows_unanswered": int,
    "only_old_right": int,
    "only_new_right": int,
    "mcnemar_p": _NUMBER,
    "slices": [_SLICE],
    "confusion": {EACH: {EACH: {EACH: int}}},
    "changed": [_CHANGED],
    "agreement": {EACH: _PERHAPS},
    "needed": int,
    "needed_reviews": int,
    "command": _WORD,
    "by": _WORD,
}


def comparison_of(folder: Path) -> Comparison | None:
    """The comparison that an entry has; None: it has none.

    Raises:
        HistoryError: it is damaged.
    """
    path = folder / COMPARISON
    try:
        content = json_file(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise HistoryError(
            f"the comparison cannot be read: {error}", where=str(path), fix=RESTORE
        ) from error
    if wrong := misfit(content, _SHAPE):
        raise HistoryError(
            f"the comparison is damaged: {wrong} is missing, or of another kind",
            where=str(path),
            fix=RESTORE,
        )
    return _read(content)


def in_short(compared: Comparison) -> Mapping[str, object]:
    """As a line of ``promotions.jsonl`` has it."""
    content = compared.to_json()
    return {name: content[name] for name in SHOWN}


def _read(content: Mapping[str, Any]) -> Comparison:
    """What is of its shape; keys of another version are passed over."""
    difference = content["difference"]
    return Comparison(
        rows=content["rows"],
        old=_model(content["old"]),
        new=_model(content["new"]),
        difference=difference.get("value"),
        low=difference.get("low"),
        high=difference.get("high"),
        bound=difference.get("bound"),
        only_old_right=content["only_old_right"],
        only_new_right=content["only_new_right"],
        mcnemar_p=content["mcnemar_p"],
        slices=[_slice(each) for each in content["slices"]],
        confusion=content["confusion"],
        changed=[
            ChangedRow(each["record"], each["label"], each.get("old"), each.get("new"))
            for each in content["changed"]
        ],
        judged=Judged(
            verdict=content["verdict"],
            reasons=content["reasons"],
            needed=content["needed"],
            needed_reviews=content["needed_reviews"],
        ),
        gate=with_rules(GateSettings(), content["gate"]),
        in_training=content["test_in_training"],
        unanswered=content["rows_unanswered"],
        agreement=content["agreement"],
        dataset=content.get("dataset") or "",
        command=content.get("command") or "",
        by=content.get("by") or "",
    )


def _model(content: Mapping[str, Any]) -> ModelShare:
    return ModelShare(
        run=content.get("run") or "",
        accuracy=content.get("accuracy"),
        low=content.get("low"),
        high=content.get("high"),
    )


def _slice(content: Mapping[str, Any]) -> Slice:
    return Slice(
        name=content["slice"],
        rows=content["rows"],
        only_old_right=content["only_old_right"],
        only_new_right=content["only_new_right"],
        is_looked_at=bool(content.get("looked_at")),
    )
