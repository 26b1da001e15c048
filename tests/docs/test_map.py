"""What the map of the code and the page for contributors name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("ARCHITECTURE.md", "CONTRIBUTING.md")
ROOTS = (ROOT / "src/alo", ROOT / "src", ROOT)
MADE = ("build/",)  # by make; not in the repository
CODE = re.compile(r"^```.*?^```", re.M | re.S)
# A module, or a folder of them, with at least one slash; and a name in it.
MODULE = re.compile(r"`([a-z_]+(?:/[a-z_0-9]+)+)(?:\.py)?/?(?::([\w.]+))?`")
# In a block of code, a call of one of the walks.
CALL = re.compile(r"([a-z_]+(?:/[a-z_0-9]+)+):([A-Za-z_.]*\w)")


def is_there(module: str, name: str) -> bool:
    for root in ROOTS:
        file = root / f"{module}.py"
        if file.is_file():
            last = name.rpartition(".")[2]
            return re.search(rf"\b{last}\b", file.read_text(encoding="utf-8")) is not None
        if (root / module).is_dir():
            return not name
    return False


@pytest.mark.parametrize("page", PAGES)
def test_each_module_that_is_named_is_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = [*MODULE.findall(CODE.sub("", text)), *CALL.findall("".join(CODE.findall(text)))]

    missing = [
        f"{module}:{name}".rstrip(":")
        for module, name in named
        if not module.startswith(MADE) and not is_there(module, name)
    ]

    assert named
    assert missing == []


@pytest.mark.parametrize(
    ("module", "name", "expected"),
    [
        ("cli/main", "", True),
        ("engine/steps", "", True),
        ("engine/spec", "Job", True),
        ("engine/spec", "Jobs", False),
        ("engine/gone", "", False),
    ],
)
def test_what_is_not_there_is_found(module: str, name: str, expected: bool) -> None:
    assert is_there(module, name) is expected
