"""What a step did to files is kept, found, and done again: all of it, and nothing else."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from alo.errors import StoreError
from alo.store import results
from alo.store.keys import StepKey
from alo.store.results import RECENT_RUNS, CachedStep, Effect, ResultDir, lasting_checksum

KEY = StepKey({"n": "1"}, {}, {"a.py": "x"}, ("pandas",), {}, "d", {}, "i", {})
NOTHING = Effect((), {}, {}, (), ())


def cached_step(effect: Effect = NOTHING, run_id: str = "r1", step: str = "train") -> CachedStep:
    return CachedStep(run_id, "train", step, KEY, effect, {"score": 1.0}, ("x",))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A project in which a step has written a file."""
    (tmp_path / "project/out").mkdir(parents=True)
    (tmp_path / "project/out/a.txt").write_text("made")
    return tmp_path / "project"


@pytest.fixture
def cache(tmp_path: Path) -> ResultDir:
    return ResultDir(tmp_path / "store")


WROTE = NOTHING._replace(files=("out/a.txt",))


def test_what_was_kept_is_found_as_it_was(cache: ResultDir, home: Path) -> None:
    effect = Effect(("out/a.txt",), {"l": "out"}, {"out/b": "out/a.txt"}, ("e",), ("old",))

    whole = cache.save(cached_step(effect), home)

    assert cache.find("train", "r1", "train") == whole
    assert set(whole.checksums) == {"out/a.txt"}
    assert whole.trace
    assert cache.is_whole(whole)
    assert cache.find("train", "r1", "other") is None
    assert cache.find("inference", "r1", "train") is None


