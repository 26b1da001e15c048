"""What an id hangs together with, as boxes and arrows: from the left, where it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

BOX, HEIGHT = 210, 46  # of a box, in the drawing's own units
GAP, ROW_GAP, EDGE = 56, 16, 8  # between columns, between boxes, around all of it
MOST = 60  # boxes that are drawn; all are in the list

Node = Mapping[str, Any]


class Box(NamedTuple):
    """One node."""

    x: int
    y: int
    number: int  # in the list of nodes


class Arrow(NamedTuple):
    """One edge."""

    path: str
    what: str


class TraceChart(NamedTuple):
    """What the template draws."""

    width: int
    height: int
    boxes: Sequence[Box]
    arrows: Sequence[Arrow]
    box: int  # the width of one
    box_height: int
    left_out: int  # nodes that are in the list alone


def trace_chart(nodes: Sequence[Node], edges: Sequence[Mapping[str, str]]) -> TraceChart:
    """The drawing of a trace, as ``Trace.to_json`` has its nodes and edges."""
    drawn = nodes[:MOST]
    names = {str(node["id"]): number for number, node in enumerate(drawn)}
    known = [each for each in edges if each["from"] in names and each["to"] in names]
    columns = _columns(len(drawn), [(names[e["from"]], names[e["to"]]) for e in known])
    rows: dict[int, int] = {}
    boxes = []
    for number, column in enumerate(columns):
        row = rows.get(column, 0)
        rows[column] = row + 1
        x, y = EDGE + column * (BOX + GAP), EDGE + row * (HEIGHT + ROW_GAP)
        boxes.append(Box(x, y, number))
    arrows = [
        Arrow(_path(boxes[names[e["from"]]], boxes[names[e["to"]]]), e["what"]) for e in known
    ]
    return TraceChart(
        2 * EDGE + (max(columns, default=0) + 1) * (BOX + GAP) - GAP,
        2 * EDGE + max(rows.values(), default=1) * (HEIGHT + ROW_GAP) - ROW_GAP,
        boxes,
        arrows,
        BOX,
        HEIGHT,
        len(nodes) - len(drawn),
    )


def _columns(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The column of each node: right of all that leads to it; a circle ends where it began."""
    columns = [0] * count
    for _ in range(count):
        moved = False
        for one, other in edges:
            if columns[other] <= columns[one] < count - 1:
                columns[other], moved = columns[one] + 1, True
        if not moved:
            break
    return columns


def _path(one: Box, other: Box) -> str:
    """A curve from the right of one box to the left of another."""
    x, y = one.x + BOX, one.y + HEIGHT // 2
    to_x, to_y = other.x, other.y + HEIGHT // 2
    bend = max(GAP // 2, (to_x - x) // 2)
    return f"M{x},{y} C{x + bend},{y} {to_x - bend},{to_y} {to_x - 4},{to_y}"
