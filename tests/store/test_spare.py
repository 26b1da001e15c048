"""New values go over blobs that no one needs any more, and over no others."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alo.store import StepStore, StoredStep
from alo.store import mapping as mappings
from alo.store.writing import LARGE

Run = Callable[..., tuple]
MakeSolution = Callable[..., Path]

COUNT = LARGE // 8 + 1000  # numbers that take a large blob


@pytest.fixture(autouse=True)
def _not_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mappings._forks, "has_forked", False)


@pytest.fixture
def private(tmp_path: Path) -> StepStore:
    return StepStore(tmp_path / "values", is_private=True)


@pytest.fixture
def given(private: StepStore) -> StoredStep:
    data: dict[str, object] = {"x": np.full(COUNT, 1.0)}
    return private.save("r1", "train", "first", data, {})


def inodes(store: StepStore) -> dict[str, int]:
    """Of the blobs of the run, by name."""
    folder = store.root / "train/r1"
    return {blob: os.stat(folder / blob).st_ino for blob in store.blobs("r1", "train")}


def save(store: StepStore, given: StoredStep, data: dict[str, object], **more: Any) -> StoredStep:
    spare = store.blobs("r1", "train")
    return store.save("r1", "train", "second", data, {}, incoming=given, spare=spare, **more)


@pytest.mark.parametrize("size", [COUNT - 400, COUNT, 3 * COUNT])
def test_a_new_value_goes_over_the_one_that_was_given(
    private: StepStore, given: StoredStep, size: int
) -> None:
    before = inodes(private)

    stored = save(private, given, {"x": np.full(size, 2.0)})

    after = inodes(private)
    assert list(after.values()) == list(before.values())
    assert after.keys() == {part.blob for part in stored.parts()}
    assert {path.name for path in (private.root / "blobs").iterdir()} == after.keys()
    assert not list((private.root / "unfinished").iterdir())
    (blob,) = (private.root / "train/r1" / name for name in after)
    assert blob.stat().st_size == 8 * size
    assert blob.stat().st_mode & 0o777 == 0o444
    found: Any = StepStore(private.root, is_private=True).load(stored)[0]["x"]
    np.testing.assert_array_equal(found, np.full(size, 2.0))


def test_what_a_value_still_lies_in_is_left_alone(private: StepStore, given: StoredStep) -> None:
    data: Any = private.load(given)[0]

    stored = save(private, given, {"x": data["x"] * 2, "old": data["x"]})

    assert data["x"].sum() == COUNT
    loaded: Any = private.load(stored)[0]
    assert loaded["x"].sum() == 2 * COUNT
    assert loaded["old"].sum() == COUNT
    del data, loaded
    assert len(inodes(private)) == 2


def test_a_value_that_a_forked_process_may_have_is_left_alone(
    private: StepStore, given: StoredStep
) -> None:
    loaded = private.load(given)
    if not (child := os.fork()):
        os._exit(0)
    os.waitpid(child, 0)
    del loaded

    save(private, given, {"x": np.full(COUNT, 2.0)})

    assert len(inodes(private)) == 2
    assert private.load(given)[0]["x"].sum() == COUNT  # type: ignore[attr-defined]


def test_only_blobs_that_are_named_are_written_over(private: StepStore, given: StoredStep) -> None:
    data: dict[str, object] = {"x": np.full(COUNT, 2.0)}

    private.save("r1", "train", "second", data, {}, incoming=given)

    assert len(inodes(private)) == 2
    assert private.load(given)[0]["x"].sum() == COUNT  # type: ignore[attr-defined]


def test_a_blob_with_a_stream_in_it_is_left_alone(private: StepStore) -> None:
    data: dict[str, object] = {"x": [np.full(COUNT, 1.0), [str(n) for n in range(5000)]]}
    given = private.save("r1", "train", "first", data, {})

    save(private, given, {"x": np.full(COUNT, 2.0)})

    assert len(inodes(private)) == 2
    assert private.load(given)[0]["x"][0].sum() == COUNT  # type: ignore[index]


def test_small_values_do_not_go_over_large_ones(private: StepStore, given: StoredStep) -> None:
    save(private, given, {"x": np.full(20_000, 2.0)})

    assert len(inodes(private)) == 2


def test_each_blob_is_written_over_once(private: StepStore) -> None:
    data: dict[str, object] = {"x": np.full(COUNT, 1.0), "y": np.full(COUNT, 2.0)}
    given = private.save("r1", "train", "first", data, {})
    before = inodes(private)

    stored = save(private, given, {name: np.full(COUNT, n) for n, name in enumerate("abc", 3)})

    assert {*before.values()} < {*inodes(private).values()}
    assert len(inodes(private)) == 3
    loaded: Any = private.load(stored)[0]
    assert [loaded[name].sum() / COUNT for name in "abc"] == [3, 4, 5]


@pytest.mark.parametrize("call", ["chmod", "rename"])
def test_where_it_cannot_be_a_new_file_does(
    private: StepStore, given: StoredStep, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, call, refuse)

    stored = save(private, given, {"x": np.full(COUNT, 2.0)})

    assert private.load(stored)[0]["x"].sum() == 2 * COUNT  # type: ignore[attr-defined]
    assert len(inodes(private)) == 2
