"""How many runs history does not have: those that were removed, and requests it never took.

``history/.not-kept.json`` has a count of each kind; it goes with the history that it is about.
"""

from __future__ import annotations

import time
from pathlib import Path

from alo.files import alone_with, write_whole
from alo.json_text import json_bytes, json_file
from alo.named_tuples import NamedTuple

NAME = ".not-kept.json"  # in history/
LOCK_S = 1.0  # that others may keep it locked; no run waits longer for a count


class NotKept(NamedTuple):
    """Runs of one kind that are not in history."""

    runs: int = 0  # how many
    since: str = ""  # UTC, when counting began; empty: nothing has been counted

    def to_json(self) -> dict[str, object]:
        """As the file has it, and the studio shows it."""
        return {"count": self.runs, "since": self.since}


def note_not_kept(history: Path, kind: str, count: int = 1) -> None:
    """Count runs that are not in history, or no more; a count that cannot be noted is left out.

    Args:
        kind: train or inference.
    """
    from alo.history.ids import utc_text

    try:
        history.mkdir(exist_ok=True)
        with alone_with(history, LOCK_S):
            known = _read(history)
            before = known.get(kind) or NotKept(0, utc_text(time.time()))
            after = {**known, kind: before._replace(runs=before.runs + count)}
            content = {each: found.to_json() for each, found in after.items()}
            write_whole(history / NAME, json_bytes(content), durable=False)
    except OSError:  # a full disk: what is removed makes room, and is not to fail for this
        return


def not_kept(history: Path, kind: str) -> NotKept:
    """What has been counted of a kind; nothing where nobody counted or the file is damaged."""
    return _read(history).get(kind) or NotKept()


def _read(history: Path) -> dict[str, NotKept]:
    try:
        content = json_file(history / NAME, most=10_000)
        return {
            str(kind): NotKept(int(each["count"]), str(each["since"]))
            for kind, each in content.items()
        }
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return {}
