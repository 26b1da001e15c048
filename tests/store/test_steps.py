from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alo.errors import StoreError
from alo.sources.code.loader import AssetCode
from alo.store import StepStore, StoredStep

Save = Callable[..., StoredStep]

keys = st.one_of(st.text(max_size=8), st.integers(), st.tuples(st.integers(), st.text(max_size=3)))
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(),
    st.sets(st.integers()),
    st.integers(0, 300_000).map(lambda size: b"\1" * size),
    st.integers(0, 300_000).map(lambda size: bytearray(size)),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=8,
)
dicts = st.dictionaries(keys, values, max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(dicts, dicts, dicts)
def test_what_is_saved_is_loaded(store: StepStore, data: Any, config: Any, later: Any) -> None:
    first = store.save("r1", "train", "one", data, config)
    second = store.save("r1", "train", "two", later, config, incoming=first)

    assert store.load(first) == (data, config)
    assert store.load(second) == (later, config)
    assert list(store.load(second)[0]) == list(later)
    assert store.find("r1", "train", "two") == second


@given(st.integers(0, 40_000), st.sampled_from(["i1", "i4", "f8", "c16", "M8[s]", "U3"]), st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arrays_of_any_shape_are_loaded(
    store: StepStore, size: int, dtype: str, data: st.DataObject
) -> None:
    array = np.arange(2 * size).reshape(2, size).astype(dtype)
    array = data.draw(st.sampled_from([array, array.T, array[:, ::2], np.asfortranarray(array)]))

    [again] = store.load(store.save("r1", "train", "one", {"array": array}, {}))[0].values()

    np.testing.assert_array_equal(again, array)
    assert again.dtype == array.dtype  # type: ignore[attr-defined]
    assert again.flags.writeable  # type: ignore[attr-defined]


def test_another_process_finds_what_was_saved(root: Path, save: Save) -> None:
    save("input", {"array": np.arange(100_000), "name": "이름"})
    code = (
        "import sys, pathlib; from alo.store import StepStore;"
        "store = StepStore(pathlib.Path(sys.argv[1]));"
        "data, _ = store.load(store.find('r1', 'train', 'input'));"
        "assert data['array'].sum() == 4999950000 and data['name'] == '이름'"
    )

    subprocess.run([sys.executable, "-c", code, str(root)], check=True)


def test_what_was_never_saved_is_not_found(store: StepStore) -> None:
    assert store.find("r1", "train", "input") is None


def test_a_damaged_manifest_names_its_step(root: Path, store: StepStore, save: Save) -> None:
    save("input", {"x": 1})
    path = root / "train" / "r1" / "input.json"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"train", b"brain"))

    with pytest.raises(StoreError, match="what step 'input' saved cannot be used"):
        store.find("r1", "train", "input")


def test_a_step_whose_manifest_was_cut_short_by_a_kill_has_saved_nothing_and_can_again(
    root: Path, store: StepStore, save: Save
) -> None:
    save("input", {"x": 1})
    path = root / "train" / "r1" / "input.json"
    path.chmod(0o644)
    whole = path.read_bytes()

    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        assert store.find("r1", "train", "input") is None
        assert list(store.find_each("r1", "train", ["input"])) == []
    save("input", {"x": 2})

    stored = store.find("r1", "train", "input")
    assert stored is not None
    assert store.load(stored)[0] == {"x": 2}


def test_a_write_of_the_next_step_does_not_reach_what_is_stored(
    store: StepStore, save: Save
) -> None:
    stored = save("input", {"array": np.zeros(100_000), "list": [1]})
    data: Any = store.load(stored)[0]

    data["array"][:] = 1
    data["list"].append(2)

    again: Any = store.load(stored)[0]
    assert again["array"].sum() == 0
    assert again["list"] == [1]


def test_forgetting_a_run_removes_all_that_only_it_used(
    root: Path, store: StepStore, save: Save, blobs: Callable[[], set[str]]
) -> None:
    kept = save("input", {"array": np.zeros(100_000)}, run_id="r1")
    save("input", {"array": np.zeros(100_000), "own": np.ones(100_000)}, run_id="r2")

    store.forget(["r2"])

    assert blobs() == {part.blob for part in kept.parts()}
    assert not (root / "train" / "r2").exists()
    assert store.load(kept)[0]["array"].sum() == 0  # type: ignore[attr-defined]


def test_a_step_that_runs_again_leaves_nothing_of_its_first_result(
    store: StepStore, save: Save, blobs: Callable[[], set[str]]
) -> None:
    first = save("input", {"array": np.zeros(100_000)})
    train = save("train", store.load(first)[0], incoming=first)
    save("other", {"array": np.full(100_000, 3)})

    again = save("other", {"array": np.full(100_000, 4)})
    store.forget([])

    assert blobs() == {part.blob for step in (train, again) for part in step.parts()}


def test_an_adopted_step_outlives_the_run_it_came_from(store: StepStore, save: Save) -> None:
    stored = save("input", {"array": np.arange(100_000)}, run_id="r1")

    adopted = store.adopt(stored, "r2")
    store.forget(["r1"])

    assert store.find("r2", "train", "input") == adopted
    np.testing.assert_array_equal(store.load(adopted)[0]["array"], np.arange(100_000))


def test_a_step_whose_values_are_gone_is_not_adopted(store: StepStore, save: Save) -> None:
    stored = save("input", {"array": np.arange(100_000)}, run_id="r1")
    store.forget(["r1"])

    with pytest.raises(StoreError, match="is missing"):
        store.adopt(stored, "r2")


