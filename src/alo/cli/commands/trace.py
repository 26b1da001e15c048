"""``alo trace``: what a record, a run, a request, a data set or a case hangs together with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from alo.cli.output import console
from alo.cli.values import named

if TYPE_CHECKING:
    import argparse

    from alo.loop.traces.graph import Trace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from alo.cli.actions.review_database import add_database

    parser.add_argument(
        "id",
        metavar="ID",
        type=named,
        help="a record (RUN:ROW), a run, a request, a data set (NAME@V), a case (its content id),"
        " or a review",
    )
    parser.add_argument("--json", action="store_true", help="print nodes and edges as JSON")
    add_database(parser)


def execute(options: argparse.Namespace) -> int:
    from alo.cli.actions.review_database import opened
    from alo.layout import Workspace
    from alo.loop.traces.trace import trace

    with opened(options) as database:
        found = trace(Workspace(options.project), database, options.id)
    if options.json:
        console.write_json(found.to_json())
    else:
        console.write("\n".join(_lines(found)))
    return 0


def _lines(found: Trace) -> Iterator[str]:
    yield _called(found.kind, found.id)
    for (kind, name), known in found.nodes.items():
        facts = [
            f"{key} {_text(value)}"
            for key, value in known.items()
            if value not in (None, "", [], "present")
        ]
        shown = _called(kind, name)
        yield f"  {shown}{': ' + ', '.join(facts) if facts else ''}"
    for one, other, what in found.edges:
        yield f"  {one} {what} {other}"


def _called(kind: str, name: str) -> str:
    return name if name.startswith(f"{kind} ") else f"{kind} {name}"


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value)
