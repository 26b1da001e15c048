"""No file that a user or an asset may write into has a second name: in history, the store, a rerun.

Root may write to anything, whatever a file's mode is; so these tests write.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alo.engine.rerun import rerun
from alo.engine.steps import code_copy as snapshot
from alo.history.browse import History
from alo.history.entries import save as entry
from alo.history.entries.seal import seal_what_is_left
from alo.history.entries.verify import damage
from alo.layout import Workspace

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]

MODEL = "Path(self.asset.get_model_path(), 'model').write_bytes(b'good' * 1000)"
SPOIL = """\
with open(Path(self.asset.get_model_path(), 'model'), 'r+b') as file:
    file.write(b'bad!')
"""
ANSWER = """\
self.asset.save_summary('r', 1)
Path(self.asset.get_output_path(), 'a.csv').write_text('a')
"""
THEIRS = ("assets", "input", "train_artifacts", "inference_artifacts")


@pytest.fixture(autouse=True)
def every_file_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry, "COPIED_AT_ONCE", 0)
    monkeypatch.setattr(snapshot, "LARGE", 0)


def shared(home: Path) -> list[str]:
    """The files of the user's, and of the artifacts, that have another name somewhere."""
    return [
        str(path.relative_to(home))
        for top in THEIRS
        for path in (home / top).rglob("*")
        if path.is_file() and not path.is_symlink() and path.stat().st_nlink > 1
    ]


def seal_all(home: Path) -> None:
    """As the process in the background does, or the next run."""
    assert seal_what_is_left(Workspace(home)) == {}


def assert_history_is_whole(home: Path) -> None:
    history = History(Workspace(home))
    for found in history.list():
        assert damage(history.find(found.id).folder) == [], found.id


@pytest.mark.parametrize("mode", ["memory", "file"])
def test_an_inference_that_writes_into_the_model_does_not_change_history(
    mode: str, make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution(
        {"train": MODEL}, {"inference": SPOIL + ANSWER}, control={"interface_mode": mode}
    )

    train, _ = run(home)  # the second run begins at once

    assert (train.history / "models/train/model").read_bytes() == b"good" * 1000
    seal_all(home)
    assert shared(home) == []
    assert_history_is_whole(home)


def test_a_failed_inference_that_has_written_into_the_model_gets_it_restored_as_a_file_of_its_own(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"train": MODEL}, {"inference": SPOIL + "1 / 0"})

    with pytest.raises(Exception, match="ZeroDivisionError"):
        run(home)

    assert (home / "train_artifacts/models/train/model").read_bytes() == b"good" * 1000
    seal_all(home)
    assert shared(home) == []


def test_a_rerun_that_writes_into_the_model_of_a_past_run_does_not_change_that(
    make_solution: MakeSolution, run: Run
) -> None:
    home = make_solution({"train": MODEL}, {"inference": ANSWER})
    train, _ = run(home)
    make_solution({"train": MODEL}, {"inference": SPOIL + ANSWER})
    _, spoiling = run(home)
    run(home, "train")

    rerun(home, spoiling.run_id, lambda event: None)

    assert (train.history / "models/train/model").read_bytes() == b"good" * 1000
    seal_all(home)
    assert shared(home) == []
    assert_history_is_whole(home)


def test_a_step_that_writes_into_a_file_of_an_earlier_one_does_not_change_what_was_kept_of_it(
    make_solution: MakeSolution, run: Run
) -> None:
    steps = {"train": MODEL, "tune": SPOIL.replace("()", "().replace('tune', 'train')")}
    home = make_solution(steps, control={"cache": True})
    run(home)

    (again,) = run(home)

    assert [step.status for step in again.steps] == ["cached", "cached"]
    assert (home / "train_artifacts/models/train/model").read_bytes()[:4] == b"bad!"
    seal_all(home)
    assert shared(home) == []


@pytest.mark.parametrize("mode", [0o644, 0o664, 0o600])
def test_what_lies_beside_the_code_keeps_its_mode_its_time_and_its_single_name(
    mode: int, make_solution: MakeSolution, run: Run
) -> None:
    tune = "with open(Path(__file__).parent / 'weights', 'r+b') as file: file.write(b'tuned')"
    home = make_solution({"train": tune})
    weights = home / "assets/train/weights"
    weights.write_bytes(b"first of all")
    weights.chmod(mode)
    os.utime(weights, ns=(1, 2_000_000_000))
    before = weights.stat()
    outcomes = [run(home)[0]]
    after = weights.stat()
    outcomes += [run(home)[0], run(home)[0]]

    kept = [outcome.history / "assets/train/weights" for outcome in outcomes]
    assert [file.read_bytes()[:5] for file in kept] == [b"first", b"tuned", b"tuned"]
    assert (after.st_mode, after.st_ino, after.st_nlink) == (before.st_mode, before.st_ino, 1)
    assert kept[0].stat().st_mtime_ns == before.st_mtime_ns
    # What is the same is on the disk once for all entries, which no one writes into.
    assert kept[1].stat().st_ino == kept[2].stat().st_ino != kept[0].stat().st_ino
    assert shared(home) == []
    assert_history_is_whole(home)
