"""The messages that the page quotes are those that ALO prints."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/guides/troubleshooting.md").read_text(encoding="utf-8")
OF_THE_SYSTEM = ("No space left on device",)
# What is quoted in the first column of a table, and is more than a word of ours.
QUOTED = [
    text
    for row in re.findall(r"^\| (.*?) \|", PAGE, re.M)
    for text in re.findall(r"`([^`]+ [^`]+)`", row)
    if not text.startswith("alo ")
]


def texts() -> Iterator[str]:
    """All texts of the sources; what is put into one is an ellipsis."""
    for module in ROOT.glob("src/alo*/**/*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (
                    each.value if isinstance(each, ast.Constant) else "…" for each in node.values
                )
                yield "".join(map(str, parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


@pytest.fixture(scope="module")
def sources() -> str:
    return "\n".join(texts())


def test_messages_are_quoted() -> None:
    assert len(QUOTED) > 12


@pytest.mark.parametrize("message", [text for text in QUOTED if text not in OF_THE_SYSTEM])
def test_a_message_that_is_quoted_is_in_the_sources(message: str, sources: str) -> None:
    pattern = re.escape(message).replace("…", "[^\n]*?")

    assert re.search(pattern, sources)