def test_a_result_that_was_damaged_or_is_of_another_version_is_none(
    cache: ResultDir, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.save(cached_step(WROTE), home)
    file = tmp_path / "store/results/train/r1/train.json"
    file.write_bytes(file.read_bytes().replace(b'"train', b'"Train').replace(b"pandas", b"polars"))
    assert cache.find("train", "r1", "train") is None

    monkeypatch.setattr(results, "FORMAT", results.FORMAT - 1)
    cache.save(cached_step(WROTE), home)
    monkeypatch.undo()
    assert cache.find("train", "r1", "train") is None


@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_files_that_are_not_what_was_written_are_noticed(
    cache: ResultDir, home: Path, tmp_path: Path, damage: str
) -> None:
    whole = cache.save(cached_step(WROTE), home)
    file = tmp_path / "store/results/train/r1/train/out/a.txt"
    file.unlink()
    if damage == "changed":
        file.write_text("other")

    assert not cache.is_whole(whole)


def test_all_that_a_step_did_is_done_again(cache: ResultDir, home: Path) -> None:
    effect = Effect(
        ("out/a.txt",),
        {"link": "out/a.txt"},
        {"twin": "out/a.txt"},
        ("empty/inner",),
        ("old", "old/file", "old/link"),
    )
    cache.save(cached_step(effect), home)
    (home / "out/a.txt").write_text("other by now")
    for name in ("twin", "link"):
        (home / name).write_text("in the way")
    (home / "old").mkdir()
    (home / "old/file").touch()
    (home / "old/link").symlink_to(home)
    found = cache.find("train", "r1", "train")
    assert found is not None

    cache.put_back(found, home)

    assert (home / "out/a.txt").read_text() == "made"
    assert (home / "twin").stat().st_ino == (home / "out/a.txt").stat().st_ino
    assert os.readlink(home / "link") == "out/a.txt"
    assert (home / "empty/inner").is_dir()
    assert not (home / "old").exists()
    cache.put_back(found, home)  # again, where all of it is there


def test_what_stands_in_the_way_is_reported(cache: ResultDir, home: Path) -> None:
    whole = cache.save(cached_step(WROTE), home)
    (home / "out/a.txt").unlink()
    (home / "out/a.txt").mkdir()

    with pytest.raises(StoreError, match="what step 'train' wrote cannot be put back") as caught:
        cache.put_back(whole, home)

    assert caught.value.where == str(home / "out/a.txt")


def test_without_room_the_step_is_named_and_no_result_is_left(
    cache: ResultDir, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.save(cached_step(WROTE), home)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(results, "clone_or_copy", full)
    with pytest.raises(StoreError, match="what step 'train' wrote cannot be kept: No space") as it:
        cache.save(cached_step(WROTE), home)

    assert it.value.where.endswith("store/results/train/r1/train")
    assert cache.find("train", "r1", "train") is None


def test_a_file_that_is_gone_before_it_is_kept_is_named(cache: ResultDir, home: Path) -> None:
    (home / "out/a.txt").unlink()

    with pytest.raises(StoreError, match="cannot be kept") as caught:
        cache.save(cached_step(WROTE), home)

    assert caught.value.where == str(home / "out/a.txt")


def test_folders_that_are_gone_are_made_for_what_a_step_wrote(cache: ResultDir, home: Path) -> None:
    (home / "deep/er").mkdir(parents=True)
    (home / "deep/er/b").write_text("made")
    whole = cache.save(cached_step(NOTHING._replace(files=("deep/er/b",))), home)
    shutil.rmtree(home / "deep")

    cache.put_back(whole, home)

    assert (home / "deep/er/b").read_text() == "made"


def test_a_step_that_runs_again_replaces_what_was_kept_of_it(cache: ResultDir, home: Path) -> None:
    cache.save(cached_step(WROTE), home)
    (home / "other").write_text("2")

    again = cache.save(cached_step(NOTHING._replace(files=("other",))), home)

    assert cache.find("train", "r1", "train") == again
    assert list(again.checksums) == ["other"]


def test_an_adopted_step_is_whole_without_the_run_it_is_of(cache: ResultDir, home: Path) -> None:
    whole = cache.save(cached_step(WROTE), home)

    cache.adopt(whole, "r2")
    cache.forget(["r1"])

    found = cache.find("train", "r2", "train")
    assert found == whole._replace(run_id="r2")
    assert cache.is_whole(found)
    assert cache.runs("train") == ["r2"]
    assert cache.find("train", "r1", "train") is None


def test_the_newest_runs_come_first_and_older_ones_are_not_looked_at(
    cache: ResultDir, home: Path
) -> None:
    for number in range(RECENT_RUNS + 2):
        cache.claim("train", f"r{number:02}", "/a")
        cache.save(cached_step(run_id=f"r{number:02}"), home)
    cache.claim("train", "r99", "/a")
    cache.save(cached_step(run_id="r99", step="other"), home)

    found = [each.run_id for each in cache.recent("train", "train")]

    assert found == [f"r{number:02}" for number in range(RECENT_RUNS + 1, 2, -1)]
    assert list(cache.recent("inference", "train")) == []


def test_a_run_is_of_whoever_has_claimed_it(cache: ResultDir) -> None:
    cache.claim("train", "r1", "/a")

    assert cache.is_claimed("train", "r1", "/a")
    assert not cache.is_claimed("train", "r1", "/b")
    assert not cache.is_claimed("train", "r2", "/a")


def test_two_steps_leave_the_same_trace_if_what_lasts_is_the_same(
    cache: ResultDir, home: Path
) -> None:
    summary = home / "train_artifacts/score/train_summary.yaml"
    summary.parent.mkdir(parents=True)
    effect = NOTHING._replace(files=("train_artifacts/score/train_summary.yaml", "out/a.txt"))

    def trace(text: str) -> str:
        summary.write_text(text)
        return cache.save(cached_step(effect), home).trace

    first = trace("date: 1\nscore: 1\n")

    assert trace("date: 2\nscore: 1\n") == first
    assert trace("date: 1\nscore: 2\n") != first
    (home / "out/a.txt").write_text("another")
    assert trace("date: 1\nscore: 1\n") != first


def test_only_in_a_summary_the_date_does_not_count(tmp_path: Path) -> None:
    def differs(name: str) -> bool:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("date: 1\nx\n")
        before = lasting_checksum(path)
        path.write_text("date: 2\nx\n")
        return lasting_checksum(path) != before

    assert not differs("score/inference_summary.yaml")
    assert differs("score/other.yaml")
    assert differs("elsewhere/inference_summary.yaml")


def test_steps_that_are_adopted_together_are_whole_without_the_runs_they_are_of(
    cache: ResultDir, home: Path, tmp_path: Path
) -> None:
    steps = [cache.save(cached_step(WROTE, step=step), home) for step in ("one", "two")]
    for source, target in (("r1", "r2"), ("r2", "r3")):
        ResultDir(tmp_path / "store").claim("train", target, "/a")
        ResultDir(tmp_path / "store").adopt_all(
            [each._replace(run_id=source) for each in steps], target
        )
    cache.forget(["r1", "r2"])

    fresh = ResultDir(tmp_path / "store")
    found = list(fresh.find_each("train", "r3", ["one", "two", "three"]))

    assert found == [each._replace(run_id="r3") for each in steps]
    assert fresh.find("train", "r3", "two") == found[1]
    assert all(map(fresh.is_whole, found))
    assert [each.run_id for each in fresh.recent("train", "two")] == ["r3"]


def test_a_step_of_a_run_that_had_taken_it_is_adopted_alone(
    cache: ResultDir, home: Path, tmp_path: Path
) -> None:
    step = cache.save(cached_step(WROTE), home)
    cache.claim("train", "r2", "/a")
    cache.adopt_all([step], "r2")

    cache.adopt(step._replace(run_id="r2"), "r3")
    cache.forget(["r1", "r2"])

    found = ResultDir(tmp_path / "store").find("train", "r3", "train")
    assert found == step._replace(run_id="r3")
    assert cache.is_whole(found)


def test_a_step_that_is_about_to_run_is_no_result_any_more(
    cache: ResultDir, home: Path, tmp_path: Path
) -> None:
    for run in ("r1", "r2"):
        cache.claim("train", run, "/a")
    steps = [cache.save(cached_step(step=step), home) for step in ("one", "two")]
    cache.adopt_all(steps, "r2")

    cache.drop("train", "r1", "one")
    cache.drop("train", "r2", "two")
    cache.drop("train", "r2", "two")

    fresh = ResultDir(tmp_path / "store")
    assert fresh.find("train", "r1", "one") is None
    assert fresh.find("train", "r1", "two") is not None
    assert fresh.find("train", "r2", "one") is not None
    assert fresh.find("train", "r2", "two") is None


def test_steps_whose_file_is_damaged_are_none(cache: ResultDir, home: Path, tmp_path: Path) -> None:
    for run in ("r1", "r2"):
        cache.claim("train", run, "/a")
    step = cache.save(cached_step(), home)
    cache.adopt_all([step], "r2")
    file = tmp_path / "store/results/train/r2/.steps.json"
    file.write_bytes(file.read_bytes()[:-5])

    fresh = ResultDir(tmp_path / "store")
    assert list(fresh.find_each("train", "r2", ["train"])) == []
    assert fresh.find("train", "r2", "train") is None


def test_without_room_no_steps_are_adopted(
    cache: ResultDir, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for run in ("r1", "r2"):
        cache.claim("train", run, "/a")
    step = cache.save(cached_step(), home)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("alo.store.taken.write_whole", full)
    with pytest.raises(StoreError, match="cannot be kept"):
        cache.adopt_all([step], "r2")

    assert ResultDir(tmp_path / "store").find("train", "r2", "train") is None
