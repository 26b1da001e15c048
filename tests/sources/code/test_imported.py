from __future__ import annotations

import ast
from pathlib import Path

import pytest

import alo
from alo.sources.code import imported
from alo.sources.code.imported import Import, imports_in


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import a", [("a", 0, ())]),
        ("import a.b as c, d", [("a.b", 0, ()), ("d", 0, ())]),
        ("from a.b import c as d, e", [("a.b", 0, ("c", "as", "d", "e"))]),
        ("from a import (\n    b,  # of (\n    c,\n)", [("a", 0, ("b", "of", "c"))]),
        ("from a import (b,\n c)", [("a", 0, ("b", "c"))]),
        ("from . import a", [("", 1, ("a",))]),
        ("from ..a.b import c", [("a.b", 2, ("c",))]),
        ("from.a import b", [("a", 1, ("b",))]),
        ("from a import *", [("a", 0, ())]),
        ("def f():\n\tif x: import a; from b import c", [("a", 0, ()), ("b", 0, ("c",))]),
        ("try:\n    import a\nexcept ImportError: import b", [("a", 0, ()), ("b", 0, ())]),
        ("import a, \\\n    b", [("a", 0, ()), ("b", 0, ())]),
        ("import_module('a.b'); __import__(\"c\")", [("a.b", 0, ()), ("c", 0, ())]),
        ("from 한글 import 값", [("한글", 0, ("값",))]),
        ("reimport = 1\nfrom_ = 2\nx.import_ = 3", []),
        ("# import a", []),
    ],
)
def test_every_import_is_found(source: str, found: list[tuple[str, int, tuple[str, ...]]]) -> None:
    assert list(imports_in(source.encode())) == [Import(*each) for each in found]


def test_what_is_no_text_is_no_trouble() -> None:
    assert list(imports_in(b"\xff\xfe import a\nimport b\n")) == [Import("b", 0, ())]


def test_nothing_is_missed_that_python_itself_would_import() -> None:
    for path in Path(alo.__path__[0]).rglob("*.py"):
        source = path.read_bytes()
        reported = {(each.module, each.level) for each in imports_in(source)}
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                assert {(alias.name, 0) for alias in node.names} <= reported, path
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "", node.level) in reported, path


@pytest.mark.parametrize(
    "line",
    [
        "import a",
        "import a.b",
        "import a, b.c as d,e",
        "import a as b",
        "  import a",
        "from a import b",
        "from a.b import c, d as e",
        "from . import a",
        "from ..a.b import c",
        "from .a import (b, c)",
        "from a import *",
        "from a import b  # import c",
        "import a; import b",
        "import a,",
        "import",
        "from a import",
        "if x: import a",
        "x = 'import a'",
        "important import words",
        "import_module('a')",
        "from a import b.c",
        "import 한",
        "from a import é",
        "from import a",
    ],
)
def test_a_plain_line_is_read_as_by_the_pattern(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    quickly = list(imports_in(line.encode()))
    monkeypatch.setattr(imported, "_plain", lambda text: [])

    assert quickly == list(imports_in(line.encode()))
