"""Write the generated pages of ``docs/reference/``; with ``--check`` only tell which are stale."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from reference.command_reference import command_reference
from reference.python_reference import python_reference

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
PAGES: dict[str, Callable[[], str]] = {
    "command-line.md": command_reference,
    "python-api.md": python_reference,
}


def main(words: list[str]) -> int:
    """Returns the exit status: 1 where ``--check`` has found a stale page."""
    stale = []
    for name, make in PAGES.items():
        page, text = REFERENCE / name, make()
        if page.is_file() and page.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in words:
            page.write_text(text, encoding="utf-8")
    verb = "is stale: run scripts/make_reference.py" if "--check" in words else "written"
    for name in stale:
        sys.stdout.write(f"docs/reference/{name} {verb}\n")
    return 1 if stale and "--check" in words else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
