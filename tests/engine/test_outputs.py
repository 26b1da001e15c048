"""A run that failed is saved outside too, as far as it came; it never hides why it failed."""

from __future__ import annotations

import os
import signal
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import alo
from alo.data import export as exporting
from alo.engine.request import RunRequest
from alo.engine.run import run_solution
from alo.errors import AloError, ExportError, Interrupted, ResultError, StagingError, StepError
from alo.events.types import Event, LogLine, RunFinished, RunStarted, StepStarted

MakeSolution = Callable[..., Path]
Run = Callable[..., Any]

BEFORE = """\
Path(self.asset.get_model_path(), 'm').write_text('new')
self.asset.save_info('as far as here')
"""
TRAIN = {"before": BEFORE, "train": "if self.args['fails']: raise ValueError('the reason')"}
ARGS = {"train": {"fails": True}}
FAILED = ["pipeline.log", "process.log", "train_artifacts-error.tar.gz"]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def home(make_solution: MakeSolution, out: Path) -> Path:
    return make_solution(TRAIN, args=ARGS, external={"save_train_artifacts_path": str(out)})


def names_in(archive: Path) -> list[str]:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as opened:
            return opened.namelist()
    with tarfile.open(archive) as opened_tar:
        return opened_tar.getnames()


def warnings_of(heard: Any) -> list[str]:
    return [line.text for line in heard.of(LogLine) if line.level == "WARNING"]


@pytest.mark.parametrize(
    ("control", "beside"),
    [
        ({}, {}),
        ({"interface_mode": "file"}, {}),
        ({"cache": True}, {}),
        ({"backup_artifacts": False, "backup_log": False}, {}),
        ({}, {"train": {"isolation": "process"}}),
    ],
    ids=["memory", "file", "cache", "no backup", "process"],
)
def test_the_logs_and_an_archive_of_their_own_are_saved(
    make_solution: MakeSolution,
    run: Run,
    heard: Any,
    out: Path,
    control: dict[str, object],
    beside: dict[str, dict[str, object]],
) -> None:
    external = {"save_train_artifacts_path": str(out)}
    home = make_solution(TRAIN, args=ARGS, external=external, control=control, beside=beside)

    with pytest.raises(StepError, match="the reason"):
        run(home, "train")

    assert sorted(os.listdir(out)) == FAILED
    assert "the reason" in (out / "process.log").read_text()
    assert "as far as here" in (out / "pipeline.log").read_text()
    assert {"models/before/m", "log/process.log"} <= set(names_in(out / FAILED[2]))
    (ended,) = heard.of(RunFinished)
    assert ended.status == "error"
    assert sorted(ended.exported) == [f"{out}/{name}" for name in FAILED]


def test_what_an_earlier_success_had_saved_stays(home: Path, run: Run, out: Path) -> None:
    run(home, "train", overrides=("train.fails=false",))
    before = {name: (out / name).read_bytes() for name in os.listdir(out)}

    with pytest.raises(StepError):
        run(home, "train")

    assert sorted(os.listdir(out)) == sorted([*before, "train_artifacts-error.tar.gz"])
    for name in ("train_artifacts.tar.gz", "model.tar.gz"):
        assert (out / name).read_bytes() == before[name]


def test_an_inference_without_a_result_is_saved_in_the_format_of_the_plan(
    make_solution: MakeSolution, run: Run, out: Path
) -> None:
    home = make_solution(
        inference={"use": "Path(self.asset.get_model_path(True), 'm').write_text('1')"},
        external={"save_inference_artifacts_path": str(out)},
        control={"save_inference_format": "zip"},
    )

    with pytest.raises(ResultError):
        run(home, "inference")

    error = "inference_artifacts-error.zip"
    assert sorted(os.listdir(out)) == [error, "pipeline.log", "process.log"]
    assert "models/use/m" in names_in(out / error)


