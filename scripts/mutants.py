"""Change one thing at a time in a module, and see whether a test notices.

    .venv/bin/python scripts/mutants.py src/alo/store --sample 60

A module's tests are its own file (``tests/store/test_keys.py`` for ``alo/store/keys.py``), then
what ``--tests`` names. Works on a copy of the files under version control; prints each change that
no test noticed, and the share of those that one did.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
MOST_S = 600  # for the tests of one module
OPPOSITE: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
}


class Mutant(NamedTuple):
    """One change of a file: the bytes from start to end become others."""

    path: Path
    line: int
    start: int
    end: int
    was: str
    becomes: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {_short(self.was)}  ->  {_short(self.becomes)}"

    def applied(self, text: bytes) -> bytes:
        """The text with this change, and no other."""
        return text[: self.start] + self.becomes.encode() + text[self.end :]


def _short(code: str) -> str:
    line = " ".join(code.split())
    return line if len(line) <= 70 else f"{line[:67]}..."


def mutants_of(path: Path, root: Path) -> list[Mutant]:
    """Every change of this file that is tried."""
    text = (root / path).read_bytes()
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = []
    for node, becomes in _changes(ast.parse(text)):
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        was = text[start:end].decode()
        mutant = Mutant(path, node.lineno, start, end, was, becomes)
        try:
            compile(mutant.applied(text), str(path), "exec", dont_inherit=True)
        except SyntaxError:
            continue  # inside an f-string of an older Python
        found.append(mutant)
    return found


def _changes(node: ast.AST) -> Iterator[tuple[ast.stmt | ast.expr, str]]:
    """Nodes below this one, and the code that takes their place."""
    if isinstance(node, ast.stmt):
        yield from _of_statement(node)
    elif isinstance(node, ast.expr):
        yield from _of_expression(node)
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "bases", "keywords", "type_params"):
            value = [each.value for each in value] if isinstance(node, ast.Call) else []
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr):
                yield from _changes(child)


def _of_statement(node: ast.stmt) -> Iterator[tuple[ast.stmt | ast.expr, str]]:
    match node:
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Raise() | ast.Delete():
            yield node, "pass"
        case ast.Return(value=ast.expr()) if not _is_none(node.value):
            yield node, "return None"
        case ast.Continue():
            yield node, "break"
        case ast.Break():
            yield node, "continue"
        case ast.If(test=test) | ast.While(test=test) if not _is_flag(test):
            yield test, f"not ({ast.unparse(test)})"


def _of_expression(node: ast.expr) -> Iterator[tuple[ast.stmt | ast.expr, str]]:
    match node:
        case ast.Compare():
            for at, op in enumerate(node.ops):
                changed = [*node.ops[:at], OPPOSITE[type(op)](), *node.ops[at + 1 :]]
                yield node, f"({ast.unparse(ast.Compare(node.left, changed, node.comparators))})"
        case ast.BoolOp():
            yield node, f"({ast.unparse(ast.BoolOp(OPPOSITE[type(node.op)](), node.values))})"
        case ast.UnaryOp(op=ast.Not()):
            yield node, f"({ast.unparse(node.operand)})"
        case ast.BinOp() if type(node.op) in OPPOSITE:
            changed_op = OPPOSITE[type(node.op)]()
            yield node, f"({ast.unparse(ast.BinOp(node.left, changed_op, node.right))})"
        case ast.IfExp(test=test):
            yield test, f"(not ({ast.unparse(test)}))"
        case ast.Constant(value=bool()):
            yield node, str(not node.value)
        case ast.Constant(value=int()):
            yield node, str(node.value + 1)


def _is_none(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_flag(node: ast.expr) -> bool:
    """A condition that another change of it covers already: a comparison, a negation."""
    return isinstance(node, (ast.Compare, ast.UnaryOp, ast.Constant)) or (
        isinstance(node, ast.Name) and node.id == "TYPE_CHECKING"
    )


def tests_of(path: Path, more: Sequence[str]) -> list[str]:
    """The tests of a module: its own first, as the first failure ends the run."""
    parts = path.parts[2:] if path.parts[1] == "alo" else path.parts[1:]
    return [str(Path("tests", *parts[:-1], f"test_{path.stem}.py")), *more]


def copied_tree(target: Path) -> None:
    """What is under version control, as it is in the working tree now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def passes(tree: Path, tests: list[str], timeout_s: float) -> bool | None:
    """Whether the tests pass in this tree; None where they had to be ended."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(tree / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HYPOTHESIS_STORAGE_DIRECTORY": str(tree / ".hypothesis"),
    }
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        process = subprocess.Popen(
            [*command, f"--basetemp={scratch}/tests", *dict.fromkeys(tests)],
            cwd=tree,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return process.wait(timeout_s) == 0
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def main() -> int:
    """Try the changes; the status is 1 where fewer than ``--floor`` percent were noticed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="+", type=Path, help="modules and folders below src")
    parser.add_argument("--sample", type=int, help="at most so many changes, chosen by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tests", nargs="*", default=[], help="further tests to ask")
    parser.add_argument("--part", default="1/1", help="2/3: the second of three parts of the work")
    parser.add_argument("--floor", type=float, default=0, help="percent that must be noticed")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as folder:
        copied_tree(Path(folder))
        return _try_all(Path(folder), options)


def _chosen(tree: Path, options: argparse.Namespace) -> list[Mutant]:
    paths = [path.resolve().relative_to(ROOT) for path in options.paths]
    files = [
        file.relative_to(tree)
        for path in paths
        for file in (
            sorted((tree / path).rglob("*.py")) if (tree / path).is_dir() else [tree / path]
        )
    ]
    mutants = [mutant for file in files for mutant in mutants_of(file, tree)]
    if options.sample and options.sample < len(mutants):
        picked = random.Random(options.seed).sample(range(len(mutants)), options.sample)  # noqa: S311
        mutants = [mutants[at] for at in sorted(picked)]
    part, of = map(int, options.part.split("/"))
    return mutants[part - 1 :: of]


def _try_all(tree: Path, options: argparse.Namespace) -> int:
    tried: list[bool] = []
    try:
        for is_dead in _results(tree, options):
            tried.append(is_dead)
    except KeyboardInterrupt:
        _say("cut short; as far as it came:")
    dead = 100 * sum(tried) / max(1, len(tried))
    _say(f"{sum(tried)} of {len(tried)} dead: {dead:.0f} %")
    return int(dead < options.floor)


def _results(tree: Path, options: argparse.Namespace) -> Iterator[bool]:
    """Of each change, whether a test noticed it."""
    limits: dict[Path, float] = {}
    for mutant in _chosen(tree, options):
        tests = tests_of(mutant.path, options.tests)
        if mutant.path not in limits:
            begun = time.monotonic()
            if not passes(tree, tests, MOST_S):
                raise SystemExit(f"{mutant.path}: its tests fail as it is: {' '.join(tests)}")
            limits[mutant.path] = 30 + 5 * (time.monotonic() - begun)
        whole = (tree / mutant.path).read_bytes()
        (tree / mutant.path).write_bytes(mutant.applied(whole))
        survived = passes(tree, tests, limits[mutant.path])
        (tree / mutant.path).write_bytes(whole)
        if survived:
            _say(f"survived {mutant}")
        yield not survived


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
