"""What the engine has said, in the language of a page.

Errors and reasons are English where they arise, as commands print them. A page has them in its own
language by the sentences of ``locales/<language>/said.json``: each with places, ``{name}``, which
stand for whatever was said there.
"""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from typing import NamedTuple

from alo.ui.rendering.language import LANGUAGES, LOCALES, translations

PLACE = re.compile(r"\{(\w+)\}")
BETWEEN = re.compile(r"( · |; )")  # sentences that were put together
HEAD = re.compile(r"([\w.@:,/-]+: )(.+)", re.DOTALL)  # what a sentence is about
REMEMBERED = 2000  # texts: a page may have the same one in each of its rows


class Sentence(NamedTuple):
    """One that the engine says, and how a language has it."""

    pattern: re.Pattern[str]
    translated: str
    is_of_name: bool  # whether it begins with a place

    def of(self, text: str) -> str | None:
        """The text in the language; None: it is another sentence."""
        match = self.pattern.fullmatch(text)
        if match is None:
            return None
        values = match.groupdict()
        return PLACE.sub(lambda place: values[place[1]], self.translated)


@lru_cache(REMEMBERED)
def said(language: str, text: str) -> str:
    """A text as a language has it; one that is not known stays as it is."""
    if language == LANGUAGES[0] or not text:
        return text
    exact = translations(language).gettext(text)
    if exact != text:
        return exact
    ways = (_as_sentence, _behind_its_head, _in_parts, _as_sentence_of_a_name)
    return next((found for way in ways if (found := way(language, text))), text)


def _as_sentence(language: str, text: str) -> str | None:
    known = _sentences(language)
    return next((found for each in known if not each.is_of_name and (found := each.of(text))), None)


def _as_sentence_of_a_name(language: str, text: str) -> str | None:
    """One that begins with a place, and so could take in another sentence before it."""
    known = _sentences(language)
    return next((found for each in known if each.is_of_name and (found := each.of(text))), None)


def _behind_its_head(language: str, text: str) -> str | None:
    head = HEAD.fullmatch(text)
    return f"{head[1]}{said(language, head[2])}" if head else None


def _in_parts(language: str, text: str) -> str | None:
    parts = BETWEEN.split(text)
    if len(parts) == 1:
        return None
    known = [part if at % 2 else said(language, part) for at, part in enumerate(parts)]
    return "".join(known) if known != parts else None


@cache
def _sentences(language: str) -> list[Sentence]:
    """Those of a language; what says most in its own words is tried first."""
    known = json.loads((LOCALES / language / "said.json").read_bytes())
    ordered = sorted(known, key=lambda each: -len(PLACE.sub("", each)))
    return [Sentence(pattern_of(each), known[each], each[0] == "{") for each in ordered]


def pattern_of(sentence: str) -> re.Pattern[str]:
    """What finds a sentence whatever is in its places; ``row(s)`` is one row, and several."""
    words = PLACE.split(sentence)  # text, name, text, name, ...
    parts = [f"(?P<{part}>.+?)" if at % 2 else _literal(part) for at, part in enumerate(words)]
    return re.compile("".join(parts), re.DOTALL)


def _literal(words: str) -> str:
    return re.escape(words).replace(r"\(s\)", "s?")
