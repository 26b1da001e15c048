"""Shards are sent out and counted once, whoever is killed, lost or halved meanwhile."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.batch.shards import context
from alo.batch.shards import drive as driving
from alo.batch.shards import result as results
from alo.batch.shards.record import SPLIT
from alo.batch.shards.tables import form_of
from alo.errors import BatchError, RunError

from .conftest import Project, Rows, as_they_are

MakeProject = Callable[..., Project]


def bad_ones(*bad: int) -> Callable[[Rows], bytes | str]:
    """A pipeline that fails with these rows."""

    def answer(rows: Rows) -> bytes | str:
        wrong = [row["x"] for row in rows if int(row["x"]) in bad]
        return f"bad row {wrong[0]}\n  where: there" if wrong else as_they_are(rows)

    return answer


def test_all_rows_are_answered_once_and_nothing_of_their_inputs_is_left(
    make_project: MakeProject, tmp_path: Path
) -> None:
    project = make_project(100, rows_per_shard=7)
    drive, executor = project.drive()

    project.run(drive)

    assert project.rows(drive) == list(range(100))
    assert len(executor.tasks) == 15
    assert list((tmp_path / "process-1" / "inputs").iterdir()) == []


def test_no_more_than_twice_as_many_inputs_as_run_are_there(
    make_project: MakeProject, tmp_path: Path
) -> None:
    most = 0

    def answer(rows: Rows) -> bytes:
        nonlocal most
        most = max(most, len(list((tmp_path / "process-1" / "inputs").iterdir())))
        return as_they_are(rows)

    project = make_project(100, rows_per_shard=1)
    drive, _ = project.drive(answer)

    project.run(drive)

    assert most == 4


def test_a_lost_shard_is_tried_again_and_fails_at_last(make_project: MakeProject) -> None:
    project = make_project(3, rows_per_shard=1)
    drive, executor = project.drive(on_error="skip")
    executor.lost = ["0000", "0002", "0002", "0002"]
    warnings: list[str] = []
    drive.reports = driving.Reports(warned=warnings.append)

    project.run(drive)

    assert project.rows(drive) == [0, 1]
    assert drive.states["0000"].attempts == 2
    assert drive.states["0002"].error == "it was lost 3 times: gone"
    assert sorted(warnings) == [
        f"shard {name} is lost, and tried again: gone" for name in ("0000", "0002", "0002")
    ]


def test_a_shard_that_something_else_has_interrupted_is_not_left_out(
    make_project: MakeProject,
) -> None:
    project = make_project(3, rows_per_shard=1)
    drive, executor = project.drive()
    executor.interrupted = ["0000", "0002", "0002", "0002"]

    with pytest.raises(BatchError, match="shard 0002 failed: it was lost 3 times: its run was int"):
        project.run(drive)

    assert project.rows(drive) == [0, 1]


def test_by_default_the_first_failure_ends_the_batch_and_what_is_done_stays(
    make_project: MakeProject,
) -> None:
    project = make_project(40, rows_per_shard=4)
    drive, _ = project.drive(bad_ones(9))
    with pytest.raises(BatchError, match=r"shard 0002 failed: bad row 9") as caught:
        project.run(drive)
    assert "alo infer --resume b" in caught.value.fix
    assert project.rows(drive) == list(range(8))

    again, executor = project.drive()
    project.run(again)

    assert project.rows(again) == list(range(40))
    assert again.reused == {"0000", "0001"}
    assert len(executor.tasks) == 8


def test_skip_leaves_whole_shards_out(make_project: MakeProject) -> None:
    project = make_project(40, rows_per_shard=4)
    drive, _ = project.drive(bad_ones(9, 10, 21), on_error="skip")

    project.run(drive)

    assert project.rows(drive) == [row for row in range(40) if row // 4 not in (2, 5)]
    assert [shard.name for shard in drive.failed] == ["0002", "0005"]
    assert drive.ended == 10


def test_bisect_leaves_only_the_bad_rows_out(make_project: MakeProject) -> None:
    bad = (0, 17, 18, 63, 99)
    project = make_project(100, rows_per_shard=32)
    drive, _ = project.drive(bad_ones(*bad), on_error="bisect")

    project.run(drive)

    assert project.rows(drive) == [row for row in range(100) if row not in bad]
    assert [next(leaf.row_places())[1] for leaf in drive.failed] == list(bad)


def test_more_bad_rows_than_allowed_end_the_batch_with_the_commonest_error(
    make_project: MakeProject,
) -> None:
    project = make_project(100, rows_per_shard=32)
    drive, _ = project.drive(lambda rows: "no model", on_error="bisect", bad_rows=3)

    with pytest.raises(BatchError, match="4 rows failed, 4 of them so: no model"):
        project.run(drive)


class KilledError(BaseException):
    """Of a process that is no more."""


@pytest.mark.parametrize("seed", range(12))
def test_wherever_it_is_killed_no_row_is_missing_and_none_there_twice(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """At any step that changes the disk, also while rows are looked for that fail."""
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    bad = (5, 28)
    project = make_project(40, rows_per_shard=9)

    def dying(name: str, module: object) -> None:
        real = getattr(module, name)

        def work(*args: object, **named: object) -> object:
            if chance.random() < 0.05:
                raise KilledError
            done = real(*args, **named)
            if chance.random() < 0.05:
                raise KilledError
            return done

        monkeypatch.setattr(module, name, work)

    for name in ("put_in_place", "halves"):
        dying(name, driving)
    dying("manifest_of", context)
    for name in ("write_whole", "move_entry"):
        dying(name, results)
    dying("write", driving.BatchLog)
    for _ in range(200):
        try:
            drive, _ = project.drive(bad_ones(*bad), on_error="bisect")
            project.run(drive)
            break
        except KilledError:
            continue

    assert project.rows(drive) == [row for row in range(40) if row not in bad]
    assert {row for leaf in drive.failed for _, row in leaf.row_places()} == set(bad)


def test_a_result_that_was_damaged_or_is_of_another_model_is_made_anew(
    make_project: MakeProject,
) -> None:
    project = make_project(6, rows_per_shard=2)
    project.run(project.drive()[0])
    results_of = project.folder.results
    (results_of / "0000" / "output" / "output.csv").write_bytes(b",x\n0,0\n1,7\n")
    (results_of / "0001" / "manifest.json").write_bytes(b"{")

    drive, executor = project.drive()
    project.run(drive)
    assert project.rows(drive) == list(range(6))
    assert [task.id for task in executor.tasks] == ["0000", "0001"]

    other, executor = project.drive(ids="another")
    project.run(other)
    assert len(executor.tasks) == 3


def test_shards_that_are_alike_do_not_take_each_others_input_away(
    make_project: MakeProject,
) -> None:
    project = make_project(12, value="7", rows_per_shard=2)
    drive, executor = project.drive()

    project.run(drive)

    assert project.rows(drive) == [7] * 12
    assert len({task.inputs["inference"] for task in executor.tasks}) == 1


def test_the_columns_of_rows_that_were_checked_count_whichever_shard_is_done_first(
    make_project: MakeProject, tmp_path: Path
) -> None:
    def answer(rows: Rows) -> bytes:
        return b",y\n0,0\n1,1\n" if rows[0]["x"] == "0" else as_they_are(rows)

    (tmp_path / "checked.csv").write_bytes(as_they_are([{"x": "5"}]))
    project = make_project(8, rows_per_shard=2)
    drive, _ = project.drive(answer, form=form_of(tmp_path / "checked.csv"), on_error="skip")

    project.run(drive)

    assert [drive.states[shard.name].error for shard in drive.failed] == [
        "its table has other columns than that of the rows that were checked: ,y; ,x"
    ]


def test_a_table_with_other_columns_or_rows_fails_its_shard(make_project: MakeProject) -> None:
    def answer(rows: Rows) -> bytes:
        if rows[0]["x"] == "2":
            return b",y\n0,2\n1,3\n"
        return as_they_are(rows[:1] if rows[0]["x"] == "4" else rows)

    project = make_project(8, rows_per_shard=2)
    drive, _ = project.drive(answer, on_error="skip")

    project.run(drive)

    errors = [drive.states[shard.name].error for shard in drive.failed]
    assert errors[0] == "its table has other columns than that of shard 0000: ,y; ,x"
    assert errors[1].startswith("its output has 1 rows for 2; --row-check off")

    lenient, _ = project.drive(answer, on_error="skip", row_check=0)
    project.run(lenient)
    assert project.rows(lenient) == [0, 1, 4, 6, 7]


def test_a_first_signal_lets_what_runs_end_and_what_waits_is_not_begun(
    make_project: MakeProject,
) -> None:
    project = make_project(40, rows_per_shard=4)

    def answer(rows: Rows) -> bytes:
        if rows[0]["x"] == "8":
            drive.stop()
        return as_they_are(rows)

    drive, _ = project.drive(answer)
    project.run(drive)

    assert project.rows(drive) == list(range(12))
    assert drive.states["0003"].state == "interrupted"
    again, _ = project.drive()
    project.run(again)
    assert project.rows(again) == list(range(40))


def test_a_disk_that_is_full_ends_the_batch_and_says_so(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device", "there")

    project = make_project(8, rows_per_shard=2)
    drive, _ = project.drive()
    with monkeypatch.context() as patch:
        patch.setattr(results, "move_entry", full)
        with pytest.raises(RunError, match="the batch cannot continue: No space left"):
            project.run(drive)

    again, _ = project.drive()
    project.run(again)
    assert project.rows(again) == list(range(8))


def test_what_was_halved_stays_so_when_it_goes_on(make_project: MakeProject) -> None:
    project = make_project(8, rows_per_shard=4)
    drive, _ = project.drive(bad_ones(2), on_error="bisect", bad_rows=0)
    with pytest.raises(BatchError):
        project.run(drive)
    assert drive.states["0000"].state == SPLIT

    again, executor = project.drive()
    project.run(again)

    assert project.rows(again) == list(range(8))
    assert "0000" not in [task.id for task in executor.tasks]
