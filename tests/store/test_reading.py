from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from alo.errors import StoreError
from alo.store import StepStore, StoredStep
from alo.store import mapping as mapping_module

Save = Callable[..., StoredStep]
LARGE = 100_000


def blob_of(root: Path, stored: StoredStep) -> Path:
    return root / "train" / stored.run_id / next(iter(stored.parts())).blob


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


@pytest.mark.parametrize("value", [np.arange(LARGE), "x" * LARGE], ids=["buffer", "stream"])
def test_a_damaged_value_names_the_step_that_wrote_it(
    root: Path, store: StepStore, save: Save, value: object
) -> None:
    first = save("input", {"value": value})
    second = save("train", store.load(first)[0], incoming=first)
    damage(blob_of(root, second))

    with pytest.raises(StoreError) as caught:
        StepStore(root).load(second)

    assert caught.value.what == "data['value'], which step 'train' saved, is damaged"
    assert caught.value.fix == "run the pipeline again from step 'input', which wrote it"


def test_a_value_cut_short_is_damaged(root: Path, save: Save) -> None:
    stored = save("input", {"value": np.arange(LARGE)})
    path = blob_of(root, stored)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1000])

    with pytest.raises(StoreError, match="is damaged"):
        StepStore(root).load(stored)


def test_a_missing_value_names_the_step_that_wrote_it(root: Path, save: Save) -> None:
    stored = save("input", {"value": np.arange(LARGE)})
    blob_of(root, stored).unlink()

    with pytest.raises(StoreError, match="is missing") as caught:
        StepStore(root).load(stored)

    assert "from step 'input'" in caught.value.fix


def test_running_the_step_again_mends_a_damaged_value(root: Path, save: Save) -> None:
    stored = save("input", {"value": np.arange(LARGE)})
    damage(blob_of(root, stored))
    with pytest.raises(StoreError):
        StepStore(root).load(stored)

    again = save("input", {"value": np.arange(LARGE)})

    np.testing.assert_array_equal(StepStore(root).load(again)[0]["value"], np.arange(LARGE))


def test_damage_after_the_process_has_written_a_value_is_found(
    root: Path, store: StepStore, save: Save
) -> None:
    stored = save("input", {"value": np.arange(LARGE)})
    damage(blob_of(root, stored))

    with pytest.raises(StoreError, match="is damaged"):
        store.load(stored)


def test_equal_arrays_do_not_become_one(store: StepStore, save: Save) -> None:
    first = save("one", {"pair": [np.zeros(LARGE), np.zeros(LARGE)], "third": np.zeros(LARGE)})
    second = save("two", {"pair": [np.zeros(LARGE)] * 1 + [np.zeros(LARGE)]}, incoming=first)

    for stored in (first, second):
        left, right = store.load(stored)[0]["pair"]  # type: ignore[misc]
        left[0] = 1  # type: ignore[has-type]
        assert right[0] == 0  # type: ignore[has-type]


def test_values_that_cannot_be_mapped_are_read(
    store: StepStore, save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapping_module, "MOST_MAPPINGS", 2)
    arrays = {f"array {number}": np.full(LARGE, number) for number in range(4)}
    stored = save("one", arrays)

    data, _ = store.load(stored)
    again = save("two", data, incoming=stored)

    for name, array in arrays.items():
        np.testing.assert_array_equal(data[name], array)
    assert again.data == stored.data


class _Ungrateful:
    def __init__(self, content: int) -> None:
        self.content = content

    def __setstate__(self, state: object) -> None:
        raise ValueError("not with me")


def test_a_value_that_does_not_come_back_is_named(store: StepStore, save: Save) -> None:
    stored = save("input", {"thing": _Ungrateful(1)})

    with pytest.raises(StoreError) as caught:
        store.load(stored)

    assert caught.value.what == (
        "data['thing'], which step 'input' saved, cannot be read back: ValueError: not with me"
    )