def test_a_run_continues_from_a_step_of_another(store: StepStore, save: Save) -> None:
    first = save("input", {"array": np.arange(100_000)}, run_id="r1")
    data, _ = store.load(first)

    second = save("train", data, run_id="r2", incoming=first)
    del data
    store.forget(["r1"])

    np.testing.assert_array_equal(store.load(second)[0]["array"], np.arange(100_000))


def test_leftovers_of_killed_processes_go_with_the_first_save(root: Path, save: Save) -> None:
    unfinished = root / "unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / ".draft.1-2.alo-tmp").write_bytes(b"half a frame")

    save("input", {})

    assert list(unfinished.iterdir()) == []


ASSET = """
import helper

class Model:
    def __init__(self, weight):
        self.weight = weight

    def predict(self, x):
        return helper.double(x) + self.weight

class UserAsset:
    model = Model(1)

    def run(self):
        pass
"""


def test_an_object_of_an_assets_class_reaches_later_steps_and_processes(
    root: Path, store: StepStore, tmp_path: Path
) -> None:
    folder = tmp_path / "assets" / "train"
    folder.mkdir(parents=True)
    (folder / "asset_train.py").write_text(ASSET)
    (folder / "helper.py").write_text("def double(x):\n    return 2 * x\n")
    code = AssetCode(folder, "train")
    with code.active():
        model = code.load_class().model  # type: ignore[attr-defined]

    first = store.save("r1", "train", "train", {"model": model}, {})
    data: Any = store.load(first)[0]
    store.save("r1", "train", "next", data, {}, incoming=first)

    assert data["model"].predict(10) == 21
    script = (
        "import sys, pathlib; from alo.store import StepStore;"
        "store = StepStore(pathlib.Path(sys.argv[1]));"
        "data, _ = store.load(store.find('r1', 'train', 'next'));"
        "assert data['model'].predict(10) == 21"
    )
    subprocess.run([sys.executable, "-c", script, str(root)], check=True)


def test_the_store_imports_no_library_of_the_user() -> None:
    code = (
        "import sys, alo.store;"
        "assert not {'numpy', 'pandas', 'cloudpickle', 'ctypes'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_store_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)

    with pytest.raises(StoreError, match="cannot be stored: Permission denied"):
        StepStore(tmp_path / "store").save("r1", "train", "input", {}, {})


def test_steps_that_are_adopted_together_outlive_the_runs_they_came_from(
    root: Path, store: StepStore, save: Save
) -> None:
    steps = [save(name, {name: np.full(100_000, 1)}, run_id="r1") for name in ("one", "two")]
    for source, target in (("r1", "r2"), ("r2", "r3")):
        StepStore(root).adopt_all([each._replace(run_id=target) for each in steps], source)
    store.forget(["r1", "r2"])

    found = list(StepStore(root).find_each("r3", "train", ["one", "two", "three"]))

    assert found == [each._replace(run_id="r3") for each in steps]
    assert StepStore(root).find("r3", "train", "two") == found[1]
    assert StepStore(root).find("r3", "train", "three") is None
    assert store.load(found[1])[0]["two"].sum() == 100_000  # type: ignore[attr-defined]
    assert not list((root / "train/r3").glob("[!.]*.json"))


def test_steps_of_which_a_value_is_gone_are_not_adopted(
    root: Path, store: StepStore, save: Save
) -> None:
    steps = [save(name, {name: np.full(100_000, 1)}, run_id="r1") for name in ("one", "two")]
    store.forget(["r1"])

    with pytest.raises(StoreError, match="of what step 'one' saved is missing"):
        store.adopt_all([each._replace(run_id="r2") for each in steps], "r1")

    assert store.find("r2", "train", "one") is None


def test_a_step_of_a_run_that_had_taken_it_is_adopted_alone(
    root: Path, store: StepStore, save: Save
) -> None:
    step = save("one", {"x": 1}, run_id="r1")
    store.adopt_all([step._replace(run_id="r2")], "r1")

    store.adopt(step._replace(run_id="r2"), "r3")
    store.forget(["r1", "r2"])

    assert store.find("r3", "train", "one") == step._replace(run_id="r3")


def test_a_step_that_runs_after_it_was_adopted_is_what_counts(
    root: Path, store: StepStore, save: Save
) -> None:
    steps = [save(name, {"x": np.full(100_000, 1)}, run_id="r1") for name in ("one", "two")]
    store.adopt_all([each._replace(run_id="r2") for each in steps], "r1")

    save("two", {"x": np.full(100_000, 4)}, run_id="r2")
    again = save("two", {"x": np.full(100_000, 5)}, run_id="r2")
    store.forget(["r1"])

    one, two = StepStore(root).find_each("r2", "train", ["one", "two"])
    assert two == again
    assert store.load(two)[0]["x"].sum() == 500_000  # type: ignore[attr-defined]
    assert store.load(one)[0]["x"].sum() == 100_000  # type: ignore[attr-defined]


def test_adopted_steps_whose_file_is_damaged_are_an_error_for_one_and_none_for_many(
    root: Path, store: StepStore, save: Save
) -> None:
    step = save("one", {"x": 1}, run_id="r1")
    store.adopt_all([step._replace(run_id="r2")], "r1")
    file = root / "train/r2/.steps.json"
    file.write_bytes(file.read_bytes()[:-5])

    assert list(StepStore(root).find_each("r2", "train", ["one"])) == []
    with pytest.raises(StoreError, match="what step 'one' saved cannot be used"):
        StepStore(root).find("r2", "train", "one")
