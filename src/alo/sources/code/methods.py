"""Whether the methods of an asset's class can be called as the engine calls them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alo.errors import Problem
from alo.sources.code.syntax import at, kind, last_name

FUNCTIONS = ("FunctionDef", "AsyncFunctionDef", "Lambda")
BY_ALO_1 = ("envs", "argv")  # the first parameters of __init__ in assets of ALO 1
SIGNATURE = "def __init__(self, asset_structure)"


def method_problems(user_asset: Any, name: str, *, may_yield: bool) -> Iterator[Problem]:
    """What is sure to fail when the class is made and its ``run`` is called.

    Args:
        user_asset: the class in the tree of the file; what its bases have is not looked at.
        name: the file's name for the problems.
        may_yield: whether the file has a ``yield`` at all; most have none to look for.
    """
    if user_asset.decorator_list or user_asset.keywords:
        return  # which may change any of it
    for method in user_asset.body:
        if method_name(method) == "__init__" and not method.decorator_list:
            yield from _init_problems(method, name)
        if method_name(method) == "run" and _is_plain(method):
            yield from _run_problems(method, name, may_yield=may_yield)


def method_name(node: Any) -> str:
    """The name of a function in a class's body; empty for anything else there."""
    return str(node.name) if kind(node) in FUNCTIONS[:2] else ""


def _is_plain(method: Any) -> bool:
    """Without a decorator that may call it in another way."""
    return all(last_name(each) == "decorator_run" for each in method.decorator_list)


def _init_problems(method: Any, name: str) -> Iterator[Problem]:
    positional = [each.arg for each in (*method.args.posonlyargs, *method.args.args)]
    needed = positional[1 : len(positional) - len(method.args.defaults)]
    if tuple(needed[:2]) == BY_ALO_1:
        what = f"an asset of ALO 1, whose __init__ takes {', '.join(needed)}; here it is"
        yield at(method, f"{what} '{SIGNATURE}': see docs/getting-started/from-alo-2.md", name)
    elif len(needed) > 1:
        what = f"__init__ needs {', '.join(needed)}, and is given the asset structure alone"
        yield at(method, f"{what}: write '{SIGNATURE}'", name)
    elif len(positional) < 2 and not method.args.vararg:
        what = "__init__ takes no argument, and is given the asset structure"
        yield at(method, f"{what}: write '{SIGNATURE}'", name)


def _run_problems(method: Any, name: str, *, may_yield: bool) -> Iterator[Problem]:
    if kind(method) == "AsyncFunctionDef":
        what = "run is 'async def', and calling that runs nothing"
        yield at(method, f"{what}: write 'def run(self)', and asyncio.run(...) inside", name)
    elif may_yield and (found := next(_yields(method.body), None)):
        what = "run has a 'yield', and calling such a function runs nothing of it"
        yield at(found, f"{what}: save the values, or have a method of their own yield them", name)


def _yields(nodes: list[Any]) -> Iterator[Any]:
    """The ``yield`` of a function's own, not those of functions in it."""
    for node in nodes:
        if kind(node) in ("Yield", "YieldFrom"):
            yield node
        if kind(node) in (*FUNCTIONS, "ClassDef"):
            continue
        for field in getattr(node, "_fields", ()):
            value = getattr(node, field, None)
            inner = value if isinstance(value, list) else [value]
            yield from _yields([each for each in inner if hasattr(each, "_fields")])
