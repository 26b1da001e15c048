"""What a module's text imports, wherever in it: quickly, and rather too much than too little.

Here: a search of the text for statements that look like imports. Not here: what the check before a
run wants to know of an asset's imports, line by line (``imports.py``).
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from alo.named_tuples import NamedTuple


class Import(NamedTuple):
    """``from ..package.module import name, other``."""

    module: str  # with dots between its parts; empty for ``from . import``
    level: int  # dots before it
    names: tuple[str, ...]  # which may be modules themselves


def imports_in(source: bytes) -> Iterator[Import]:
    """Every import that is in a source, be it in a function, a branch or a text."""
    for lines in _lines_with_imports(source.replace(b"\\\n", b" ")):
        text = lines.decode("utf-8", "replace")
        if plain := _plain(text):
            yield from plain
            continue
        for found in _statements().finditer(text):
            base, names, modules, called = found.groups()
            if base is not None:
                module = base.lstrip(".")
                names = tuple(re.findall(r"\w+", names))
                yield Import(module, len(base) - len(module), names)
            elif modules is not None:
                for each in modules.split(","):
                    words = each.split()
                    yield Import(words[0] if words else "", 0, ())
            else:
                yield Import(called, 0, ())


def _plain(text: str) -> list[Import]:
    """What a line imports that is one plain statement, as most are; nothing of any other.

    For assets that have no others the pattern, which takes a millisecond to make, is not made.
    """
    first, *words = text.replace(",", " , ").split()
    if not text.isascii() or not all(map(_is_plain_word, words)):
        return []
    if first == "from" and words[1:2] == ["import"]:
        base, names = words[0], tuple(word for word in words[2:] if word != ",")
        module = base.lstrip(".")
        return [Import(module, len(base) - len(module), names)] if "." not in "".join(names) else []
    if first != "import":
        return []
    parts = [part.split() for part in " ".join(words).split(",")]
    return [Import(part[0], 0, ()) for part in parts] if all(parts) else []


def _is_plain_word(word: str) -> bool:
    return word == "," or word.replace(".", "_").isidentifier()


def _lines_with_imports(source: bytes) -> Iterator[bytes]:
    """Pieces of the source, each a line or a statement in brackets; a pattern would take long."""
    source, end = source + b"\n", 0
    while (word := source.find(b"import", end)) >= 0:
        begin = source.rfind(b"\n", 0, word) + 1
        end = source.index(b"\n", word)
        if source.rfind(b"(", word, end) > source.rfind(b")", word, end):
            end = max(end, source.find(b")", end) + 1)
        yield source[begin:end]


@lru_cache(maxsize=1)
def _statements() -> re.Pattern[str]:
    begin = r"(?:^|[;:])[ \t]*"
    statement = r"from\b[ \t]*([.\w]+)[ \t]*\bimport\b[ \t]*(\([^)]*\)|[^\n#;]*)"
    called = r"\b(?:import_module|__import__)\(\s*[\"']([\w.]+)[\"']"
    return re.compile(rf"{begin}(?:{statement}|import\b[ \t]+([^\n#;]+))|{called}", re.MULTILINE)
