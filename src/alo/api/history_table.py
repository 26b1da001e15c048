"""Past runs as a pandas DataFrame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from alo.api import options
from alo.errors import UsageError
from alo.layout import Workspace

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: Final = (
    "id",
    "pipeline",
    "status",
    "start_time",
    "end_time",
    "seconds",
    "score",
    "result",
    "note",
    "data_id",
    "code_id",
    "param_id",
    "train_id",
)


def history_table(
    workspace: Workspace, kind: str, parameter_steps: str | Sequence[str] | None
) -> pd.DataFrame:
    """Past runs, a row each, the newest first; args are columns ``<step>.<arg>``.

    Args:
        kind: train, inference, or empty for both.
        parameter_steps: only these steps' args; None: all.
    """
    shown = None if parameter_steps is None else options.names("parameter_steps", parameter_steps)
    try:
        import pandas as pd
    except ModuleNotFoundError as error:
        raise UsageError(
            "history() gives a pandas DataFrame, and pandas is not installed here",
            fix="pip install 'open-alo[notebook]', or use the command: alo history --json",
        ) from error
    from alo.history.browse import Filters, History

    rows = []
    for record in History(workspace).list(Filters(pipeline=kind), None):
        row: dict[str, Any] = {name: getattr(record, name) for name in COLUMNS}
        for step, args in record.args.items():
            if shown is None or step in shown:
                row.update({f"{step}.{key}": value for key, value in args.items()})
        rows.append(row)
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=list(COLUMNS))
