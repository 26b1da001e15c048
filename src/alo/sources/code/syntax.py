"""A file of Python source as a tree, without the module ``ast``, which costs 8 ms to import."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alo.errors import Problem

PyCF_ONLY_AST = 0x400  # as ``ast`` has it


def parse(source: bytes, path: Path, name: str) -> Any:
    """The tree of a file's source, or the :class:`Problem` that it has.

    Args:
        name: the file's name for the problem.
    """
    try:
        return _tree(source, str(path))
    except SyntaxError as error:
        error = _with_exact_column(error, source)
        line, column = error.lineno or 0, max(error.offset or 0, 0)
        return Problem(f"syntax error: {error.msg}", name, line, column)
    except ValueError as error:  # NUL bytes
        return Problem(f"not Python source: {error}", name)
    except (RecursionError, MemoryError):
        return Problem("not Python source: too deeply nested", name)


def _tree(source: bytes | str, file: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape is no reason to stop
        return compile(source, file, "exec", PyCF_ONLY_AST, dont_inherit=True)


def _with_exact_column(error: SyntaxError, source: bytes) -> SyntaxError:
    """Of text Python counts characters, but of bytes sometimes bytes, where 한 counts for three."""
    from importlib.util import decode_source

    try:
        text = decode_source(source)
    except (SyntaxError, UnicodeError):
        return error
    try:
        _tree(text, "")  # of a file that is there, Python would count by what it reads from it
    except SyntaxError as exact:
        return exact
    return error


def kind(node: object) -> str:
    """The name of the node's class."""
    return type(node).__name__


def last_name(node: Any) -> str:
    """``c`` of a name ``c``, an attribute ``a.b.c`` or a call of one; empty for what has none."""
    if kind(node) == "Call":
        return last_name(node.func)
    return str(getattr(node, "id", None) or getattr(node, "attr", ""))


def statements(body: list[Any]) -> Iterator[Any]:
    """Statements of a module and of its ``if``, ``try`` and ``with`` blocks."""
    for node in body:
        yield node
        if kind(node) in ("If", "Try", "TryStar", "With", "ExceptHandler"):
            for part in ("body", "handlers", "orelse", "finalbody"):
                yield from statements(getattr(node, part, []))


def at(node: Any, what: str, name: str) -> Problem:
    """A problem at a node of the file."""
    return Problem(what, name, node.lineno, node.col_offset + 1)
