"""``alo models list``, ``show``, ``log`` and ``at``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from alo.cli.actions.dispatch import Action, of_actions
from alo.cli.output import console
from alo.cli.output.comparison import comparison_lines
from alo.cli.values import named
from alo.errors import HistoryError
from alo.gate.compared import comparison_of
from alo.gate.comparison import Comparison
from alo.history.browse import Entry, History
from alo.history.deployment import CURRENT, read_deployment
from alo.history.filters import Filters, parse_since
from alo.history.promotions import model_at, promotions, run_of
from alo.layout import Workspace

OF_TRAIN = Filters(pipeline="train", status="success")


def _list(options: argparse.Namespace) -> int:
    workspace = Workspace(options.project)
    history, deployed = History(workspace), read_deployment(workspace)
    roles = {deployed.shadow: "shadow", deployed.before: "before", deployed.run: "deployed"}
    rows = []
    for record in history.list(OF_TRAIN, None):
        rows.append(
            {
                "run": record.id,
                "role": roles.get(record.id, ""),
                "score": record.score,
                "dataset": record.dataset,
                "verdict": _verdict(history.folder(record)),
            }
        )
    if options.json:
        console.write_json(rows)
        return 0
    headers = ("run", "", "score", "data set", "gate")
    shown = [tuple("" if each is None else str(each) for each in row.values()) for row in rows]
    empty = "no models yet: alo run --mode train makes the first"
    console.write(console.table(headers, shown, right=(2,)) if rows else empty)
    return 0


def _verdict(folder: Path | None) -> str:
    """What the gate says of a model in the list; of one that is damaged, that."""
    try:
        compared = comparison_of(folder) if folder else None
    except HistoryError:
        return "damaged"
    return compared.judged.verdict if compared else ""


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run", metavar="RUN", type=named, help="id of the train run, or the beginning of it"
    )


def _show(options: argparse.Namespace) -> int:
    entry = History(Workspace(options.project)).find(options.run)
    compared = comparison_of(entry.folder)
    found = [
        each.to_json()
        for each in promotions(Workspace(options.project))
        if each.run == entry.record.id
    ]
    if options.json:
        content = {
            "run": entry.record.id,
            "dataset": entry.record.dataset,
            "comparison": compared and compared.to_json(),
            "promotions": found,
        }
        console.write_json(content)
        return 0
    console.write("\n".join(_lines(entry, compared)))
    for each in found:
        console.write(f"deployed {each['when']} by {each['who']}: {each['why']}")
    return 0


def _lines(entry: Entry, compared: Comparison | None) -> Iterator[str]:
    record = entry.record
    score = "no score" if record.score is None else f"score {record.score}"
    yield "  ".join(text for text in (record.id, score, record.result) if text)
    if entry.record.dataset:
        yield f"trained on {entry.record.dataset}"
    if compared is None:
        yield "not compared with another model: alo retrain compares"
        return
    yield from comparison_lines(compared)


def _log(options: argparse.Namespace) -> int:
    found = promotions(Workspace(options.project))
    if options.json:
        console.write_json([each.to_json() for each in found])
        return 0
    rows = [(each.when, run_of(each), each.before, each.who, each.why) for each in found]
    headers = ("when (UTC)", "run", "from", "by", "why")
    empty = "no model was deployed yet: alo deploy"
    console.write(console.table(headers, rows) if rows else empty)
    return 0


def _add_time(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "time", metavar="TIME", type=named, help="UTC, as 2026-11-02T10:00Z; or 7d: so long ago"
    )


def _at(options: argparse.Namespace) -> int:
    when = parse_since(options.time, what="models at")
    found = model_at(promotions(Workspace(options.project)), when)
    if options.json:
        content = found and {"run": run_of(found), "since": found.when, "by": found.who}
        console.write_json(content)
    elif found is None:
        console.write(f"before {when} no model was deployed: services used the current one")
    else:
        name = "the workspace's current model" if run_of(found) == CURRENT else found.run
        console.write(f"{name}, since {found.when}, deployed by {found.who}")
    return 0


ACTIONS = {
    "list": Action("List the models in history.", lambda parser: None, _list),
    "show": Action("Show a model, and what it was compared with.", _add_run, _show),
    "log": Action("List every deployment, the oldest first.", lambda parser: None, _log),
    "at": Action("Show which model was deployed at a time.", _add_time, _at),
}

add_arguments, execute = of_actions("models", ACTIONS, example="at")
