"""A full disk in any phase: an error that says what needed room, and nothing is lost."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.engine.faults import tried
from alo.errors import CheckError, ExportError, RunError, StepError, StoreError
from alo.events.types import Event, LogLine

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]

SMALL_MB = 40
TRAIN = "Path(self.asset.get_model_path(), 'model').write_text('{}')"


class Disk:
    """A file system of its own that can grow."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def resize(self, megabytes: int) -> None:
        options = f"remount,size={megabytes}m"
        subprocess.run(["mount", "-o", options, str(self.folder)], check=True)


@pytest.fixture
def disk(small_disk: Callable[..., Path]) -> Disk:
    return Disk(small_disk(SMALL_MB, lazily=True))


@pytest.fixture
def trained(disk: Disk, make_solution: MakeSolution, run: Run) -> Path:
    """A project on the small disk, with a model."""
    home = make_solution({"train": TRAIN.format("first")}, home=disk.folder / "project")
    run(home)
    return home


def model(home: Path) -> str:
    return (home / "train_artifacts/models/train/model").read_text()


def test_data_that_has_no_room_is_reported_before_anything_changes(
    trained: Path, make_solution: MakeSolution, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/big").write_bytes(bytes(50_000_000))
    external = {"load_train_data_path": str(tmp_path / "data")}
    make_solution({"train": TRAIN.format("second")}, home=trained, external=external)

    with pytest.raises(CheckError, match=r"MB free and the run needs \d+ MB"):
        run(trained)

    assert not (trained / "input/train/data").exists()
    assert model(trained) == "first"


def test_an_asset_that_fills_the_disk_fails_and_the_model_comes_back(
    trained: Path, make_solution: MakeSolution, run: Run
) -> None:
    fill = "Path(self.asset.get_model_path(), 'big').write_bytes(bytes(60_000_000))"
    make_solution({"train": fill}, home=trained)

    with pytest.raises(StepError, match="disk is full"):
        run(trained)

    assert model(trained) == "first"


def test_a_library_that_does_not_say_why_it_cannot_write_is_helped_out(
    trained: Path, make_solution: MakeSolution, run: Run
) -> None:
    fill = """
try:
    Path(self.asset.get_model_path(), 'big').write_bytes(bytes(60_000_000))
except OSError:
    raise RuntimeError('262144 requested and 262080 written') from None
"""
    make_solution({"train": fill}, home=trained)

    with pytest.raises(StepError, match="262144 requested") as caught:
        run(trained)

    assert caught.value.fix.startswith("make room on the disk")
    assert model(trained) == "first"


def test_a_value_that_has_no_room_in_the_store_is_named_and_resume_continues_later(
    trained: Path, disk: Disk, make_solution: MakeSolution, run: Run, heard: Any
) -> None:
    steps = {
        "one": "self.data['small'] = 1",
        "two": "self.data['big'] = bytearray(__import__('os').urandom(60_000_000))",
        "train": TRAIN.format("second"),
    }
    make_solution(steps, home=trained, control={"interface_mode": "file"})

    with pytest.raises(StoreError, match=r"(?s)data\['big'\].*needs .*MB.*MB are free"):
        run(trained)

    assert model(trained) == "first"
    disk.resize(400)
    heard.clear()
    run(trained, resume=True)
    assert model(trained) == "second"
    ran = {event.step: event.status for event in heard if hasattr(event, "keys_added")}
    assert ran == {"one": "cached", "two": "success", "train": "success"}


def test_an_export_that_has_no_room_fails_whole(
    disk: Disk, make_solution: MakeSolution, run: Run, tmp_path: Path
) -> None:
    big = "import os; Path(self.asset.get_model_path(), 'b').write_bytes(os.urandom(60_000_000))"
    external = {"save_train_artifacts_path": f"{disk.folder}/out"}
    home = make_solution({"train": big}, external=external)

    with pytest.raises(ExportError, match="No space left"):
        run(home)

    assert not any(path.is_file() for path in (disk.folder / "out").rglob("*"))


def test_a_history_that_has_no_room_fails_the_run_and_loses_nothing(
    trained: Path, disk: Disk, make_solution: MakeSolution, run: Run
) -> None:
    # The artifacts fit once and not twice: history copies what is small.
    write = "Path(self.asset.get_output_path(), '{}').write_bytes(bytes(7_000_000))"
    steps = {f"s{letter}": write.format(letter) for letter in "ab"}
    make_solution({**steps, "train": TRAIN.format("second")}, home=trained)
    (disk.folder / "filler").write_bytes(bytes((SMALL_MB - 24) << 20))

    with pytest.raises(RunError, match="No space left"):
        run(trained)

    assert model(trained) == "first"
    (disk.folder / "filler").unlink()
    run(trained)
    assert model(trained) == "second"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (StoreError("no room", where="there"), "no room"),
        (OSError(28, "No space left on device", "/disk/file"), "No space left on device (/disk/fi"),
        (OSError("odd"), "OSError: odd"),
        (ValueError("of a library"), "ValueError: of a library"),
        (KeyboardInterrupt("SIGTERM"), "interrupted by SIGTERM"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_what_could_not_be_done_after_a_run_is_a_warning_with_its_reason(
    error: BaseException, reason: str
) -> None:
    heard: list[Event] = []

    def fail() -> None:
        raise error

    assert not tried(heard.append, "the list is not up to date", fail)
    assert tried(heard.append, "never said", lambda: None)

    (line,) = heard
    assert isinstance(line, LogLine)
    assert line.level == "WARNING"
    assert line.text.startswith(f"the list is not up to date: {reason}")
