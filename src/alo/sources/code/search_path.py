"""The folders that a file puts on ``sys.path``, as far as its text shows."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alo.sources.code.syntax import kind, last_name

FUNCTIONS: dict[str, Callable[..., str]] = {
    "abspath": os.path.normpath,  # no relative path comes from __file__
    "dirname": os.path.dirname,
    "fspath": os.fspath,
    "join": os.path.join,
    "normpath": os.path.normpath,
    "Path": os.path.join,
    "realpath": os.path.normpath,
    "str": str,
}
OF_THE_SAME = frozenset({"absolute", "as_posix", "resolve"})  # methods of a Path


def added_folders(tree: Any, source: bytes, path: Path) -> list[str] | None:
    """The folders, for ``sys.path.append(os.path.dirname(__file__))`` and the like.

    None: the file does more with ``sys.path`` than can be known without running it.
    """
    mentions = source.count(b"sys.path")
    if not mentions:
        return []
    known, folders = {"__file__": str(path)}, []
    for node in tree.body:
        if kind(node) == "Assign" and len(node.targets) == 1 and kind(node.targets[0]) == "Name":
            value = _text_of(node.value, known)
            if value is not None:
                known[node.targets[0].id] = value
        elif kind(node) == "Expr" and _adds_to_path(node.value):
            folder = _text_of(node.value.args[-1], known)
            if folder is None:
                return None
            folders.append(folder)
    return folders if len(folders) == mentions else None


def _adds_to_path(node: Any) -> bool:
    if kind(node) != "Call" or last_name(node) not in ("append", "insert") or not node.args:
        return False
    owner = getattr(node.func, "value", None)
    return last_name(owner) == "path" and last_name(getattr(owner, "value", None)) == "sys"


def _text_of(node: Any, known: dict[str, str]) -> str | None:
    """The text that an expression of paths comes to; None where that cannot be known."""
    if kind(node) == "Name":
        return known.get(node.id)
    if kind(node) == "Constant":
        return node.value if isinstance(node.value, str) else None
    if kind(node) == "Attribute":
        if node.attr == "sep":
            return os.sep
        owner = _text_of(node.value, known) if node.attr == "parent" else None
        return None if owner is None else os.path.dirname(owner)
    if kind(node) == "BinOp" and kind(node.op) in ("Add", "Div"):
        return _joined(kind(node.op), [_text_of(each, known) for each in (node.left, node.right)])
    if kind(node) == "Call":
        name = last_name(node)
        if name in OF_THE_SAME:
            return _text_of(node.func.value, known)
        return _joined(name, [_text_of(each, known) for each in node.args])
    return None


def _joined(how: str, parts: list[str | None]) -> str | None:
    texts = [part for part in parts if part is not None]
    if len(texts) < len(parts) or not texts:
        return None
    if how == "Add":
        return "".join(texts)
    function = os.path.join if how == "Div" else FUNCTIONS.get(how)
    return function(*texts) if function else None
