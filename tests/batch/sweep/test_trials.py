"""The record of trials: whole lines, whoever was killed; and which of them are the best."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alo.batch.sweep.definition import Definition, Metric
from alo.batch.sweep.space import Param, parse_spec
from alo.batch.sweep.trials import (
    COMPLETE,
    DUPLICATE,
    FAILED,
    RUNNING,
    SweepFolder,
    Trial,
    TrialLog,
    best_of,
    counts_of,
    names_of_sweeps,
)
from alo.errors import SweepError
from alo.layout import Workspace

DEFINITION = Definition(
    name="s",
    params=(Param("train", "s", "x", parse_spec("1..5")),),
    metrics=(Metric("score"),),
    sampler="grid",
    seed=3,
    created="2026-01-01T00:00:00.000000Z",
)


@pytest.fixture
def folder(tmp_path: Path) -> SweepFolder:
    made = SweepFolder(Workspace(tmp_path), "s")
    made.create(DEFINITION)
    return made


def write(folder: SweepFolder, *trials: Trial) -> None:
    log = TrialLog(folder)
    for trial in trials:
        log.write(trial, lasts=True)
    log.close()


def test_what_was_written_is_read_and_the_last_line_of_a_trial_counts(folder: SweepFolder) -> None:
    done = Trial(
        number=0, values={"s.x": 1}, state=COMPLETE, results={"score": 0.123456789},
        spread={"score": 0.5}, run_ids=("r1", "r2"), seconds=1.5, started="a", ended="b",
    )  # fmt: skip
    copy = Trial(number=1, values={"s.x": 1}, state=DUPLICATE, reused_from=0)
    write(folder, Trial(number=0, values={"s.x": 1}, state=RUNNING), done, copy)
    assert folder.trials() == {0: done, 1: copy}
    assert folder.definition() == DEFINITION


@given(st.integers(1, 200))
def test_a_line_that_a_kill_has_cut_off_was_never_written(cut: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = SweepFolder(Workspace(Path(name)), "s")
        folder.create(DEFINITION)
        write(folder, *[Trial(number=each, values={"s.x": each}) for each in range(3)])
        path = folder.path / "trials.jsonl"
        content = path.read_bytes()
        path.write_bytes(content[: len(content) - min(cut, len(content))])
        left = folder.trials()
        assert list(left) == list(range(len(left)))
        write(folder, Trial(number=9, values={"s.x": 9}))
        assert list(folder.trials()) == [*left, 9]


def test_a_damaged_line_is_told_with_its_place(folder: SweepFolder) -> None:
    write(folder, Trial(number=0, values={"s.x": 1}))
    path = folder.path / "trials.jsonl"
    path.write_bytes(b"{}\n" + path.read_bytes())
    with pytest.raises(SweepError, match="trials cannot be read: line 1") as raised:
        folder.trials()
    assert raised.value.where == str(path)


def test_on_a_full_disk_nothing_of_a_line_is_left(folder: SweepFolder) -> None:
    log = TrialLog(folder)
    log._lines._descriptor = __import__("os").open("/dev/full", 1)
    with pytest.raises(SweepError, match="cannot be recorded"):
        log.write(Trial(number=0, values={"s.x": 1}), lasts=False)
    log.close()
    assert folder.trials() == {}


def trial(number: int, **results: float) -> Trial:
    return Trial(number=number, values={"s.x": number}, state=COMPLETE, results=results)


def test_the_best_comes_first_and_of_equal_ones_the_earliest() -> None:
    trials = [trial(0, score=0.5), trial(1, score=0.9), trial(2, score=0.9)]
    failed = Trial(number=3, values={}, state=FAILED)
    best = best_of([*trials, failed], [Metric("score")])
    assert [each.number for each in best] == [1, 2, 0]
    assert [each.number for each in best_of(trials, [Metric("score", "min")])] == [0, 1, 2]


def test_of_two_metrics_the_best_are_those_that_no_other_beats() -> None:
    trials = [
        trial(0, score=0.9, size=9),
        trial(1, score=0.8, size=1),
        trial(2, score=0.8, size=5),
        trial(3, score=0.5, size=0.5),
    ]
    front = best_of(trials, [Metric("score"), Metric("size", "min")])
    assert {each.number for each in front} == {0, 1, 3}


def test_states_are_counted_and_sweeps_are_named(folder: SweepFolder, tmp_path: Path) -> None:
    failed = Trial(number=1, values={}, state=FAILED)
    assert counts_of([trial(0, score=1), failed, failed]) == {COMPLETE: 1, FAILED: 2}
    assert names_of_sweeps(Workspace(tmp_path)) == ["s"]
    assert names_of_sweeps(Workspace(tmp_path / "none")) == []
