"""Texts in cells that a spreadsheet opens: none is run as a formula, and each can be had back."""

from __future__ import annotations

import re

# Also what is disarmed already: so no two texts become the same cell.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def disarmed(cell: object) -> object:
    """A cell that no spreadsheet runs as a formula (OWASP on CSV injection)."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def text_of(cell: str) -> str:
    """The text of a disarmed cell."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
