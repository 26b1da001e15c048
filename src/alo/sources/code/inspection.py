"""What can be known of an asset from its text, before anything of it runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alo.errors import Problem
from alo.named_tuples import NamedTuple
from alo.sources.code.imports import ImportCheck
from alo.sources.code.loader import (
    CLASS_NAME,
    AssetNotFoundError,
    asset_file_names,
    find_asset_file,
)
from alo.sources.code.methods import method_problems
from alo.sources.code.syntax import at, kind, last_name, parse, statements

BASE = "Asset"


class Inspection(NamedTuple):
    """What is wrong with an asset, and what that depends on."""

    problems: list[Problem]
    looked_at: frozenset[str] = frozenset()  # paths, also of what is not there
    is_lasting: bool = False  # whether it is the same while these and what is installed are


def inspect_asset(folder: Path, step: str, *, home: Path, installs: bool) -> list[Problem]:
    """What is wrong with a step's asset: the problems of ``inspection_of``."""
    return inspection_of(folder, step, home=home, installs=installs).problems


def inspection_of(folder: Path, step: str, *, home: Path, installs: bool) -> Inspection:
    """Look at a step's asset; the file is parsed, never imported.

    Args:
        home: the project's folder, whose own modules assets may import too.
        installs: whether the plan lists requirements for the step; packages that are not there yet
            are then no problem.
    """
    try:
        path = find_asset_file(folder, step)
    except AssetNotFoundError as error:
        return Inspection([Problem(f"{error.what}. {_sentence(error.fix)}")])
    check = ImportCheck(folder, home, installs=installs)
    name = check.name_of(path)
    try:
        source = path.read_bytes()
    except OSError as error:
        return Inspection([Problem(f"cannot be read: {error.strerror}", name)])
    tree = parse(source, path, name)
    if isinstance(tree, Problem):
        return Inspection([tree])
    problems = [*_class_problems(tree, source, name), *check.problems(tree, source, path)]
    files = {f"{folder}/{each}" for each in asset_file_names(step)}
    return Inspection(problems, frozenset(check.looked_at | files), check.is_lasting)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _class_problems(tree: Any, source: bytes, name: str) -> Iterator[Problem]:
    classes = [each for each in tree.body if kind(each) == "ClassDef" and each.name == CLASS_NAME]
    if not classes:
        if not _may_define(tree):
            what = f"no class {CLASS_NAME}: the step's class must be 'class {CLASS_NAME}({BASE})'"
            yield Problem(what, name)
        return
    for extra in classes[1:]:
        what = f"a second class {CLASS_NAME}; the first is in line {classes[0].lineno}"
        yield at(extra, what, name)
    found: Any = classes[0]
    if all(last_name(base) == "object" for base in found.bases):
        what = f"{CLASS_NAME} must be derived from {BASE}: 'class {CLASS_NAME}({BASE})'"
        yield at(found, what, name)
    elif not _may_run(found, tree):
        yield at(found, f"{CLASS_NAME} has no method run(self)", name)
    else:
        yield from method_problems(found, name, may_yield=b"yield" in source)


def _may_run(found: Any, tree: Any) -> bool:
    """Whether the class has a ``run``, itself or from a base that is not known to have none."""
    others = {each.name: each for each in tree.body if kind(each) == "ClassDef"}
    if any(_sets_run(node) for node in statements(tree.body)):  # UserAsset.run = ...
        return True
    without = {BASE, "object", *_names_of_asset(tree)}
    lineage = [found]
    while lineage:
        each = lineage.pop()
        if _has_run(each):
            return True
        for base in map(last_name, each.bases):
            if base in others:
                lineage.append(others.pop(base))
            elif base not in without:
                return True
    return False


def _names_of_asset(tree: Any) -> set[str]:
    """What ``from alolib.asset import Asset as ...`` calls it."""
    return {
        alias.asname
        for node in tree.body
        if kind(node) == "ImportFrom" and node.module == "alolib.asset"
        for alias in node.names
        if alias.name == BASE and alias.asname
    }


def _has_run(node: Any) -> bool:
    """Whether the class has a ``run``, or a decorator or metaclass that may give it one."""
    if node.decorator_list or node.keywords:
        return True
    for item in statements(node.body):
        if kind(item) in ("FunctionDef", "AsyncFunctionDef") and item.name == "run":
            return True
        if _sets_run(item) or _imports_run(item):
            return True
    return False


def _sets_run(node: Any) -> bool:
    if kind(node) == "Assign":
        return any(last_name(target) == "run" for target in node.targets)
    return kind(node) == "AnnAssign" and node.value is not None and last_name(node.target) == "run"


def _imports_run(node: Any) -> bool:
    if kind(node) not in ("Import", "ImportFrom"):
        return False
    return any((alias.asname or alias.name) == "run" for alias in node.names)


def _may_define(tree: Any) -> bool:
    """Whether the class may come from an import, an assignment or inside an ``if`` or ``try``."""
    for node in statements(tree.body):
        if kind(node) == "ClassDef" and node.name == CLASS_NAME:
            return True
        if kind(node) == "ImportFrom":
            names = {alias.asname or alias.name for alias in node.names}
            if names & {CLASS_NAME, "*"}:
                return True
        if kind(node) == "Assign" and any(last_name(each) == CLASS_NAME for each in node.targets):
            return True
    return False
