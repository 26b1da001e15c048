"""The templates as they are compiled: once for each language, with its texts in their places.

A text of a template is known before there is a page, so looking it up for each page would be for
nothing: ``_("Runs")`` becomes the text of the language while the template is read.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from functools import cache, lru_cache, partial
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from markupsafe import Markup

from alo.loop.traces.known import NO_RUN
from alo.ui.rendering import shown
from alo.ui.rendering.language import translations, word
from alo.ui.rendering.said import said as sentence

CALL = ("name", "lparen", "string", "rparen")  # the tokens of _("Runs")
DRAWINGS = 64  # that are kept as they were drawn


@cache
def environment(language: str) -> Environment:
    """What makes pages of a language."""
    translate = translations(language).gettext

    def counted(one: str, more: str, count: int, **values: object) -> str:
        return translations(language).ngettext(one, more, count) % {"count": f"{count:,}", **values}

    def text(message: str, **values: object) -> str:
        return translate(message) % values

    said = partial(word, language)
    state = shown.states(said)
    made = Environment(
        loader=PackageLoader("alo.ui", "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[_with_texts(translate)],
    )
    made.globals |= {"_": text, "_n": counted}
    made.tests["run_id"] = lambda run: run not in NO_RUN  # no word for a model that no run has made
    made.filters.update(
        shell=shlex.join,  # a command as one can paste it
        part=lambda text: quote(os.fsencode(str(text)), safe=""),
        path=lambda text: quote(os.fsencode(str(text))),  # also of a name that is no UTF-8
        word=said,
        said=lambda text: sentence(language, str(text or "")),
        query=lambda pairs: urlencode(pairs, doseq=True, errors="surrogateescape"),
        duration=shown.duration,
        number=shown.number,
        percent=shown.percent,
        size=shown.size,
        moment=shown.moment,
        short=shown.short,
        arg=shown.arg,
        state=state,
        cells=shown.cells(state, said),
    )
    return made


@lru_cache(DRAWINGS)
def drawn(name: str, language: str, base_path: str, drawing: object) -> Markup:
    """A drawing as a template shows it, which is the same as long as what it shows is.

    Args:
        drawing: with all that it shows; it is what the template calls by its own name.
    """
    template = environment(language).get_template(f"{name}.html")
    called = name.rpartition("/")[2]
    return Markup(template.render({called: drawing, "base_path": base_path}))  # noqa: S704 - of ours


def _with_texts(translate: Callable[[str], str]) -> type[Extension]:
    """An extension that puts the texts of a language where a template names them."""

    class Texts(Extension):
        """Reads each template as if it had been written in the language."""

        def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
            """The tokens of a template, ``_("Runs")`` being one text."""
            seen: list[Token] = []
            for token in stream:
                seen.append(token)
                if _is_call(seen):
                    yield Token(seen[0].lineno, "string", translate(seen[2].value))
                    seen.clear()
                while seen and not _may_be_call(seen):
                    yield seen.pop(0)
            yield from seen

    return Texts


def _is_call(tokens: list[Token]) -> bool:
    return len(tokens) == len(CALL) and _may_be_call(tokens)


def _may_be_call(tokens: list[Token]) -> bool:
    """Whether these tokens may be the first of a call that names its text."""
    kinds = tuple(token.type for token in tokens)
    return kinds == CALL[: len(kinds)] and tokens[0].value == "_"
