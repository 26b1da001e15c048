"""What can be told of an asset from its text, before anything of it runs."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alo.errors import Problem
from alo.sources.loader import CLASS_NAME, AssetNotFound, find_asset_file

if TYPE_CHECKING:
    import ast

PyCF_ONLY_AST = 0x400  # as ``ast`` has it, which costs 8 ms to import
# Import names whose package has another name on the package index.
PACKAGES = {
    "cv2": "opencv-python",
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "yaml": "PyYAML",
    "bs4": "beautifulsoup4",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "attr": "attrs",
    "Crypto": "pycryptodome",
    "serial": "pyserial",
    "OpenSSL": "pyOpenSSL",
    "umap": "umap-learn",
}


def package_of(module: str) -> str:
    """The package to install for an import name."""
    top = module.partition(".")[0]
    return PACKAGES.get(top, top)


def inspect_asset(folder: Path, step: str, *, home: Path, installs: bool) -> list[Problem]:
    """What is wrong with a step's asset; the file is parsed, never imported.

    Args:
        home: the project's folder, whose own modules assets may import too.
        installs: whether the plan lists requirements for the step; packages that are not there yet
            are then no problem.
    """
    try:
        path = find_asset_file(folder, step)
    except AssetNotFound as error:
        return [Problem(f"{error.what}. {_sentence(error.fix)}")]
    name = f"assets/{folder.name}/{path.name}"
    try:
        tree = parse(path)
    except SyntaxError as error:
        line, column = error.lineno or 0, error.offset or 0
        return [Problem(f"syntax error: {error.msg}", name, line, column)]
    except ValueError as error:  # NUL bytes
        return [Problem(f"not Python source: {error}", name)]
    except OSError as error:
        return [Problem(f"cannot be read: {error.strerror}", name)]
    problems = list(_class_problems(tree, name))
    if not installs and "sys.path" not in path.read_text("utf-8", "replace"):
        problems += _import_problems(tree, name, (folder, home))
    return problems


def parse(path: Path) -> Any:
    """The file's syntax tree."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape is no reason to stop
        source = path.read_bytes()
        return compile(source, str(path), "exec", PyCF_ONLY_AST, dont_inherit=True)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _kind(node: object) -> str:
    return type(node).__name__


def _class_problems(tree: ast.Module, name: str) -> Iterator[Problem]:
    classes = [
        node for node in tree.body if _kind(node) == "ClassDef" and _name(node) == CLASS_NAME
    ]
    if not classes:
        if not _may_define(tree):
            what = f"no class {CLASS_NAME}: the step's class must be 'class {CLASS_NAME}(Asset)'"
            yield Problem(what, name)
        return
    for extra in classes[1:]:
        what = f"a second class {CLASS_NAME}; the first is in line {classes[0].lineno}"
        yield Problem(what, name, extra.lineno, extra.col_offset + 1)
    found: Any = classes[0]
    if not found.bases:
        what = f"{CLASS_NAME} must be derived from Asset: 'class {CLASS_NAME}(Asset)'"
        yield Problem(what, name, found.lineno, found.col_offset + 1)
    elif not _has_run(found) and all(_base_name(base) == "Asset" for base in found.bases):
        what = f"{CLASS_NAME} has no method run(self)"
        yield Problem(what, name, found.lineno, found.col_offset + 1)


def _name(node: Any) -> str:
    return str(node.name)


def _base_name(node: Any) -> str:
    return str(getattr(node, "id", None) or getattr(node, "attr", ""))


def _has_run(node: Any) -> bool:
    for item in node.body:
        if _kind(item) in ("FunctionDef", "AsyncFunctionDef") and item.name == "run":
            return True
        if _kind(item) == "Assign" and any(_base_name(target) == "run" for target in item.targets):
            return True
    return False


def _may_define(tree: ast.Module) -> bool:
    """Whether the class may come from an import, an assignment or inside an ``if`` or ``try``."""
    for node in _walk(tree.body):
        kind = _kind(node)
        if kind == "ClassDef" and node.name == CLASS_NAME:
            return True
        if kind == "ImportFrom":
            names = {alias.asname or alias.name for alias in node.names}
            if names & {CLASS_NAME, "*"}:
                return True
        if kind == "Assign" and any(_base_name(target) == CLASS_NAME for target in node.targets):
            return True
    return False


def _walk(body: list[Any]) -> Iterator[Any]:
    """Statements of the module and of its ``if``, ``try`` and ``with`` blocks."""
    for node in body:
        yield node
        if _kind(node) in ("If", "Try", "With", "ExceptHandler"):
            for part in ("body", "handlers", "orelse", "finalbody"):
                yield from _walk(getattr(node, part, []))


def _import_problems(tree: ast.Module, name: str, roots: tuple[Path, ...]) -> list[Problem]:
    problems = []
    for node in tree.body:  # not those inside try or if: they may be meant to fail
        for module in _imported(node):
            if not _can_be_found(module, roots):
                what = f"the module '{module}' is not installed here"
                fix = f"pip install {package_of(module)}, or add it to the step's requirements"
                problems.append(Problem(f"{what}: {fix}", name, node.lineno, node.col_offset + 1))
    return problems


def _imported(node: Any) -> list[str]:
    if _kind(node) == "Import":
        return [alias.name.partition(".")[0] for alias in node.names]
    if _kind(node) == "ImportFrom" and not node.level and node.module:
        return [node.module.partition(".")[0]]
    return []


def _can_be_found(module: str, roots: tuple[Path, ...]) -> bool:
    if module in sys.modules or module in sys.stdlib_module_names:
        return True
    if any((root / module).is_dir() or (root / f"{module}.py").is_file() for root in roots):
        return True
    try:
        return any(finder.find_spec(module, None) for finder in sys.meta_path)
    except Exception:  # a broken finder of someone else's: the import itself will tell
        return True
