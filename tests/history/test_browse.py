"""Listing, finding and removing runs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alo.claims import take
from alo.errors import HistoryError
from alo.history.browse import Filters, History
from alo.history.filters import Param
from alo.history.in_use import unfinished_record
from alo.history.models_origin import write_origin
from alo.history.record import RunRecord
from alo.layout import Workspace

Keep = Callable[..., Path]
MakeRecord = Callable[..., RunRecord]


def begin(workspace: Workspace, record: RunRecord) -> None:
    workspace.unfinished.mkdir(exist_ok=True)
    note = {"id": record.id, "pipeline": record.pipeline, "record": record.to_json()}
    workspace.journal.write_text(json.dumps(note))


@pytest.fixture
def lock(workspace: Workspace) -> Iterator[None]:
    """A run is in progress."""
    workspace.unfinished.mkdir()
    claim = take(workspace.run_lock, "test")
    yield
    assert claim is not None
    claim.release()


def test_the_newest_come_first_and_no_more_than_asked_for(keep: Keep, history: History) -> None:
    names = [keep(minute).name for minute in range(25)]

    assert [record.id for record in history.list()] == names[:4:-1]
    assert [record.id for record in history.list(limit=2)] == names[:-3:-1]
    assert len(history.list(limit=None)) == 25
    assert [line.id for line in history.lines(limit=2)] == names[:-3:-1]


def test_a_project_without_history_has_an_empty_list(history: History) -> None:
    assert list(history.list()) == []


@pytest.mark.parametrize(
    ("filters", "minutes"),
    [
        (Filters(), [3, 2, 1, 0]),
        (Filters(pipeline="inference"), [1]),
        (Filters(status="error"), [2]),
        (Filters(since="2026-01-01T00:02:00.000000Z"), [3, 2]),
        (Filters(params=(Param("train", "depth", 5),)), [3, 0]),
        (Filters(params=(Param("train", "depth", 5.0),)), [3, 0]),
        (Filters(params=(Param("train", "depth", "5"),)), []),
        (Filters(params=(Param("train", "depth", 5), Param("train", "name", "가"))), [3]),
        (Filters(params=(Param("other", "depth", 5),)), []),
        (Filters(pipeline="train", status="success"), [3, 0]),
    ],
)
def test_filters_have_to_hold_all(
    keep: Keep, history: History, filters: Filters, minutes: list[int]
) -> None:
    keep(0, args={"train": {"depth": 5}})
    keep(1, pipeline="inference", args={"train": {"depth": 6}})
    keep(2, status="error")
    keep(3, args={"train": {"depth": 5, "name": "가"}})

    found = [int(record.start_time[14:16]) for record in history.list(filters)]

    assert found == minutes


def test_runs_are_found_by_the_data_set_that_they_were_trained_on(
    keep: Keep, history: History, workspace: Workspace, make_record: Callable[..., RunRecord]
) -> None:
    wanted = keep(0, dataset="d@v1")
    keep(1, dataset="d@v2")
    keep(2)
    begin(workspace, make_record(3, dataset="d@v1", status="interrupted"))

    found = history.list(Filters(dataset="d@v1"))

    assert [each.dataset for each in found] == ["d@v1", "d@v1"]
    assert found[-1].id == wanted.name


def test_runs_are_found_by_the_model_that_they_used_and_the_request_that_they_answered(
    keep: Keep, history: History
) -> None:
    keep(0, pipeline="inference", train_id="a")
    of_model = keep(1, pipeline="inference", train_id="b")
    of_request = keep(2, pipeline="inference", train_id="c", overrides=["request r-1"])
    keep(3, pipeline="inference", train_id="c", overrides=["request r-10"])

    assert [each.id for each in history.list(Filters(model="b"))] == [of_model.name]
    assert [each.id for each in history.list(Filters(request="r-1"))] == [of_request.name]
    assert list(history.list(Filters(model="b", request="r-1"))) == []


def test_a_run_is_found_by_the_beginning_of_its_id_or_its_folder(
    keep: Keep, history: History
) -> None:
    keep(0)
    failed = keep(1, status="error")

    for prefix in ("20260101T0001", failed.name, f"history/train/{failed.name}/"):
        entry = history.find(prefix)
        assert entry.folder == failed
        assert failed.name == f"{entry.record.id}-error"


def test_an_id_that_another_begins_with_is_found(keep: Keep, history: History) -> None:
    keep(0, id="a")
    keep(1, id="ab")

    assert history.find("a").record.id == "a"


def test_an_ambiguous_beginning_names_the_runs(keep: Keep, history: History) -> None:
    names = [keep(minute).name for minute in range(2)]

    with pytest.raises(HistoryError, match=rf"2 runs.*{names[1]}, {names[0]}"):
        history.find("2026")


def test_an_unknown_id_names_near_ones(keep: Keep, history: History) -> None:
    keep(0)
    near = keep(1, id="20260101T000100Z-12345678-demo")

    with pytest.raises(HistoryError, match=f"nearest: {near.name}"):
        history.find("20260101T0001009")
    with pytest.raises(HistoryError, match=f"nearest: {near.name}"):
        history.find("12345678")


def test_a_project_without_runs_says_so(history: History) -> None:
    with pytest.raises(HistoryError, match="no history yet"):
        history.find("x")


@pytest.mark.usefixtures("lock")
def test_the_run_in_progress_is_listed_first(
    keep: Keep, history: History, workspace: Workspace, make_record: MakeRecord
) -> None:
    keep(0)
    running = make_record(1, status="running", args={"train": {"n": 1}})
    begin(workspace, running)

    assert [record.status for record in history.list()] == ["running", "success"]
    assert [line.id for line in history.lines(limit=1)] == [running.id]
    assert len(history.list(Filters(status="running"))) == 1
    assert len(history.list(Filters(status="running", params=(Param("train", "n", 1),)))) == 1
    assert history.list(Filters(pipeline="inference")) == []
    assert history.look_up(running.id[:20]).status == "running"
    with pytest.raises(HistoryError, match="status is running"):
        history.find(running.id)


def test_a_killed_run_that_no_one_has_put_in_order_yet_is_listed_as_interrupted(
    history: History, workspace: Workspace, make_record: MakeRecord
) -> None:
    begin(workspace, make_record(status="running"))

    assert [record.status for record in history.list()] == ["interrupted"]


@pytest.mark.usefixtures("lock")
def test_a_run_that_is_already_in_history_is_listed_once(
    keep: Keep, history: History, workspace: Workspace, make_record: MakeRecord
) -> None:
    begin(workspace, make_record(id=keep(0).name, status="running"))

    assert [record.status for record in history.list()] == ["success"]


@pytest.mark.parametrize("journal", [b"", b"[]", b"{}", b'{"id": "a", "record": []}'])
def test_a_damaged_journal_is_no_run(
    history: History, workspace: Workspace, journal: bytes
) -> None:
    workspace.unfinished.mkdir()
    workspace.journal.write_bytes(journal)

    assert list(history.list()) == []


def test_runs_are_removed_by_their_beginnings(keep: Keep, history: History) -> None:
    first, second, third = keep(0), keep(1), keep(2)

    removed = history.remove(["20260101T0000", "20260101T0002"])

    assert removed == [first.name, third.name]
    assert [record.id for record in history.list()] == [second.name]
    assert os.listdir(second.parent) == [second.name]


def test_nothing_is_removed_when_one_id_is_wrong(keep: Keep, history: History) -> None:
    entry = keep(0)

    with pytest.raises(HistoryError):
        history.remove([entry.name, "wrong"])

    assert entry.is_dir()


def test_read_only_folders_in_an_entry_can_be_removed(keep: Keep, history: History) -> None:
    entry = keep(0, files={"output/a.csv": b"1"})
    (entry / "output").chmod(0o555)

    history.remove([entry.name])

    assert os.listdir(entry.parent) == []


def test_an_entry_that_was_moved_elsewhere_loses_its_link_only(
    keep: Keep, history: History, tmp_path: Path
) -> None:
    entry = keep(0)
    entry.rename(tmp_path / "elsewhere")
    entry.symlink_to(tmp_path / "elsewhere")

    history.remove([entry.name])

    assert os.listdir(entry.parent) == []
    assert (tmp_path / "elsewhere/experimental_plan.yaml").exists()


def make_current(workspace: Workspace, train_id: str) -> None:
    (workspace.models / "train").mkdir(parents=True)
    (workspace.models / "train/model").write_text("m")
    write_origin(workspace, train_id)


def test_the_run_that_made_the_current_model_is_not_removed(
    keep: Keep, history: History, workspace: Workspace
) -> None:
    current, other, newest = keep(0), keep(1), keep(2)
    make_current(workspace, current.name)

    with pytest.raises(HistoryError, match="current model"):
        history.remove([other.name, current.name])
    assert other.is_dir()

    assert history.prune(keep=1) == [other.name]
    assert history.prune(keep=0) == [newest.name]
    assert current.is_dir()


@pytest.mark.usefixtures("lock")
def test_what_a_run_in_progress_replaces_or_uses_is_not_removed(
    keep: Keep, history: History, workspace: Workspace, make_record: MakeRecord
) -> None:
    current, used, other = keep(0), keep(1), keep(2)
    make_current(workspace, current.name)
    begin(workspace, make_record(3, pipeline="inference", train_id=used.name))
    (workspace.unfinished / "previous").mkdir()
    workspace.artifacts("train").rename(workspace.unfinished / "previous/artifacts")

    assert history.prune(keep=0) == [other.name]


def test_pruning_keeps_the_newest(keep: Keep, history: History) -> None:
    names = [keep(minute).name for minute in range(4)]

    assert list(history.prune(keep=2)) == [names[1], names[0]]
    assert list(history.prune(keep=2)) == []


def test_pruning_by_size_removes_the_oldest(keep: Keep, history: History) -> None:
    first = keep(0, files={"output/a": b"x" * 400_000})
    keep(1, files={"output/a": b"x" * 400_000})

    assert history.prune(size_mb=0.5) == [first.name]


def test_verify_looks_at_all_runs_or_at_those_named(keep: Keep, history: History) -> None:
    good, bad = keep(0), keep(1)
    (bad / "experimental_plan.yaml").write_text("other")

    assert {name: len(damage) for name, damage in history.verify().items()} == {
        good.name: 0,
        bad.name: 1,
    }
    assert list(history.verify([good.name])) == [good.name]


def test_a_run_of_an_earlier_version_which_has_the_lock_alone_is_running(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.internal.mkdir()
    workspace.unfinished.mkdir()
    workspace.journal.write_text('{"id": "20260101T000000Z-1-x", "pipeline": "train"}')

    assert unfinished_status(workspace) == "interrupted"
    claim = take(workspace.lock, "alo run")
    assert claim is not None
    assert unfinished_status(workspace) == "running"
    claim.release()


def unfinished_status(workspace: Workspace) -> str:
    record = unfinished_record(workspace)
    assert record is not None
    return record.status
