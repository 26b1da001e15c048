from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from alo.errors import Problem
from alo.sources.code import imports
from alo.sources.code.inspection import inspect_asset

CLASS = "\nclass UserAsset(Asset):\n    def run(self):\n        pass\n"
HEADER = """\
# -*- coding: utf-8 -*-
import os
import sys
from alolib.asset import Asset

ASSET_PATH = os.path.dirname(os.path.abspath(__file__)) + "/"
sys.path.append(ASSET_PATH)
"""

Inspect = Callable[..., list[Problem]]


@pytest.fixture
def inspect(tmp_path: Path) -> Inspect:
    """``inspect("import x", {"helper.py": "..."})``: the problems of an asset and its helpers."""

    def make(
        head: str, files: Mapping[str, str] | None = None, *, installs: bool = False
    ) -> list[Problem]:
        folder = tmp_path / "assets/train"
        for name, text in {"asset_train.py": head + CLASS, **(files or {})}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return inspect_asset(folder, "train", home=tmp_path, installs=installs)

    return make


@pytest.mark.parametrize(
    ("module", "package"),
    [("not_there_at_all", ""), ("cv2", " (opencv-python)"), ("fitz.utils", " (PyMuPDF)")],
)
@pytest.mark.parametrize("form", ["import {}", "from {} import x", "import {} as y"])
@pytest.mark.parametrize("header", ["", HEADER], ids=["plain", "2.x"])
def test_a_missing_module_is_named_with_where_its_package_belongs(
    module: str, package: str, form: str, header: str, inspect: Inspect
) -> None:
    (problem,) = inspect(header + form.format(module))

    advice = f"name its package{package} in the step's requirements (asset_source in the plan)"
    assert advice in problem.what
    assert "pip install" not in problem.what
    assert f"'{module.partition('.')[0]}'" in problem.what
    assert (problem.line, problem.column) == (header.count("\n") + 1, 1)


@pytest.mark.parametrize("copy", [False, True], ids=["without", "with a copy in the project"])
@pytest.mark.parametrize(
    ("line", "reported"),
    [
        ("import alolib.common as common", "an asset of ALO 1, which had alolib.common"),
        ("from alolib.exception import *", "an asset of ALO 1, which had alolib.exception"),
        ("from alolib.s3 import x", "alolib has no module 's3'; assets import alolib.asset"),
        ("import alo.common.x", "alo has no module 'common'"),
    ],
)
def test_a_module_that_alolib_had_once_is_reported_as_such(
    line: str, reported: str, copy: bool, inspect: Inspect, tmp_path: Path
) -> None:
    if copy:
        (tmp_path / "alolib").mkdir()
        (tmp_path / "alolib/common.py").write_text("import psutil_of_2x")

    problems = inspect(f"from alolib.asset import Asset\n{line}", installs=True)

    assert [problem.line for problem in problems] == [2]
    assert problems[0].what.startswith(reported)
    assert "pip install" not in problems[0].what


HARMLESS = {
    "of Python": "import json, xml.dom\nfrom os import path",
    "installed": "import yaml\nfrom pytest import mark",
    "the API": "from alolib.asset import Asset",
    "in a try": "try:\n    import cupy\nexcept ImportError:\n    cupy = None",
    "in an if": "import sys\nif sys.platform == 'win32':\n    import winreg_extra",
    "in a function": "def f():\n    import cupy",
    "in a class": "class C:\n    def f(self):\n        import cupy",
    "a helper": "import helper",
    "a helper's part": "from helper import x",
    "a package": "import pack.inner",
    "a folder": "import plain.inner",
    "of the project": "import common",
    "from a folder it adds": HEADER + "sys.path.append(ASSET_PATH + 'lib')\nimport in_lib",
    "from where no one knows": HEADER + "sys.path.append(find_it())\nimport somewhere",
    "from a path of a loop": "import sys\nfor p in x:\n    sys.path.append(p)\nimport somewhere",
    "another's path": "import sys\nsys.path += ['/x']\nimport somewhere",
}


