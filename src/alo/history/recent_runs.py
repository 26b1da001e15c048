"""Which whole run ended last, whatever the clock says: setting it back cannot change that."""

from __future__ import annotations

from contextlib import suppress

from alo.files import write_whole
from alo.json_text import ordinary_bytes
from alo.layout import KINDS, Workspace


def record_recent_run(workspace: Workspace, kind: str, run_id: str) -> None:
    """Record that this run of a pipeline has ended just now; without room for it, time decides."""
    others = [line for line in recent_runs(workspace) if line[0] != kind]
    text = "".join(f"{each} {name}\n" for each, name in [(kind, run_id), *others])
    with suppress(OSError):
        workspace.internal.mkdir(exist_ok=True)
        write_whole(workspace.recent_runs, text.encode(), durable=False)


def recent_runs(workspace: Workspace) -> list[tuple[str, str]]:
    """Pipeline (train or inference) and id of the last run of each, the last to end first.

    Empty where ``.alo/`` has been deleted since.
    """
    try:
        lines = ordinary_bytes(workspace.recent_runs).decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    known = [(kind, run_id) for kind, _, run_id in (line.partition(" ") for line in lines)]
    return [(kind, run_id) for kind, run_id in known if kind in KINDS and run_id]
