"""How many labels a review has, and which keys may give one: no command of the studio's screens."""

from __future__ import annotations

MOST_LABELS = 1000  # of a review
# Commands of the label screen, the table and every screen; digits give labels by their places.
COMMANDS = frozenset("asfnzjkiexcg.+=-/?[]")


def wrong_label_key(key: str) -> str:
    """Why a key cannot give a label; empty: it can."""
    if len(key) != 1 or key.isspace() or not key.isprintable():
        return f"the key '{key}' is not one letter"
    if key.isdigit():
        return f"the key '{key}' is a digit: those give labels by their places"
    if key.lower() in COMMANDS:
        return f"the key '{key}' is a command's: take another letter"
    return ""