@pytest.mark.parametrize("case", HARMLESS)
def test_what_may_well_be_imported_is_no_problem(
    case: str, inspect: Inspect, tmp_path: Path
) -> None:
    (tmp_path / "common.py").touch()
    files = dict.fromkeys(
        ["helper.py", "pack/__init__.py", "pack/inner.py", "plain/inner.py", "lib/in_lib.py"], ""
    )

    assert inspect(HARMLESS[case], files) == []


def test_packages_that_the_plan_installs_are_no_problem(inspect: Inspect) -> None:
    assert inspect("import not_there_at_all", installs=True) == []


CHAINS = {
    "a helper": ("import helper", {"helper.py": "import cv2"}, "helper.py:1:1"),
    "a helper's helper": (
        "from one import x",
        {"one.py": "\nimport two", "two.py": "\n\nimport cv2"},
        "two.py:3:1",
    ),
    "a package": ("import pack", {"pack/__init__.py": "import cv2"}, "pack/__init__.py:1:1"),
    "a module of a package": (
        "from pack import inner",
        {"pack/__init__.py": "", "pack/inner.py": "import cv2"},
        "pack/inner.py:1:1",
    ),
    "a relative import": (
        "import pack",
        {"pack/__init__.py": "from .inner import x", "pack/inner.py": "import cv2"},
        "pack/inner.py:1:1",
    ),
    "a relative import of the parent": (
        "import pack.deep.leaf",
        {"pack/deep/leaf.py": "from .. import top", "pack/top.py": "import cv2"},
        "pack/top.py:1:1",
    ),
}


@pytest.mark.parametrize("case", CHAINS)
def test_helpers_are_looked_at_as_far_as_they_are_sure_to_be_imported(
    case: str, inspect: Inspect
) -> None:
    head, files, place = CHAINS[case]

    (problem,) = inspect(head, files)

    assert f"{problem.file}:{problem.line}:{problem.column}" == f"assets/train/{place}"
    assert "opencv-python" in problem.what


@pytest.mark.parametrize("installs", [False, True])
def test_a_syntax_error_in_a_helper_is_found_before_the_run(
    installs: bool, inspect: Inspect
) -> None:
    (problem,) = inspect("import helper", {"helper.py": "x = \n"}, installs=installs)

    assert problem.file == "assets/train/helper.py"
    assert problem.line == 1
    assert "syntax error" in problem.what


def test_a_helper_that_no_one_imports_may_be_broken(inspect: Inspect) -> None:
    assert inspect("", {"draft.py": "x = ("}) == []


def test_helpers_that_import_each_other_are_looked_at_once(inspect: Inspect) -> None:
    files = {"one.py": "import two\nimport cv2", "two.py": "import one\nimport asset_train"}

    assert len(inspect("import one", files)) == 1


def test_much_code_is_not_followed_to_its_end(
    inspect: Inspect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "FOLLOWED_BYTES", 20)

    problems = inspect("import one", {"one.py": "import two", "two.py": "#" * 30 + "\nimport cv2"})

    assert problems == []


@pytest.mark.parametrize("text", ["from . import helper", "from .helper import x"])
def test_a_relative_import_of_the_assets_file_cannot_work(text: str, inspect: Inspect) -> None:
    (problem,) = inspect(text, {"helper.py": "x = 1"})

    assert problem.line == 1
    assert "without the dots" in problem.what


def test_a_helper_with_the_name_of_a_module_of_pythons_is_reported_where_that_matters(
    inspect: Inspect,
) -> None:
    files = {"statistics.py": "def my_mean(): pass"}

    (problem,) = inspect("from statistics import mean, my_mean", files)

    assert problem.line == 1
    assert "my_mean" in problem.what
    assert "statistics.py" in problem.what
    assert inspect("from statistics import mean", files) == []
    assert inspect("import statistics", files) == []
