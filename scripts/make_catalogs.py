"""Compile the studio's texts in other languages, and say which texts of the templates they lack."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

UI = Path(__file__).parents[1] / "src/alo/ui"
TEXT = re.compile(r"""_n?\(\s*(?:"([^"]*)"|'([^']*)')""")  # _n: the first of both forms


def main() -> int:
    """Compile; returns the exit status."""
    missing = [f"{path}: {text}" for path in catalogs() for text in untranslated(path)]
    for path in catalogs():
        path.with_suffix(".mo").write_bytes(compiled(path))
    sys.stdout.write("".join(f"{line}\n" for line in missing))
    return 1 if missing else 0


def catalogs() -> list[Path]:
    """The catalog of each language."""
    return sorted(UI.glob("locales/*/LC_MESSAGES/ui.po"))


def compiled(path: Path) -> bytes:
    """A catalog as gettext reads it."""
    with open(path, "rb") as file:
        catalog = read_po(file)
    content = io.BytesIO()
    write_mo(content, catalog)
    return content.getvalue()


def untranslated(path: Path) -> list[str]:
    """The texts of the templates that a catalog does not have."""
    with open(path, "rb") as file:
        known = {_first(message.id) for message in read_po(file) if message.string}
    return sorted(texts() - known)


def _first(text: str | Sequence[str]) -> str:
    """The text; of one with a plural, the form for one."""
    return text if isinstance(text, str) else text[0]


def texts() -> set[str]:
    """All texts of the templates."""
    found = (TEXT.finditer(path.read_text()) for path in UI.glob("templates/**/*.html"))
    return {match[1] or match[2] for each in found for match in each}


if __name__ == "__main__":
    sys.exit(main())
