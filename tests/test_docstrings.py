"""Every public module, class, function and method says what it gives or does."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src"
TEMPLATES = SRC / "alo/templates"  # copied into a user's project, whose code it is
OF_A_COMMAND = ("add_arguments", "execute")  # the same in each; the command's help says the rest
SAYS_NOTHING_NEW = (".setter", ".deleter", "overload")  # the getter, or the function itself, does


def undocumented(source: str) -> list[str]:
    """The public names of a module that have no docstring; ``module`` is the module itself."""
    tree = ast.parse(source)
    return [*_missing(tree, "module"), *_undocumented_in(tree, "")]


def _undocumented_in(node: ast.AST, prefix: str) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if child.name.startswith("_") or _is_apart(child):
                continue
            yield from _missing(child, prefix + child.name)
            if isinstance(child, ast.ClassDef):
                yield from _undocumented_in(child, f"{prefix}{child.name}.")
        elif isinstance(child, ast.stmt | ast.ExceptHandler):  # such as an if
            yield from _undocumented_in(child, prefix)


def _is_apart(definition: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    decorators = map(ast.unparse, definition.decorator_list)
    return definition.name in OF_A_COMMAND or any(
        decorator.endswith(SAYS_NOTHING_NEW) for decorator in decorators
    )


def _missing(
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, name: str
) -> list[str]:
    return [] if ast.get_docstring(node) else [name]


def test_every_public_name_has_a_docstring() -> None:
    modules = [SRC / "alo/templates/__init__.py"]
    modules += [path for path in SRC.rglob("*.py") if TEMPLATES not in path.parents]

    missing = [
        f"{path.relative_to(SRC)}: {name}"
        for path in sorted(modules)
        for name in undocumented(path.read_text(encoding="utf-8"))
    ]

    assert len(modules) > 1
    assert missing == []


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("", ["module"]),
        ("'''M.'''", []),
        ("'''M.'''\ndef f(): ...", ["f"]),
        ("'''M.'''\nasync def f(): ...", ["f"]),
        ("'''M.'''\ndef f():\n    '''F.'''\n    def inner(): ...", []),
        ("'''M.'''\nclass C:\n    def f(self): ...", ["C", "C.f"]),
        ("'''M.'''\nclass _C:\n    def f(self): ...", []),
        ("'''M.'''\nclass C:\n    '''C.'''\n    def _f(self): ...", []),
        ("'''M.'''\nif True:\n    def f(): ...\nelse:\n    def g(): ...", ["f", "g"]),
        ("'''M.'''\ntry:\n    pass\nexcept OSError:\n    def f(): ...", ["f"]),
        ("'''M.'''\n@overload\ndef f(): ...", []),
        ("'''M.'''\nclass C:\n    '''C.'''\n    @size.setter\n    def size(self, _): ...", []),
        ("'''M.'''\ndef add_arguments(parser): ...\ndef execute(args): ...", []),
    ],
)
def test_what_needs_a_docstring(source: str, missing: list[str]) -> None:
    assert undocumented(source) == missing
