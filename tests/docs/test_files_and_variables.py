"""The page of files and variables names all that the sources make and read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from alo.layout import OWN_FOLDERS, Workspace

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/files-and-variables.md").read_text(encoding="utf-8")
SOURCES = sorted(
    path for path in ROOT.glob("src/**/*.py") if "templates" not in path.relative_to(ROOT).parts
)
VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+_?")
READ = re.compile(r"(?:environb?|getenv)(?:\.get|\.pop)?[\[(]\"([A-Z]+)\"")  # of one word
OF_CHILDREN = {  # set for git or pip, never read: how they are to behave
    "GIT_ALLOW_PROTOCOL",
    "GIT_DEFAULT_HASH",
    "GIT_INDEX_FILE",
    "GIT_LITERAL_PATHSPECS",
    "GIT_TERMINAL_PROMPT",
    "GIT_WORK_TREE",
    "LC_ALL",
    "SSH_ASKPASS",
    "SSH_ASKPASS_REQUIRE",
}
FAMILIES = ("AWS_", "GIT_", "PIP_", "SSL_", "UV_", "ALO_")  # of variables, wherever a text is one
BELOW_INTERNAL = re.compile(r"internal / f?\"([\w.-]+)")


def documented() -> set[str]:
    return set(re.findall(r"`([A-Z][A-Z0-9_*]+)`", PAGE.partition("## Environment variables")[2]))


def variables_in(text: str) -> set[str]:
    """The names of environment variables that a module reads, sets or hands on."""
    found = set(READ.findall(text))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value
            if VARIABLE.fullmatch(name) and ("environ" in text or name.startswith(FAMILIES)):
                found.add(name)
    return found - OF_CHILDREN


def covers(patterns: set[str], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def missing() -> Iterator[str]:
    patterns = documented()
    for module in SOURCES:
        for name in sorted(variables_in(module.read_text(encoding="utf-8"))):
            if not covers(patterns, name) and not covers(patterns, f"{name}*"):
                yield f"{module.relative_to(ROOT)}: {name}"


def test_each_variable_that_the_sources_read_is_described() -> None:
    assert list(missing()) == []


@pytest.mark.parametrize(
    "line",
    [
        'os.environ.get("ALO_NEW", "")',
        'os.environ["HOMES"]',
        'os.getenv("ALO_NEW")',
        'NEW = "ALO_NEW"',
        'import os; os.environ; NEW = "OTHER_NEW"',
    ],
)
def test_a_variable_that_is_not_described_is_found(line: str) -> None:
    (name,) = variables_in(line)

    assert not covers(documented(), name)


def test_each_variable_of_our_own_that_is_described_is_one() -> None:
    texts = "".join(module.read_text(encoding="utf-8") for module in SOURCES)
    own = {name for name in documented() if name.startswith("ALO_")}

    assert {name for name in own if f'"{name}"' not in texts} == set()


def test_each_file_of_a_project_is_described(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    paths = [
        *(space.home / name for name in OWN_FOLDERS),
        *(space.lock, space.unfinished, space.recent_runs, space.index, space.history_total),
        *(space.staging_manifest(kind) for kind in ("train", "inference")),
    ]

    names = [path.relative_to(space.home).as_posix() for path in paths]

    assert [name for name in names if f"`{name}" not in PAGE] == []


def names_below_internal(text: str) -> set[str]:
    """What a module keeps in ``.alo/``, by a text or by a constant of its own."""
    names = set(BELOW_INTERNAL.findall(text))
    for constant in re.findall(r"internal / ([A-Z_]+)", text):
        names |= set(re.findall(rf'^{constant}\b.* = "([^"]+)"', text, re.M))
    return names


def test_each_file_below_alo_is_described() -> None:
    texts = [module.read_text(encoding="utf-8") for module in SOURCES]
    names = {name for text in texts for name in names_below_internal(text)}

    assert {"requests", "serve", "environments", "history-sizes.json"} <= names
    assert {name for name in names if f"`.alo/{name}" not in PAGE} == set()
