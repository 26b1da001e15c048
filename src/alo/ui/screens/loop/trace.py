"""``/trace/{id}``: what a record, a run, a request, a data set or a case hangs together with."""

from __future__ import annotations

import shlex
from collections.abc import Container, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from alo.errors import UsageError
from alo.loop.traces.known import KINDS
from alo.loop.traces.trace import trace
from alo.review.record_ids import run_in
from alo.ui.ask import Ask
from alo.ui.drawing.traces import trace_chart
from alo.ui.problems import not_found
from alo.ui.rendering.page import Page
from alo.ui.rendering.shown import short
from alo.ui.screens.lists import table_of

COLUMNS = ("kind", "id", "state")
HIDDEN = ("kind", "id", "state")
REASONS = "reasons"  # of a verdict, each of which has its own words

Node = Mapping[str, Any]


def show(ask: Ask) -> Page:
    """The chain, drawn and as a list."""
    ask.query.allow()
    studio = ask.studio
    try:
        found = trace(studio.workspace, studio.database, ask.names["id"])
    except UsageError as error:
        raise not_found(error.what, fix=error.fix) from error
    content = found.to_json()
    nodes, edges = list(_nodes(content)), list(_edges(content))
    gone = {str(node["id"]) for node in nodes if node["state"] != "present"}
    shown = {
        "links": [_link(found.id, node, gone) for node in nodes],
        "names": [_name(node) for node in nodes],
        "short_names": [_short_name(_name(node)) for node in nodes],
        "facts": [_facts(node) for node in nodes],
        "following": [_following(node, edges, nodes) for node in nodes],
        "traced": [node["kind"] in KINDS and node["id"] != found.id for node in nodes],
        "contents": _traced_contents(nodes, edges),
        "chart": trace_chart(nodes, edges),
        "called": found.id.removeprefix(f"{found.kind} "),
        "command": shlex.join(["alo", "trace", found.id]),
    }
    return Page("trace", found.id, content, shown, table_of(COLUMNS, nodes), folder="loop/")


def _nodes(content: Mapping[str, object]) -> list[Node]:
    found = content["nodes"]
    return found if isinstance(found, list) else []


def _edges(content: Mapping[str, object]) -> list[Mapping[str, str]]:
    found = content["edges"]
    return found if isinstance(found, list) else []


def _traced_contents(nodes: Iterable[Node], edges: Iterable[Mapping[str, str]]) -> set[object]:
    """The cases that have a trace: of a record that nobody has reviewed, nothing else knows it."""
    to = {str(node["id"]) for node in nodes if node["kind"] in ("review", "dataset")}
    known = {each["from"] for each in edges if each["to"] in to}
    return {
        node["id"] if node["kind"] == "content" else node.get("content")
        for node in nodes
        if node["kind"] == "content" or node["id"] in known
    }


def _following(
    node: Node, edges: Iterable[Mapping[str, str]], nodes: Iterable[Node]
) -> list[tuple[str, str, str]]:
    """What became of a node: how, and the kind and the name of what it leads to."""
    known = {each["id"]: each for each in nodes}
    others = [(each["what"], known[each["to"]]) for each in edges if each["from"] == node["id"]]
    return [(what, str(other["kind"]), _name(other)) for what, other in others]


def _name(node: Node) -> str:
    """The id without its kind, which is said beside it."""
    return str(node["id"]).removeprefix("input of ").removeprefix(f"{node['kind']} ")


def _short_name(name: str) -> str:
    """As a box has room for it: without the solution's name, which all runs share."""
    run_id, colon, row = name.rpartition(":")
    if not (colon and row.isdigit()):
        run_id, colon, row = name, "", ""
    return f"{short(run_id)}{colon}{row}" if run_id[:8].isdigit() else name


def _facts(node: Node) -> list[tuple[str, object]]:
    """What is known of a node beside its id."""
    return [
        (key, ", ".join(map(str, value)) if isinstance(value, list) and key != REASONS else value)
        for key, value in node.items()
        if key not in HIDDEN and value not in (None, "", [])
    ]


def _link(here: str, node: Node, gone: Container[str]) -> str:
    """Where a node is shown; empty: nowhere, as it is pruned."""
    kind, name, is_here = node["kind"], _name(node), node["id"] == here
    run_id = run_in(name)
    match kind:
        case "promotion":
            return f"/models/log?at={_part(name)}"
        case "record" if is_here:
            return "" if run_id in gone else f"/runs/{_part(run_id)}/files?folder=output"
        case "record" | "content" | "request":
            return "" if is_here else f"/trace/{_part(name)}"
        case _ if node["id"] in gone:
            return f"/trace/{_part(node['id'])}" if kind in KINDS and not is_here else ""
        case "run":
            return f"/{'models' if _is_model(node) else 'runs'}/{_part(name)}"
        case "comparison":
            return f"/models/{_part(name)}"
        case "input":
            return "" if run_id in gone else f"/runs/{_part(run_id)}/files"
        case "dataset":
            return f"/datasets/{name.replace('@', '/')}"
        case "review":
            return f"/reviews/{_part(name)}"
    return ""


def _is_model(node: Node) -> bool:
    """Whether a run has a page as a model: one in progress has none yet."""
    return node.get("pipeline") == "train" and node.get("status") != "running"


def _part(text: str) -> str:
    return quote(text, safe="")
