"""What a candidate was compared with before it went into history: ``log/comparison.json``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from alo.errors import HistoryError
from alo.json_text import EACH, json_file, misfit

COMPARISON = "log/comparison.json"  # in the candidate's history entry
SHOWN = ("dataset", "rows", "difference", "verdict", "reasons")  # in promotions.jsonl

Compared = Mapping[str, object]

_NUMBER, _PERHAPS, _WORD = (int, float), (int, float, type(None)), (str, type(None))
_MODEL = {"run": _WORD, "accuracy": _PERHAPS, "low": _PERHAPS, "high": _PERHAPS}
_SLICE = {
    "slice": str,
    "rows": int,
    "difference": _NUMBER,
    "only_old_right": int,
    "only_new_right": int,
}
CHANGED = {"record": str, "label": str, "old": _WORD, "new": _WORD}  # of each of `changed`
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
    "changed": list,
    "agreement": {EACH: _PERHAPS},
    "needed": int,
    "needed_reviews": int,
    "command": _WORD,
    "by": _WORD,
}


def comparison_of(folder: Path) -> Compared | None:
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
        raise HistoryError(f"the comparison cannot be read: {error}", where=str(path)) from error
    if wrong := misfit(content, _SHAPE):
        raise HistoryError(
            f"the comparison is damaged: {wrong} is missing, or of another kind",
            where=str(path),
            fix="restore it from a backup, or retrain: alo history verify names what has changed",
        )
    return dict(content)


def is_held(compared: Compared | None) -> bool:
    """Whether the gate holds a candidate; a model that was never compared is none."""
    return compared is not None and compared.get("verdict") != "pass"


def reasons_of(compared: Compared) -> list[str]:
    """Why the gate holds it."""
    reasons = compared.get("reasons")
    return [str(each) for each in reasons] if isinstance(reasons, list) else []


def in_short(compared: Compared) -> Compared:
    """As a line of ``promotions.jsonl`` has it."""
    return {name: compared.get(name) for name in SHOWN}
