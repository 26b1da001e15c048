"""A trace as boxes and arrows."""

from __future__ import annotations

from itertools import pairwise

from alo.ui.drawing.traces import BOX, MOST, trace_chart


def chain(*names: str) -> list[dict[str, str]]:
    return [{"from": one, "to": other, "what": "made"} for one, other in pairwise(names)]


def test_what_follows_is_to_the_right_of_what_it_follows_from() -> None:
    nodes = [{"id": name} for name in ("record", "run", "dataset", "candidate")]
    edges = [*chain("run", "record", "dataset", "candidate"), *chain("run", "dataset")]

    chart = trace_chart(nodes, edges)

    x = {nodes[box.number]["id"]: box.x for box in chart.boxes}
    assert x["run"] < x["record"] < x["dataset"] < x["candidate"]
    assert chart.width > x["candidate"] + BOX
    assert len(chart.arrows) == len(edges)


def test_boxes_of_one_column_do_not_overlap() -> None:
    nodes = [{"id": "run"}, *({"id": f"record {n}"} for n in range(5))]
    edges = [each for n in range(5) for each in chain("run", f"record {n}")]

    chart = trace_chart(nodes, edges)

    places = [(box.x, box.y) for box in chart.boxes]
    assert len(set(places)) == 6
    assert chart.height > max(y for _, y in places)


def test_a_circle_is_drawn_and_ends() -> None:
    nodes = [{"id": "a"}, {"id": "b"}]

    chart = trace_chart(nodes, [*chain("a", "b"), *chain("b", "a")])

    assert len(chart.arrows) == 2


def test_of_many_nodes_some_are_in_the_list_alone() -> None:
    nodes = [{"id": f"n{at}"} for at in range(MOST + 7)]

    chart = trace_chart(nodes, chain("n0", f"n{MOST + 1}"))

    assert (len(chart.boxes), chart.left_out, chart.arrows) == (MOST, 7, [])


def test_nothing_is_a_drawing_too() -> None:
    assert trace_chart([], []).boxes == []
