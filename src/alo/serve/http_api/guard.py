"""Who may ask a server of ours: nobody's web page (spec 9, and OWASP on DNS rebinding).

A page on any site can have a browser send forms to a loopback address, and a name that its owner
points to 127.0.0.1 makes the answers readable. The first shows in ``Origin`` and
``Sec-Fetch-Site``, the second in ``Host``. The service and the studio have the same rule.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from typing import NamedTuple

LOOPBACK_NAME = "localhost"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
OWN_SITES = ("same-origin", "none")  # none: typed or pasted by a person


class Access(NamedTuple):
    """Who may ask what."""

    token: str = ""  # that clients have to show; empty: none
    hosts: frozenset[str] = frozenset()  # names of the service in addition to those of loopback
    public_docs: bool = False  # whether the description is for those without the token, too


class Proof(Enum):
    """What says who asks."""

    SESSION = "a cookie, which a browser sends by itself"
    TOKEN = "a token, which no page elsewhere has"  # noqa: S105 - none
    NOTHING = "none is wanted: who can connect may ask"


class ForeignAskerError(Exception):
    """A request is of a foreign page, or may be.

    Args:
        limit: what it has not kept, for metrics: ``host`` (421) or ``origin`` (403).
    """

    def __init__(self, status: int, what: str, *, fix: str, limit: str) -> None:
        super().__init__(what)
        self.status, self.what, self.fix, self.limit = status, what, fix, limit


def own_names(host: str, allowed: Iterable[str]) -> frozenset[str]:
    """The names of a server, in addition to those of loopback.

    Args:
        host: what it listens on.
        allowed: each ``--allowed-host``.
    """
    return frozenset(host_name(name.strip().lower()) for name in (host, *allowed))


def check_host(headers: Mapping[str, str], own: Collection[str]) -> None:
    """See that the host that is asked for is ours.

    Args:
        own: as :func:`own_names` gives them.
    Raises:
        ForeignAskerError: 421.
    """
    host = headers.get("host")
    if host is None:
        return  # HTTP/1.0, as of a probe: only a browser can be fooled, and each sends the header
    name = host_name(host)
    if not is_own_host(name, own):
        fix = f"start it with --allowed-host {name or 'NAME'} if that name is its own"
        raise ForeignAskerError(421, f"'{name}' is no name of this server", fix=fix, limit="host")


def check_origin(method: str, headers: Mapping[str, str], proof: Proof) -> None:
    """See that a request is of one of our own pages, or of a script.

    Reading is free where something says who asks: no page of another site can see the answer.

    Raises:
        ForeignAskerError: 403.
    """
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    is_change = method not in SAFE_METHODS
    if not is_change and proof is not Proof.NOTHING:
        return
    if origin is None and site is None:
        if is_change and proof is Proof.SESSION:
            raise _foreign("a page that does not say where it is from")
        return
    if origin is not None and origin.partition("://")[2].lower() != headers.get("host", "").lower():
        raise _foreign(f"a page of {origin or 'nowhere'}")
    if is_change and site is not None and site not in OWN_SITES:  # a link may lead here
        raise _foreign("a page of another site")


def _foreign(who: str) -> ForeignAskerError:
    fix = "use this server's own pages (a proxy passes Host on as it is), or a token and no Origin"
    return ForeignAskerError(403, f"{who} may not ask here", fix=fix, limit="origin")


def host_name(host: str) -> str:
    """The name in a ``Host`` header: it without the port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def is_own_host(name: str, own: Collection[str]) -> bool:
    """Whether a name is one of loopback, or of the server.

    One that listens on all addresses has each: a page can have a name of its own lead here, but an
    address in ``Host`` is the one that the browser was given to connect to.
    """
    name = name.lower().rstrip(".")
    if name in own or name == LOOPBACK_NAME or name.endswith(f".{LOOPBACK_NAME}"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback or any(map(_is_everywhere, own))
    except ValueError:
        return False


def _is_everywhere(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_unspecified
    except ValueError:
        return False
