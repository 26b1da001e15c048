"""A fixture that replaces another is of its type: whoever asks for it gets what they know."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]


def fixtures(path: Path) -> dict[str, str]:
    """The fixtures of a file, and the type of each as it is written."""
    found = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef) and any(
            ast.unparse(each).startswith("pytest.fixture") for each in node.decorator_list
        ):
            assert node.returns is not None, f"{path}: {node.name}"
            written = ast.unparse(node.returns)
            found[node.name] = written.removeprefix("Iterator[").removesuffix(
                "]" * ("Iterator[" in written)
            )
    return found


def replaced() -> Iterator[tuple[str, str, str]]:
    """Each fixture that one nearer to a test replaces: the nearer one, and the types of both."""
    for path in sorted(TESTS.rglob("*.py")):
        above = [
            folder / "conftest.py" for folder in path.parents if TESTS in (folder, *folder.parents)
        ]
        farther = [each for each in above if each.exists() and each != path]
        for name, kind in fixtures(path).items():
            first = next((known[name] for known in map(fixtures, farther) if name in known), None)
            if first is not None:
                yield f"{path.relative_to(TESTS)}: {name}", kind, first


def test_a_fixture_replaces_one_of_its_own_type_only() -> None:
    assert [each for each in replaced() if each[1] != each[2]] == []
