"""An asset's code is imported anew when it was edited, and nothing of it stays in the process."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alo.sources.code.loader import AssetCode

from .test_loader import ON_PATH, value_of

Write = Callable[..., Path]
Load = Callable[..., Any]


def test_the_file_is_imported_once_until_it_is_forgotten(write: Write, load: Load) -> None:
    folder = write("a", asset="X = 1")
    code = AssetCode(folder, "a")
    first = load("a", code)
    (folder / "asset_a.py").write_text((folder / "asset_a.py").read_text().replace("1", "2"))

    again = load("a", code)
    code.forget()
    afresh = load("a", code)

    assert again is first
    assert value_of(afresh, "X") == 2


@pytest.mark.parametrize("name", ["helper.py", "pack/__init__.py", "pack/inner.py"])
def test_an_edit_of_the_same_size_within_a_second_is_seen(
    name: str, write: Write, load: Load
) -> None:
    module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    files = {"pack/__init__.py": "", name: "X = 1"}
    folder = write("a", files, asset=f"from {module} import X")
    found = []

    for number in range(3):
        (folder / name).write_text(f"X = {number}")
        found.append(value_of(load("a"), "X"))

    assert found == [0, 1, 2]


def test_what_plain_python_has_compiled_within_a_second_is_not_taken(
    write: Write, load: Load
) -> None:
    import py_compile

    folder = write("a", {"helper.py": "X = 1"}, asset="from helper import X")
    py_compile.compile(str(folder / "helper.py"), doraise=True)
    stamp = os.stat(folder / "helper.py").st_mtime_ns
    (folder / "helper.py").write_text("X = 2")
    os.utime(folder / "helper.py", ns=(stamp, stamp))

    assert value_of(load("a"), "X") == 2


def test_code_that_has_settled_is_compiled_once(
    write: Write, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    folder = write("a", {"helper.py": "X = 1"}, asset="from helper import X")
    for file in folder.iterdir():
        os.utime(file, (1_000_000_000, 1_000_000_000))

    load("a")

    compiled = sorted(path.name.partition(".")[0] for path in folder.glob("__pycache__/*"))
    assert compiled == ["asset_a", "helper"]


def test_a_new_helper_is_found_at_once(write: Write, load: Load) -> None:
    folder = write(
        "a", asset="try:\n    import late as found\nexcept ImportError:\n    found = None"
    )

    before = value_of(load("a"), "found")
    (folder / "late.py").touch()
    after = value_of(load("a"), "found")

    assert before is None
    assert after is not None


def test_nothing_of_an_asset_stays_in_the_process(write: Write, load: Load) -> None:
    write("a", {"helper.py": "", "pack/__init__.py": ""}, asset=ON_PATH + "import helper, pack")
    modules, path = set(sys.modules), list(sys.path)
    hooks, finders = list(sys.path_hooks), set(sys.path_importer_cache)

    load("a")

    ours = {name for name in set(sys.modules) - modules if not name.startswith("alo")}
    assert ours == set()
    assert sys.path == path
    assert sys.path_hooks == hooks
    assert set(sys.path_importer_cache) <= finders


def test_nothing_stays_of_an_asset_whose_import_fails(write: Write, load: Load) -> None:
    write("a", {"helper.py": ""}, asset="import helper\n1 / 0")

    with pytest.raises(ZeroDivisionError):
        load("a")

    assert {"asset_a", "helper"}.isdisjoint(sys.modules)


def test_sys_path_is_the_same_list_again_after_an_asset_has_put_another_there(
    write: Write, load: Load
) -> None:
    path, entries = sys.path, list(sys.path)
    write("a", asset="import sys\nsys.path = ['/nowhere']")

    load("a")

    assert sys.path is path
    assert sys.path == entries
