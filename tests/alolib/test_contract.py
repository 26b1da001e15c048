"""Data and config are saved once, as dicts, and with all keys of earlier steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from alolib.asset import Asset, AssetStructure
from alolib.errors import ContractError

BOTH = pytest.mark.parametrize("what", ["data", "config"])


def save(asset: Any, what: str, value: object) -> None:
    getattr(asset, f"save_{what}")(value)


@BOTH
def test_what_is_saved_is_a_copy_of_the_dict_and_not_of_its_values(
    what: str, make: Callable[..., Any]
) -> None:
    asset, rows = make(data={}), [1]
    value = {"rows": rows}

    save(asset.asset, what, value)
    value["later"] = [2]
    rows.append(3)

    saved = getattr(asset._alo.handover, what)
    assert saved == {"rows": [1, 3]}
    assert saved["rows"] is rows


@BOTH
@pytest.mark.parametrize("value", [[], None, "text", 5])
def test_only_a_dict_can_be_saved(what: str, value: object, make: Callable[..., Any]) -> None:
    with pytest.raises(ContractError) as caught:
        save(make().asset, what, value)

    assert f"save_{what} in step 'train' needs a dict, not {type(value).__name__}" in str(
        caught.value
    )
    assert "test_contract.py:" in str(caught.value)


@BOTH
def test_a_second_call_is_reported_with_both_places(what: str, make: Callable[..., Any]) -> None:
    asset = make().asset
    save(asset, what, {})

    with pytest.raises(ContractError) as caught:
        save(asset, what, {})

    assert str(caught.value).count("test_contract.py:") == 2
    assert "twice" in str(caught.value)


@BOTH
def test_every_missing_key_is_named_even_when_deleted_in_place(
    what: str, make: Callable[..., Any]
) -> None:
    asset = make(data={"a": 1, "b": 2, "c": 3}, config={"a": 1, "b": 2, "c": 3}).asset
    value = getattr(asset, f"load_{what}")()
    del value["a"], value["c"]

    with pytest.raises(ContractError, match=r"step 'train' dropped from .*: a, c"):
        save(asset, what, value)


def test_meta_in_config_may_not_disappear(make: Callable[..., Any]) -> None:
    with pytest.raises(ContractError, match=r"(?s)dropped from config.*: meta.*load_config\(\)"):
        make(config={"meta": {}}).asset.save_config({"x": 1})


def test_keys_may_get_new_values_and_new_keys_may_come(make: Callable[..., Any]) -> None:
    asset = make(data={"a": 1})
    asset.asset.save_data({"a": 2, "b": 3})

    assert asset._alo.handover.data == {"a": 2, "b": 3}


@pytest.mark.parametrize("missing", ["data", "config"])
def test_a_run_that_does_not_save_is_reported_with_the_call_and_the_place(missing: str) -> None:
    class UserAsset(Asset):
        @Asset.decorator_run
        def run(self) -> None:
            save(self.asset, "config" if missing == "data" else "data", {})

    with pytest.raises(ContractError) as caught:
        UserAsset(AssetStructure()).run()

    assert f"did not call save_{missing}" in str(caught.value)
    assert "test_contract.py:" in str(caught.value)


def test_a_decorated_run_gives_what_was_saved() -> None:
    class UserAsset(Asset):
        @Asset.decorator_run
        def run(self) -> None:
            self.asset.save_data({"x": 1})
            self.save_config({"y": 2})

    assert UserAsset(AssetStructure()).run() == ({"x": 1}, {"y": 2})


def test_a_run_without_the_decorator_is_checked_by_the_handover() -> None:
    class UserAsset(Asset):
        def run(self) -> None:
            self.asset.save_config({})

    structure = AssetStructure({"step": "fit"})
    UserAsset(structure).run()

    with pytest.raises(ContractError, match="step 'fit' did not call save_data"):
        structure.handover.check()
