"""What keeps runs in history although no run or service needs them: open reviews, candidates.

Each holder has a file ``studio/pins/<holder>.json`` of its own, beside what people made: a look
at a few small files is all that a run pays for it, and no database has to be reached.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from alo.errors import HistoryError
from alo.files import write_whole
from alo.json_text import json_bytes, json_file
from alo.layout import Workspace

FOLDER = "pins"  # below studio/
MOST_BYTES = 10_000_000  # of a file


def pin(workspace: Workspace, holder: str, runs: Collection[str], known_in: str = "") -> None:
    """Keep runs in history for as long as a holder needs them.

    Args:
        holder: who needs them, as messages name it: ``review patients``.
        known_in: the database that knows the holder; empty: none does.
    Raises:
        OSError: it cannot be written.
    """
    folder = workspace.studio / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    content = {"holder": holder, "runs": sorted(runs), "known_in": known_in}
    write_whole(folder / _name(holder), json_bytes(content))


def unpin(workspace: Workspace, holder: str) -> None:
    """A holder needs its runs no more."""
    with suppress(FileNotFoundError):
        os.unlink(workspace.studio / FOLDER / _name(holder))


class Pin(NamedTuple):
    """What one holder needs."""

    holder: str
    runs: Sequence[str]
    known_in: str
    path: Path
    age_s: float  # since it was written


def all_pins(workspace: Workspace) -> Iterator[Pin]:
    """Those of every holder; damaged ones are left out."""
    for path in sorted((workspace.studio / FOLDER).glob("*.json")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            content = json_file(path, most=MOST_BYTES)
            runs = [str(each) for each in content["runs"]]
            age_s = time.time() - path.stat().st_mtime
            yield Pin(str(content["holder"]), runs, str(content.get("known_in", "")), path, age_s)


def pins(workspace: Workspace) -> Mapping[str, Sequence[str]]:
    """The runs that are kept, each with all who hold it, in the order of their names.

    Raises:
        HistoryError: a file is damaged: then it is not known which runs are needed.
    """
    found: dict[str, list[str]] = {}
    try:
        names = sorted(os.listdir(workspace.studio / FOLDER))
    except (FileNotFoundError, NotADirectoryError):
        return found
    for name in names:
        path = workspace.studio / FOLDER / name
        if not name.endswith(".json"):
            continue
        try:
            content = json_file(path, most=MOST_BYTES)
            holder = str(content["holder"])
            for run_id in dict.fromkeys(map(str, content["runs"])):
                found.setdefault(run_id, []).append(holder)
        except FileNotFoundError:  # removed meanwhile
            continue
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise HistoryError(
                f"what keeps runs in history cannot be read: {error}",
                where=str(path),
                fix="remove the file, if what it names needs its runs no more",
            ) from error
    return {run_id: sorted(holders) for run_id, holders in found.items()}


def _name(holder: str) -> str:
    """A file's name, whatever the holder is called."""
    return f"{hashlib.sha256(holder.encode()).hexdigest()[:16]}.json"
