"""Pages of runs: together they are the whole list, in order, each run once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alo.errors import UsageError
from alo.files import remove_tree
from alo.history.filters import Filters, Param
from alo.history.index import table
from alo.history.index.pages import (
    RunPage,
    Scored,
    Wanted,
    newest_scores,
    page_of_runs,
    scores_in,
)
from alo.layout import Workspace

Keep = Callable[..., Path]


def pages(workspace: Workspace, wanted: Wanted, limit: int) -> list[RunPage]:
    found = [page_of_runs(workspace, wanted, limit=limit)]
    while found[-1].next:
        found.append(page_of_runs(workspace, wanted, key=found[-1].next, limit=limit))
    return found


def ids(found: list[RunPage]) -> list[str]:
    return [line.id for page in found for line in page.lines]


@pytest.fixture
def runs(workspace: Workspace, keep: Keep) -> dict[str, str]:
    """Name → id; scores, results, notes and args repeat, and some are missing."""
    given = [
        ("a", {"score": 0.5, "result": "b", "args": {"train": {"depth": 3}}}),
        ("b", {"score": None, "result": "", "args": {"train": {"depth": 12}}}),
        ("c", {"score": 0.5, "result": "a", "args": {"train": {"depth": "deep"}}}),
        ("d", {"score": 0.9, "result": "b", "train_id": "m1", "status": "error"}),
        ("e", {"score": 0.1, "result": "100%", "train_id": "m2", "pipeline": "inference"}),
    ]
    return {
        name: keep(minute, **fields).name.removesuffix("-error")
        for minute, (name, fields) in enumerate(given)
    }


@pytest.mark.parametrize("limit", [1, 2, 5, 500])
@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("-start_time", "edcba"),
        ("start_time", "abcde"),
        ("-score", "dcaeb"),
        ("score", "eacdb"),
        ("-result", "daceb"),
        ("result", "ecadb"),
        ("args.train.depth", "abcde"),
        ("-args.train.depth", "cbaed"),
    ],
)
def test_the_pages_are_the_list_in_order_and_runs_without_the_value_come_last(
    workspace: Workspace, runs: dict[str, str], sort: str, order: str, limit: int
) -> None:
    found = pages(workspace, Wanted(sort=sort), limit)

    assert ids(found) == [runs[name] for name in order]
    assert {page.total for page in found} == {5}


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (Wanted(Filters(status="error")), "d"),
        (Wanted(Filters(pipeline="train", params=(Param("train", "depth", 12),))), "b"),
        (Wanted(text="100%"), "e"),
        (Wanted(text="%"), "e"),
        (Wanted(text="_"), ""),
        (Wanted(model="m"), "ed"),
        (Wanted(model="m2"), "e"),
        (Wanted(text="\0"), ""),
        (Wanted(model="\udc80"), ""),
    ],
)
def test_filters_hold_what_they_name_and_nothing_else(
    workspace: Workspace, runs: dict[str, str], wanted: Wanted, names: str
) -> None:
    page = page_of_runs(workspace, wanted)

    # Ids are of the same solution, so a text of it would be in all of them.
    assert [line.id for line in page.lines] == [runs[name] for name in names]
    assert page.total == len(names)


def test_runs_that_come_and_go_between_pages_move_no_other(
    workspace: Workspace, runs: dict[str, str], keep: Keep
) -> None:
    first = page_of_runs(workspace, Wanted(), limit=2)
    keep(60)
    remove_tree(workspace.history / "inference" / runs["e"])

    second = page_of_runs(workspace, Wanted(), key=first.next, limit=2)

    assert [line.id for line in second.lines] == [runs["c"], runs["b"]]


def test_a_record_that_was_changed_is_read_again(
    workspace: Workspace, runs: dict[str, str]
) -> None:
    page_of_runs(workspace, Wanted())
    record = workspace.history / "train" / runs["a"] / "log" / "experimental_history.json"
    record.write_text(record.read_text().replace('"b"', '"changed"'))

    assert "changed" in [line.result for line in page_of_runs(workspace, Wanted()).lines]


@pytest.mark.parametrize("sort", ["", "-", "size", "args.train", "args..x", "args.a.\0", "--id"])
def test_an_order_that_is_none_is_refused(workspace: Workspace, sort: str) -> None:
    with pytest.raises(UsageError, match="cannot be sorted"):
        page_of_runs(workspace, Wanted(sort=sort))


@pytest.mark.parametrize("key", ["x", "W10", "WzEsMiwzXQ", "é", "bnVsbA"])
def test_a_page_that_is_none_is_refused(workspace: Workspace, key: str) -> None:
    with pytest.raises(UsageError, match="no page"):
        page_of_runs(workspace, Wanted(), key=key)


@pytest.mark.parametrize("limit", [0, -1, 501])
def test_a_page_has_a_size_within_bounds(workspace: Workspace, limit: int) -> None:
    with pytest.raises(UsageError, match="500"):
        page_of_runs(workspace, Wanted(), limit=limit)


def test_the_scores_of_the_newest_are_given_the_oldest_first(
    workspace: Workspace, runs: dict[str, str]
) -> None:
    def scores(wanted: Wanted, limit: int) -> list[Scored]:
        return table.ask(workspace, lambda runs: newest_scores(runs, wanted, limit))

    assert [(each.run, each.score, each.pipeline) for each in scores(Wanted(), 4)] == [
        (runs["c"], 0.5, "train"),  # b has none
        (runs["d"], 0.9, "train"),
        (runs["e"], 0.1, "inference"),
    ]
    assert [each.run for each in scores(Wanted(Filters(status="error")), 4)] == [runs["d"]]
    assert scores(Wanted(text="\0"), 4) == []
    found = page_of_runs(workspace, Wanted(sort="score")).lines
    for limit in range(1, len(runs) + 1):
        assert scores_in(found, limit) == scores(Wanted(), limit)


def test_the_args_of_some_runs_are_read_without_their_records(
    workspace: Workspace, runs: dict[str, str]
) -> None:
    lines = page_of_runs(workspace, Wanted(sort="start_time")).lines

    found = table.ask(workspace, lambda asked: asked.args(lines[1:4]))

    assert found == {
        runs["b"]: {"train": {"depth": 12}},
        runs["c"]: {"train": {"depth": "deep"}},
        runs["d"]: {},
    }
    assert table.ask(workspace, lambda asked: asked.args([])) == {}
