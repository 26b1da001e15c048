"""What is written, and what is not, when a step passes on what it was given."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import numpy as np
import pandas as pd
import pytest

from alo.errors import StoreError
from alo.store import StepStore, StoredStep
from alo.store import mapping as mapping_module

Save = Callable[..., StoredStep]
Blobs = Callable[[], set[str]]
LARGE = 100_000


@pytest.fixture(params=["kernel tells", "kernel does not tell"])
def any_kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param != "kernel tells":
        monkeypatch.setattr(mapping_module, "PAGEMAP", "/nonexistent")


def frame() -> pd.DataFrame:
    numbers = np.random.default_rng(1).random((LARGE, 2))
    return pd.DataFrame(numbers, columns=["a", "b"])


@pytest.mark.usefixtures("any_kernel")
@pytest.mark.parametrize(
    "value",
    [
        frame(),
        np.zeros(LARGE),
        b"x" * LARGE,
        [{"text": f"text {number}"} for number in range(1000)],
        [np.full(LARGE, 1), np.full(LARGE, 1)],
    ],
    ids=["frame", "array", "bytes", "objects", "equal arrays"],
)
def test_an_unchanged_value_is_not_written_again(
    store: StepStore, save: Save, blobs: Blobs, value: object
) -> None:
    first = save("one", {"value": value})
    before = blobs()

    data, _ = store.load(first)
    second = save("two", {**data, "more": 1}, incoming=first)

    assert blobs() == before
    assert second.data[0].content == first.data[0].content


def test_a_frame_of_texts_is_written_until_its_pickle_is_stable(
    store: StepStore, save: Save, blobs: Blobs
) -> None:
    first = save("one", {"frame": pd.DataFrame({"text": list(map(str, range(10_000)))})})
    # Pickled anew it may differ once: pandas 2 shares a dtype between columns, its pickles do not.
    second = save("two", store.load(first)[0], incoming=first)
    before = blobs()

    save("three", store.load(second)[0], incoming=second)

    assert blobs() == before


@pytest.mark.usefixtures("any_kernel")
def test_a_value_changed_in_place_is_written(store: StepStore, save: Save) -> None:
    first = save("one", {"array": np.zeros(LARGE)})
    data, _ = store.load(first)

    data["array"][LARGE // 2] = 1.0  # type: ignore[index]
    second = save("two", data, incoming=first)

    assert store.load(second)[0]["array"].sum() == 1.0  # type: ignore[attr-defined]
    assert store.load(first)[0]["array"].sum() == 0.0  # type: ignore[attr-defined]


def test_a_value_put_in_place_of_an_equal_one_is_not_written(
    store: StepStore, save: Save, blobs: Blobs
) -> None:
    first = save("one", {"array": np.ones(LARGE)})
    before = blobs()

    save("two", {"array": np.ones(LARGE)}, incoming=first)

    assert blobs() == before


def test_of_a_frame_with_a_new_column_only_the_column_is_written(
    store: StepStore, save: Save
) -> None:
    first = save("one", {"frame": frame()})
    data, _ = store.load(first)

    data["frame"]["c"] = np.arange(LARGE)  # type: ignore[index]
    second = save("two", data, incoming=first)

    [old], [kept, new] = first.data[0].buffers, second.data[0].buffers
    assert kept == old
    assert new.blob != old.blob
    again = store.load(second)[0]["frame"]
    pd.testing.assert_frame_equal(again, frame().assign(c=np.arange(LARGE)))


def test_a_renamed_column_of_untouched_numbers_is_seen(store: StepStore, save: Save) -> None:
    first = save("one", {"frame": frame()})
    data, _ = store.load(first)

    data["frame"].columns = ["x", "y"]  # type: ignore[attr-defined]
    second = save("two", data, incoming=first)

    assert list(store.load(second)[0]["frame"]) == ["x", "y"]  # type: ignore[call-overload]
    assert second.data[0].buffers == first.data[0].buffers


def test_the_same_frame_in_another_run_shares_its_blob(save: Save, blobs: Blobs) -> None:
    save("one", {"frame": frame()}, run_id="r1")
    before = blobs()

    save("one", {"frame": frame()}, run_id="r2")

    assert blobs() == before


def test_a_blob_that_is_gone_meanwhile_is_written_from_memory(store: StepStore, save: Save) -> None:
    first = save("one", {"array": np.arange(LARGE)})
    data, _ = store.load(first)
    store.forget(["r1"])

    second = save("two", data, incoming=first)
    del data

    np.testing.assert_array_equal(store.load(second)[0]["array"], np.arange(LARGE))


def test_what_cannot_be_stored_is_named(save: Save) -> None:
    with pytest.raises(StoreError) as caught:
        save("train", {"good": 1, "guard": Lock()})

    assert caught.value.what == (
        "data['guard'] of step 'train' cannot be stored: cannot pickle '_thread.lock' object"
    )
    assert caught.value.where == "data['guard'], of type _thread.lock"
