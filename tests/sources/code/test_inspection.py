from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alo.errors import Problem
from alo.sources.code.inspection import inspect_asset

RUN = "\n    def run(self):\n        pass\n"
CLASS = f"from alolib.asset import Asset\nclass UserAsset(Asset):{RUN}"

Inspect = Callable[..., list[Problem]]


GOOD = {
    "plain": CLASS,
    "init of 2.x": f"{CLASS}    def __init__(self, asset_structure, more=1): pass",
    "init of any": f"{CLASS}    def __init__(self, *args, **kwargs): pass",
    "init by a decorator": f"{CLASS}    @with_more\n    def __init__(self, a, b): pass",
    "async by a decorator": "class UserAsset(Asset):\n    @waits\n    async def run(self): pass",
    "yields elsewhere": "class UserAsset(Asset):\n    def run(self):\n        x = lambda: (yield)\n"
    "        def rows(): yield 1\n        return [*rows()]",
    "async elsewhere": f"{CLASS}    async def fetch(self): yield 1",
    "spelled out": f"import alolib.asset\nclass UserAsset(alolib.asset.Asset):{RUN}",
    "of an alias": f"from alolib.asset import Asset as Base\nclass UserAsset(Base):{RUN}",
    "of a base next to it": f"class Base(Asset):{RUN}\nclass UserAsset(Base):\n    pass",
    "of a base from elsewhere": "class UserAsset(Trainer):\n    pass",
    "of two bases": f"class Mixin:{RUN}\nclass UserAsset(Mixin, Asset):\n    pass",
    "run by assignment": "class UserAsset(Asset):\n    run = make_run()",
    "run by assignment with a type": "class UserAsset(Asset):\n    run: Run = make_run()",
    "run by import": "class UserAsset(Asset):\n    from helper import go as run",
    "run set afterwards": "class UserAsset(Asset):\n    x = 1\nUserAsset.run = make_run()",
    "run in an if": "class UserAsset(Asset):\n  if FAST:\n    def run(self): pass",
    "run by a decorator": "@with_run\nclass UserAsset(Asset):\n    x = 1",
    "run by a metaclass": "class UserAsset(Asset, metaclass=Runs):\n    x = 1",
    "decorated": "class UserAsset(Asset):\n    @Asset.decorator_run\n    def run(self): pass",
    "from a module": "from helper import UserAsset",
    "under another name": "from helper import Trainer as UserAsset",
    "all of a module": "from helper import *",
    "assigned": "UserAsset = make_class()",
    "in an if": f"if True:\n  class UserAsset(Asset):{RUN.replace('    ', '     ')}",
    "in a try": "try:\n  from a import UserAsset\nexcept ImportError:\n  from b import UserAsset",
    "in an else": "try:\n  x = 1\nexcept OSError:\n  pass\nelse:\n  from fast import UserAsset",
    "with a BOM": "\ufeff" + CLASS,
    "with an encoding": "# -*- coding: cp949 -*-\n# 한글\n".encode("cp949") + CLASS.encode(),
    "with CRLF": CLASS.replace("\n", "\r\n"),
    "with an invalid escape": CLASS + "\nX = '\\d'\n",
}


@pytest.mark.parametrize("case", GOOD)
def test_a_class_may_be_made_in_any_way_that_python_has(case: str, inspect: Inspect) -> None:
    assert inspect(GOOD[case], installs=True) == []


BAD = {
    "no class": ("X = 1", 0, "no class UserAsset"),
    "a function": ("def UserAsset(): pass", 0, "no class UserAsset"),
    "a class inside a function": (f"def f():\n  class UserAsset(Asset):{RUN}", 0, "no class"),
    "two": (f"{CLASS}\nclass UserAsset(Asset):{RUN}", 6, "second class UserAsset"),
    "no base": (f"class UserAsset:{RUN}", 1, "derived from Asset"),
    "base object": (f"\nclass UserAsset(object):{RUN}", 2, "derived from Asset"),
    "no run": ("class UserAsset(Asset):\n    pass", 1, "no method run"),
    "no run but its type": ("class UserAsset(Asset):\n    run: Run", 1, "no method run"),
    "no run, base by alias": (
        "from alolib.asset import Asset as B\nclass UserAsset(B):\n    pass",
        2,
        "no method run",
    ),
    "no run, base spelled out": (
        "class UserAsset(alolib.asset.Asset):\n    x = 1",
        1,
        "no method run",
    ),
    "no run in a base": (
        "class Base(Asset):\n    pass\nclass UserAsset(Base):\n    pass",
        3,
        "no method run",
    ),
    "NUL": ("X = 1\0", None, ""),
    "not UTF-8": (b"X = '\xff\xfe'", None, ""),
    "deep": ("-" * 100_000 + "1", None, ""),
    "deep in parentheses": ("(" * 10_000, None, ""),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_with_the_class_is_reported_with_its_line(
    case: str, inspect: Inspect
) -> None:
    text, line, reported = BAD[case]

    (problem,) = inspect(text, installs=True)

    assert problem.file == "assets/train/asset_train.py"
    assert reported in problem.what
    assert line is None or problem.line == line


def test_files_of_a_step_with_digits_are_named_as_they_are(inspect: Inspect) -> None:
    (problem,) = inspect("X = 1", step="train2", name="asset_train.py")

    assert problem.file == "assets/train2/asset_train.py"


def test_a_missing_folder_is_a_problem_that_says_what_to_make(tmp_path: Path) -> None:
    (problem,) = inspect_asset(tmp_path / "assets/a", "a", home=tmp_path, installs=False)

    assert str(tmp_path / "assets/a") in problem.what
    assert "asset_a.py" in problem.what


def test_bases_in_a_circle_are_left_to_python(inspect: Inspect) -> None:
    assert inspect("class A(B): pass\nclass B(A): pass\nclass UserAsset(A): pass") == []


def test_nothing_is_run_to_find_out(inspect: Inspect, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    inspect(f"open({str(trace)!r}, 'w')\n{CLASS}")

    assert not trace.exists()
