"""The alarms of a project that are raised now, as commands list them."""

from __future__ import annotations

from collections.abc import Sequence

from alo.alarms.ledger import Crossing, read_ledger
from alo.cli.output import console
from alo.errors import HistoryError
from alo.layout import Workspace


def raised_now(workspace: Workspace) -> Sequence[Crossing] | None:
    """Them, the newest first; None: what is noted of them cannot be read, which is reported."""
    try:
        return read_ledger(workspace).raised_now
    except HistoryError as error:
        console.write_error(str(error))
        return None


def as_json(alarms: Sequence[Crossing] | None) -> list[dict[str, object]] | None:
    """As ``--json`` has them."""
    return None if alarms is None else [each.to_json() for each in alarms]


def as_line(alarm: Crossing) -> str:
    """One of them."""
    line = (
        f"{alarm.alarm} raised since {alarm.time}: {alarm.value:.4g} (limit {alarm.limit:.4g}), "
        f"requests: {alarm.requests}; call: {alarm.delivery}"
    )
    return f"{line}: {console.one_line(alarm.reason)}" if alarm.reason else line
