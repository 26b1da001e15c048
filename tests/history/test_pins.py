"""Runs that someone needs stay in history, and it is said who needs them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alo.errors import HistoryError
from alo.history.browse import History
from alo.history.in_use import ids_in_use, need_it
from alo.history.models_origin import write_origin
from alo.history.pins import pin, pins, unpin
from alo.layout import Workspace

from .conftest import Keep


def test_a_run_is_kept_for_as_long_as_a_holder_needs_it(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)

    pin(workspace, "review a/../b", ["run-1", "run-2"])
    pin(workspace, "review c", ["run-2"])
    assert set(pins(workspace)) == {"run-1", "run-2"} <= ids_in_use(workspace)
    unpin(workspace, "review a/../b")
    unpin(workspace, "review never")

    assert pins(workspace) == {"run-2": ["review c"]}


def test_without_any_none_is_kept(tmp_path: Path) -> None:
    assert pins(Workspace(tmp_path)) == {}


@pytest.mark.parametrize("content", [b"", b"[]", b'{"runs": 1, "holder": "x"}', b'{"runs": []}'])
def test_a_damaged_file_is_an_error_and_no_reason_to_remove_anything(
    tmp_path: Path, content: bytes
) -> None:
    workspace = Workspace(tmp_path)
    pin(workspace, "review a", ["run-1"])
    (path,) = (workspace.studio / "pins").iterdir()
    path.write_bytes(content)

    with pytest.raises(HistoryError, match="cannot be read"):
        ids_in_use(workspace)


def test_neither_prune_nor_remove_nor_a_run_takes_a_pinned_run(
    make_solution: Callable[..., Path], run: Callable[..., object]
) -> None:
    home = make_solution(
        train={"train": "Path(self.asset.get_model_path(), 'm').write_text('x' * 9000)"},
        control={"backup_size": 0.001},
    )
    workspace = Workspace(home)
    run(home, mode="train")
    (first,) = History(workspace).list(limit=None)
    pin(workspace, "review patients", [first.id])

    run(home, mode="train")
    run(home, mode="train")

    kept = [record.id for record in History(workspace).list(limit=None)]
    assert len(kept) == 2
    assert kept[-1] == first.id
    assert History(workspace).prune(keep=0) == []  # the other one made the current model
    with pytest.raises(HistoryError, match="review patients needs it"):
        History(workspace).remove([first.id])


def test_a_run_that_cannot_know_what_is_needed_removes_nothing(
    make_solution: Callable[..., Path], run: Callable[..., object]
) -> None:
    home = make_solution(train={"train": "pass"}, control={"backup_size": 0.001})
    run(home, mode="train")
    pin(Workspace(home), "review a", [])
    (path,) = (Workspace(home).studio / "pins").iterdir()
    path.write_bytes(b"nonsense")

    run(home, mode="train")

    assert len(History(Workspace(home)).list(limit=None)) == 2


def test_all_that_hold_a_run_are_named(keep: Keep, workspace: Workspace, history: History) -> None:
    run_id, other = keep(0).name, keep(1).name
    for name in ("b", "a"):
        pin(workspace, f"review {name}", [run_id, other])

    with pytest.raises(HistoryError) as reported:
        history.remove([run_id])
    assert reported.value.what == f"run {run_id} is in use: review a and review b need it"
    workspace.models.mkdir(parents=True)
    (workspace.models / "m").write_text("x")
    write_origin(workspace, run_id)
    with pytest.raises(HistoryError, match="review a, review b and the current model need it"):
        history.remove([run_id])
    with pytest.raises(HistoryError, match="need it; 1 more of these runs is in use, too"):
        history.remove([run_id, other])


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "r0 needs it"),
        (2, "r0 and r1 need it"),
        (5, "r0, r1, r2, r3 and r4 need it"),
        (7, "r0, r1, r2, r3, r4 and 2 more need it"),
    ],
)
def test_of_many_some_are_named(count: int, said: str) -> None:
    assert need_it([f"r{n}" for n in range(count)]) == said
