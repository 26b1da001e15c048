"""Text without the passwords and tokens of the URLs that it holds: for messages, logs and notes.

Whatever comes from a plan, from git, from an installer or from a server may hold such a URL
anywhere, so this works on whole texts. Where it is not sure it leaves out too much.
"""

from __future__ import annotations

import re
from functools import lru_cache

# What ends a URL in a text; other marks may be part of a password.
_END = r"\s\"<>`"
# After a #: what a server has signed a client in with; other fragments are worth showing.
_IN_FRAGMENT = r"[\w.-]*(?:token|signature|password|secret|key)|sig|auth|code"
# In a connection string of Azure's, which is no URL
_IN_STRING = r"AccountKey|SharedAccessKey|SharedAccessSignature"


@lru_cache(maxsize=1)
def _rules() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Patterns and what to put in their place, in this order; most processes never need them."""
    return tuple(
        (re.compile(pattern, re.IGNORECASE), instead)
        for pattern, instead in (
            # The user name of ssh is none of the secrets, and says which account to look at.
            (rf"((?:\w+\+)?ssh://[^{_END}/?#:@]+):[^{_END}/?#]*@", r"\1@"),
            (rf"(?<!ssh)(://)[^{_END}/?#]*@", r"\1"),
            # A password with a / or ? in it that should have been written as %2F: no port follows.
            (rf"(://)[^{_END}/?#:@\[]*:(?!\d*(?:[/?#{_END}',;)\]]|$))[^{_END}]*@", r"\1"),
            # A token with a ? in it, for a host with no path
            (rf"(://)[^{_END}/?#@]*\?[^{_END}]*@", r"\1"),
            # All of a query: a token may be called anything.
            (rf"(://[^{_END}?#]*)\?[^{_END}#]*?(?=['\)\],.;:]*(?:[{_END}#]|$))", r"\1"),
            (rf"([#&](?:{_IN_FRAGMENT}))=[^&{_END}]*", r"\1="),
            (rf"\b({_IN_STRING})=[^;{_END}]*", r"\1="),
            # Without a scheme, or with a slash too few.
            (
                rf"(?<!\w)([^{_END}/:@'(\[]{{1,200}}):(?!//)[^{_END}/@]{{1,500}}@(?=[\w\[])",
                r"\1@",
            ),
        )
    )


def masked(text: str) -> str:
    """The text, and in it no user and password (``https://user:password@``) and no query of a URL.

    The user of ssh stays. What holds no URL comes back as it is.
    """
    if "@" not in text and "?" not in text and "=" not in text:
        return text
    for pattern, instead in _rules():
        text = pattern.sub(instead, text)
    return text
