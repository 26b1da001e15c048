"""``alo history``: list past runs.

What else can be done with them is in ``cli/actions/history.py``: listing has to be quick, so it
loads and builds nothing of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alo.cli.output import console
from alo.cli.output.format import duration
from alo.history.browse import EVERY_RUN, NEWEST, History
from alo.history.filters import STATUSES, Filters
from alo.layout import KINDS, Workspace

if TYPE_CHECKING:
    import argparse

    from alo.history.index.table import Line

HEADERS = ("id", "pipeline", "status", "start (UTC)", "duration", "score", "result", "note")
NUMBERS = (4, 5)  # the columns that are flush right
LONGEST_CELL = 40  # columns; of result and note


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from alo.cli.values import named, run_count

    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--status", choices=STATUSES, default="", help="only runs with this status")
    parser.add_argument("--mode", choices=KINDS, default="", help="only runs of this pipeline")
    parser.add_argument(
        "--param",
        metavar="STEP.ARG=VALUE",
        action="append",
        default=[],
        help="only runs with this arg, its value written as in the plan; may be repeated",
    )
    parser.add_argument(
        "--since", metavar="TIME", type=named, help="only runs since then: 2026-05-01, 12h, 7d"
    )
    parser.add_argument("--sweep", metavar="NAME", type=named, help="only trials of this sweep")
    parser.add_argument(
        "--limit",
        metavar="N",
        type=run_count,
        default=NEWEST,
        help="the newest N runs (default: 20; 0: all)",
    )
    parser.add_argument(
        "action",
        metavar="ACTION ...",
        nargs="...",
        help="show, follow, diff, verify, rerun, remove or prune runs; "
        "alo history show --help shows more",
    )


def words_of_list(words: Sequence[str]) -> Workspace | None:
    """Whose newest runs are to be listed; None: the words ask for more than that.

    It is the command that is typed most, and argparse would take as long as all the rest of it.
    """
    match words:
        case []:
            workspace = Workspace(Path())
        case ["--project", folder] if folder.strip():
            workspace = Workspace(Path(folder))
        case _:
            return None
    return workspace if workspace.history.is_dir() else None


def list_newest(workspace: Workspace) -> int:
    """List the newest runs."""
    _list(History(workspace), EVERY_RUN, NEWEST)
    return 0


def execute(options: argparse.Namespace) -> int:
    if options.action:
        from alo.cli.actions.dispatch import act

        return act("history", options)
    history = History(Workspace(options.project))
    filters, limit = _filters(options), options.limit or None
    if options.json:
        _list_as_json(history, filters, limit)
    else:
        _list(history, filters, limit)
    return 0


def _list(history: History, filters: Filters, limit: int | None) -> None:
    lines = history.lines(filters, limit)
    if lines:
        console.write(console.table(HEADERS, [_row(line) for line in lines], right=NUMBERS))
    else:
        console.write("no such run" if any(filters) else "no runs yet; alo run makes the first")


def _list_as_json(history: History, filters: Filters, limit: int | None) -> None:
    shown = [record.to_list_json() for record in history.list(filters, limit)]
    console.write_json(shown, indent=1)


def _filters(options: argparse.Namespace) -> Filters:
    from alo.history.filters import parse_param, parse_since

    return Filters(
        options.mode,
        options.status,
        parse_since(options.since) if options.since else "",
        tuple(map(parse_param, options.param)),
        options.sweep or "",
    )


def _row(line: Line) -> Sequence[str]:
    return (
        line.id,
        line.kind,
        line.status,
        line.start_time[:19].replace("T", " "),
        duration(line.seconds) if line.seconds else "",
        "" if line.score is None else f"{line.score:g}",
        console.fit(line.result, LONGEST_CELL),
        console.fit(line.note, LONGEST_CELL),
    )