def test_a_run_whose_data_cannot_be_brought_in_is_saved(
    make_solution: MakeSolution, out: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data.csv"
    data.write_text("1")
    home = make_solution(
        TRAIN,
        args=ARGS,
        external={"load_train_data_path": str(data), "save_train_artifacts_path": str(out)},
    )

    def lose_the_data(event: Event) -> None:
        if isinstance(event, RunStarted):
            data.unlink()

    with pytest.raises(StagingError):
        run_solution(RunRequest(home, mode="train"), lose_the_data)

    assert sorted(os.listdir(out)) == FAILED
    assert "data.csv" in (out / "process.log").read_text()


def test_it_is_saved_before_the_failure_is_reported(home: Path, out: Path) -> None:
    seen: list[list[str]] = []

    def look(event: Event) -> None:
        if isinstance(event, RunFinished):
            seen.append(sorted(os.listdir(out)))

    with pytest.raises(StepError):
        run_solution(RunRequest(home, mode="train"), look)

    assert seen == [FAILED]


def test_a_save_that_fails_too_is_only_a_warning(home: Path, out: Path, heard: Any) -> None:
    def spoil(event: Event) -> None:
        heard(event)
        if isinstance(event, StepStarted):
            out.write_text("a file now") if not out.exists() else None

    with pytest.raises(StepError, match="the reason"):
        run_solution(RunRequest(home, mode="train"), spoil)

    assert any("the failed run is not saved outside: " in text for text in warnings_of(heard))
    assert len(list((home / "history/train").glob("*-error"))) == 1


@pytest.mark.parametrize("problem", [KeyError("of a client"), MemoryError()])
def test_whatever_goes_wrong_with_it_the_first_error_is_raised(
    home: Path, run: Run, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise problem

    monkeypatch.setattr(exporting, "export_artifacts", fail)

    with pytest.raises(StepError, match="the reason"):
        run(home, "train")

    assert not (home / ".unfinished_run").exists()


def test_a_signal_ends_it_and_the_previous_artifacts_are_back(
    home: Path, run: Run, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(home, "train", overrides=("train.fails=false",))
    model = home / "train_artifacts/models/before/m"
    model.write_text("the last good model")

    def interrupted(*args: object, **options: object) -> list[Path]:
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("not reached")

    monkeypatch.setattr(exporting, "export_artifacts", interrupted)

    with pytest.raises(StepError, match="the reason"):
        run(home, "train")

    assert model.read_text() == "the last good model"
    assert "the failed run is not saved outside: Signalled('SIGINT')" in warnings_of(heard)


def test_a_run_that_failed_to_save_does_not_try_again(
    make_solution: MakeSolution, heard: Any, out: Path
) -> None:
    external = {"save_train_artifacts_path": str(out)}
    home = make_solution({"train": "pass"}, external=external)

    def spoil(event: Event) -> None:
        heard(event)
        if isinstance(event, StepStarted):
            out.write_text("a file now")

    with pytest.raises(ExportError):
        run_solution(RunRequest(home, mode="train"), spoil)

    assert not [text for text in warnings_of(heard) if "is not saved" in text]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_its_user_ends_is_not_saved(
    make_solution: MakeSolution, run: Run, out: Path, number: int
) -> None:
    code = f"import os\nos.kill(os.getpid(), {int(number)})"
    home = make_solution({"train": code}, external={"save_train_artifacts_path": str(out)})

    with pytest.raises(Interrupted):
        run(home, "train")

    assert not out.exists()


def test_a_part_that_fails_is_not_saved(home: Path, run: Run, out: Path) -> None:
    with pytest.raises(AloError):
        run(home, "train", last="train", first="train")

    with pytest.raises(StepError):
        run(home, "train", last="train")

    assert not out.exists()


def test_a_notebook_saves_a_failed_save_and_nothing_that_is_given_up(
    make_solution: MakeSolution, out: Path
) -> None:
    home = make_solution(
        inference={"use": "pass"}, external={"save_inference_artifacts_path": str(out)}
    )
    pipeline = alo.Project(home, listener=lambda event: None).inference

    pipeline.run().close()
    assert not out.exists()
    with pytest.raises(ResultError):
        pipeline.run().save()
    assert not out.exists()  # the step may be mended, and the run saved
    pipeline.close()

    assert "inference_artifacts-error.tar.gz" in os.listdir(out)


def test_the_command_line_says_where_it_is(home: Path, alo: Callable[..., Any], out: Path) -> None:
    done = alo("run", "--mode", "train", cwd=home)

    assert done.returncode == 1
    assert "train_artifacts-error.tar.gz" in done.stdout
    assert "the reason" in done.stderr
