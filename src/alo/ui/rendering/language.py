"""The languages of the pages: English, in which they are written, and Korean.

The catalogs are made from ``locales/`` by ``scripts/make_catalogs.py``.
"""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "ko")
LOCALES = Path(__file__).parents[1] / "locales"


@cache
def translations(language: str) -> gettext.NullTranslations:
    """The catalog of a language."""
    return gettext.translation("ui", LOCALES, [language], fallback=True)


def wanted_language(header: str) -> str:
    """The first language of ours in an ``Accept-Language`` header (RFC 9110, 12.5.4)."""
    found: list[tuple[float, int, str]] = []
    for at, part in enumerate(header[:1000].split(",")):
        name, _, parameter = part.strip().partition(";")
        language = name.strip().lower().partition("-")[0]
        if language in LANGUAGES:
            found.append((-_weight(parameter), at, language))
    return min(found)[2] if found else LANGUAGES[0]


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


def word(language: str, text: object) -> str:
    """A word that is a value, such as a status; one that is not ours stays as it is.

    Templates translate their own texts with ``_``, which takes them for HTML and for a format: of
    what comes from a run neither may be believed.
    """
    return translations(language).gettext(str(text)) if text else ""
