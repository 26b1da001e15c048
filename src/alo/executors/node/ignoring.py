"""Which files are ignored, by lines like those of a ``.gitignore``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    is_folder: bool  # it is of folders alone
    brings_back: bool  # with ``!``


class Ignored:
    """The rules of one file; of those that fit a name the last one counts."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._rules = [rule for line in lines if (rule := _rule(line)) is not None]

    @classmethod
    def of_file(cls, path: Path) -> Ignored:
        """The rules of a file; none where it is not there.

        Raises:
            OSError: it cannot be read.
        """
        try:
            return cls(path.read_text("utf-8", "replace").splitlines())
        except FileNotFoundError:
            return cls(())

    def has(self, name: str, *, is_folder: bool) -> bool:
        """Whether something is ignored.

        Args:
            name: relative, with slashes; the folders that it is in are not ignored.
        """
        for rule in reversed(self._rules):
            if (is_folder or not rule.is_folder) and rule.pattern.fullmatch(name):
                return not rule.brings_back
        return False


def _rule(line: str) -> _Rule | None:
    text = line.rstrip()
    if text.endswith("\\"):  # a space that counts
        text += " "
    if not text or text.startswith("#"):
        return None
    brings_back = text.startswith("!")
    text = text[1:] if brings_back else text
    is_folder = text.endswith("/")
    text = text.rstrip("/")
    is_rooted = "/" in text
    body = _expression(text.lstrip("/"))
    try:
        pattern = re.compile(body if is_rooted else f"(?:.*/)?{body}", re.DOTALL)
    except re.error:  # a range that is none: as git has it, it fits nothing
        return None
    return _Rule(pattern, is_folder, brings_back)


def _expression(text: str) -> str:
    found, at = "", 0
    while at < len(text):
        rest = text[at:]
        if rest.startswith("**/") and (at == 0 or text[at - 1] == "/"):
            found, at = f"{found}(?:.*/)?", at + 3
        elif rest == "**" and at and text[at - 1] == "/":
            found, at = f"{found}.+", at + 2
        elif rest[0] == "*":
            found, at = f"{found}[^/]*", at + 1
        elif rest[0] == "?":
            found, at = f"{found}[^/]", at + 1
        elif rest[0] == "\\" and len(rest) > 1:
            found, at = found + re.escape(rest[1]), at + 2
        elif rest[0] == "[" and (end := rest.find("]", 2)) > 0:
            body = rest[1:end].replace("\\", "\\\\")
            body = f"^{body[1:]}" if body[0] in "!^" else body
            found, at = f"{found}(?!/)[{body}]", at + end + 1
        else:
            found, at = found + re.escape(rest[0]), at + 1
    return found
