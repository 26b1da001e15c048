"""Which pages and hosts may ask (OWASP on cross-site requests and DNS rebinding).

A page elsewhere can have a browser send forms here; that shows in ``Origin`` and
``Sec-Fetch-Site``. A name that its owner points to 127.0.0.1 shows in ``Host``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from alo.serve.http_api.guard import SAFE_METHODS, host_name, is_own_host
from alo.ui.problems import UiProblem

OWN_SITES = ("same-origin", "none")  # none: typed or pasted by a person


def check_host(headers: Mapping[str, str], allowed: Collection[str]) -> None:
    """See that the host asked for is ours.

    Raises:
        UiProblem: 421.
    """
    name = host_name(headers.get("host", ""))
    if not is_own_host(name, allowed):
        raise UiProblem(
            421,
            f"'{name}' is no name of this server",
            fix="alo ui --allowed-host NAME makes it one",
        )


def check_origin(method: str, headers: Mapping[str, str], *, has_session: bool) -> None:
    """See that a change is asked for by one of our own pages, or by a script with a token.

    Args:
        has_session: whether a cookie says who asks, which a browser sends by itself.
    Raises:
        UiProblem: 403.
    """
    if method in SAFE_METHODS:
        return
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin is None and site is None:
        if has_session:
            raise _foreign("a page that does not say where it is from")
        return
    if origin is not None and origin.partition("://")[2].lower() != headers.get("host", "").lower():
        raise _foreign(f"a page of {origin}")
    if site is not None and site not in OWN_SITES:
        raise _foreign("a page of another site")


def _foreign(who: str) -> UiProblem:
    return UiProblem(403, f"{who} may change nothing here", fix="use the studio's own pages")
