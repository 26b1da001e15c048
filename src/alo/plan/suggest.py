"""Near misses and short quotations, for messages about what someone typed."""

from __future__ import annotations

from collections.abc import Iterable

from alo.masking import masked

MAX_WORD = 80  # nobody mistypes a longer one, and comparing takes quadratic time
MAX_QUOTE = 60
MAX_LISTED = 20


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like ``word``, or an empty text."""
    if len(word) > MAX_WORD:
        return ""
    import difflib  # 9 ms, and needed only for mistakes

    by_form = {_plain_form(name): name for name in known}
    close = difflib.get_close_matches(_plain_form(word), by_form, n=1, cutoff=0.6)
    return by_form[close[0]] if close else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """What to try instead: ``did you mean 'train'?``, or the list of what there is."""
    names = list(known)
    near = nearest(word, names)
    if near:
        return f"did you mean '{near}'?"
    return f"there is {listed(names)}" if names else "there is none"


def listed(names: Iterable[str]) -> str:
    """``a, b, c``, cut where it gets long."""
    every = list(names)
    shown = ", ".join(every[:MAX_LISTED])
    return f"{shown} and {len(every) - MAX_LISTED} more" if len(every) > MAX_LISTED else shown


def quoted(text: str) -> str:
    """``'text'`` on one line, cut where it gets long, without passwords in URLs."""
    text = masked(text)  # a password in a URL that is cut could no longer be found
    shown = text if len(text) <= MAX_QUOTE else f"{text[: MAX_QUOTE - 3]}..."
    return f"'{shown}'" if shown.isprintable() else repr(shown)


def _plain_form(word: str) -> str:
    return word.casefold().replace("-", "_").replace(" ", "_")
