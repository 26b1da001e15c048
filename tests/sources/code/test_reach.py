"""Which files of the project an asset's code leads to, told from its text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from alo.sources.code.fingerprint import code_files
from alo.sources.code.reach import LARGEST_FILE, MOST_FILES, Reach


@pytest.fixture
def reached(home: Path) -> Callable[[Mapping[str, str]], list[str]]:
    """Write files; the names of those that the step ``train`` leads to."""

    def find(files: Mapping[str, str]) -> list[str]:
        for name, text in files.items():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_text(text)
        own = code_files(home / "assets", "train")
        return list(Reach(home).of(own, "assets/train/"))

    return find


ASSET = "assets/train/asset_train.py"


@pytest.mark.parametrize(
    ("statement", "files", "found"),
    [
        ("import common", ["common.py"], ["common.py"]),
        ("import shop.kinds", ["shop/kinds.py", "shop/other.py"], ["shop/kinds.py"]),
        ("from shop import kinds", ["shop/kinds.py"], ["shop/kinds.py"]),
        ("from shop.kinds import Kind", ["shop/kinds.py"], ["shop/kinds.py"]),
        (
            "import shop.kinds",
            ["shop/__init__.py", "shop/kinds.py", "shop/other.py", "shop/table.csv"],
            ["shop/__init__.py", "shop/kinds.py", "shop/other.py", "shop/table.csv"],
        ),
        ("import common.x", ["assets/common/x.py"], ["assets/common/x.py"]),
        ("from assets.input.net import N", ["assets/input/net.py"], ["assets/input/net.py"]),
        ("import fast", [f"fast{EXTENSION_SUFFIXES[0]}"], [f"fast{EXTENSION_SUFFIXES[0]}"]),
        ("import json, yaml", ["json.py", "yaml_.py"], []),
        ("import history.x, input.x", ["history/x.py", "input/x.py"], []),
        ("import helper", ["helper.py", "assets/train/helper.py"], []),
        ("import data", ["data/big.csv"], []),
        ("import nothing", [], []),
    ],
)
def test_what_is_imported_is_found(
    statement: str,
    files: list[str],
    found: list[str],
    reached: Callable[[Mapping[str, str]], list[str]],
) -> None:
    assert reached({ASSET: statement, **dict.fromkeys(files, "")}) == found


def test_what_that_imports_is_found_too_and_rings_come_to_an_end(
    reached: Callable[[Mapping[str, str]], list[str]],
) -> None:
    files = {
        "assets/train/helper.py": "import one",
        "one.py": "import deep.two",
        "deep/two.py": "from .three import X\nfrom ..one import Y",
        "deep/three.py": "import one, helper",
        "helper.py": "",
    }

    assert reached({ASSET: "import helper", **files}) == ["deep/three.py", "deep/two.py", "one.py"]


def test_large_data_in_a_package_is_left_alone(
    reached: Callable[[Mapping[str, str]], list[str]],
) -> None:
    large = {"shop/w.bin": "x" * (LARGEST_FILE + 1)}
    many = {f"data/{number}.csv": "" for number in range(MOST_FILES)}
    packages = {"shop/__init__.py": "", "data/__init__.py": "", "data/read.py": ""}

    assert reached({ASSET: "import shop, data", **packages, **large, **many}) == [
        "data/__init__.py",
        "data/read.py",
        "shop/__init__.py",
    ]
