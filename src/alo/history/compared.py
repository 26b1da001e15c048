"""What a candidate was compared with before it went into history: ``log/comparison.json``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from alo.errors import HistoryError
from alo.json_text import json_file

COMPARISON = "log/comparison.json"  # in the candidate's history entry
SHOWN = ("dataset", "rows", "difference", "verdict", "reasons")  # in promotions.jsonl

Compared = Mapping[str, object]


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
    return content if isinstance(content, dict) else None


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
