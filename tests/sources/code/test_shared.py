"""Modules of a project are one for all of its assets, and nobody else's."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alo.sources.code.loader import AssetCode
from alo.sources.code.shared import SharedModules
from alo.sources.code.view import CodeView

ON_PATH = "import sys; sys.path.append('{home}/assets')"
Write = Callable[..., Path]


@pytest.fixture
def shared(home: Path) -> SharedModules:
    return SharedModules(CodeView(str(home)))


@pytest.fixture
def got(home: Path, shared: SharedModules) -> Callable[[str], Any]:
    """The variable ``got`` of an asset's file, which a run of several steps has imported."""
    codes: dict[str, AssetCode] = {}

    def load(step: str) -> Any:
        code = codes.setdefault(step, AssetCode(home / "assets" / step, step, shared))
        with code.active():
            run: Any = code.load_class().run  # type: ignore[attr-defined]
            return run.__globals__["got"]

    return load


@pytest.fixture(autouse=True)
def _loaded_before() -> Iterator[None]:
    before = set(sys.modules)
    yield
    importlib.invalidate_caches()
    assert not {name for name in set(sys.modules) - before if name.startswith("shop")}


@pytest.mark.parametrize(
    ("place", "how"),
    [
        ("shop.py", "import shop as got"),
        ("shop/kinds.py", "import shop.kinds as got"),
        ("shop/kinds.py", "from shop import kinds as got"),
        (
            "assets/shop/kinds.py",
            "import sys; sys.path.append('{home}/assets')\nimport shop.kinds as got",
        ),
        ("assets/b/net.py", "import assets.b.net as got"),
    ],
)
def test_one_file_is_one_module(
    place: str, how: str, home: Path, write: Write, got: Callable[[str], Any]
) -> None:
    for step in ("a", "b"):
        write(step, asset=how.format(home=home))
    (home / place).parent.mkdir(exist_ok=True)
    (home / place).touch()

    assert got("a") is got("b") is got("a")


def test_what_an_asset_has_in_its_own_folder_is_its_own(
    home: Path, write: Write, got: Callable[[str], Any]
) -> None:
    write("a", {"shop.py": "X = 'a'"}, asset="import shop as got")
    write("b", asset="import shop as got")
    (home / "shop.py").write_text("X = 'all'")

    assert [got(step).X for step in ("a", "b", "a", "b")] == ["a", "all", "a", "all"]


def test_an_assets_module_that_another_asset_finds_is_not_shared(
    home: Path, write: Write, got: Callable[[str], Any]
) -> None:
    write("a", {"shop_a.py": ""}, asset="import shop_a as got")
    write("b", asset=f"import sys; sys.path.append('{home}/assets/a')\nimport shop_a as got")

    assert got("a") is not got("b")


@pytest.mark.parametrize("between", ["", "shop_mid"])
def test_a_module_that_leads_to_an_assets_own_is_that_assets(
    between: str, home: Path, write: Write, got: Callable[[str], Any]
) -> None:
    for step in ("a", "b"):
        write(step, {"helper.py": f"X = '{step}'"}, asset="import shop as got")
    write("c", asset="got = 1\nimport shop_other")
    (home / "shop_mid.py").write_text("from helper import X")
    (home / "shop_other.py").touch()
    (home / "shop.py").write_text(f"from {between or 'helper'} import X")

    assert [got(step).X for step in ("a", "b")] == ["a", "b"]


def test_a_module_that_one_asset_stands_in_for_is_still_shared_by_the_others(
    home: Path, write: Write, got: Callable[[str], Any]
) -> None:
    write("a", asset="import shop as got")
    write("b", {"shop_base.py": "X = 'b'"}, asset="import shop as got")
    write("c", asset="import shop as got")
    (home / "shop.py").write_text("from shop_base import X")
    (home / "shop_base.py").write_text("X = 'all'")

    assert [got(step).X for step in ("a", "b", "c")] == ["all", "b", "all"]
    assert got("a") is got("c")


def test_a_module_of_that_name_from_another_project_does_not_stand_in(
    home: Path, write: Write, got: Callable[[str], Any], tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/shop.py").write_text("X = 'other'")
    sys.path.insert(0, str(tmp_path / "other"))
    theirs = importlib.import_module("shop")
    sys.path.remove(str(tmp_path / "other"))
    write("a", asset="import shop as got")
    (home / "shop.py").write_text("X = 'own'")

    try:
        assert got("a").X == "own"
        assert sys.modules["shop"] is theirs
    finally:
        del sys.modules["shop"]


def test_modules_that_are_taken_away_or_made_anew_by_an_asset_are_so_for_the_next(
    home: Path, write: Write, got: Callable[[str], Any]
) -> None:
    write("a", asset="import shop, sys\ndel sys.modules['shop']\ngot = shop")
    write("b", asset="import shop as got")
    (home / "shop.py").touch()

    assert got("a") is not got("b")
