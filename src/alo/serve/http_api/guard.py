"""Who may ask a service that has no token: nobody's web page (spec 9, and OWASP on DNS rebinding).

A page on any site can have a browser send forms to a loopback address, and a name that its owner
points to 127.0.0.1 makes the answers readable. The first shows in ``Origin`` and
``Sec-Fetch-Site``, the second in ``Host``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping
from typing import NamedTuple

LOOPBACK_NAME = "localhost"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class Access(NamedTuple):
    """Who may ask what."""

    token: str = ""  # that clients have to show; empty: none
    hosts: frozenset[str] = frozenset()  # names of the service in addition to those of loopback
    public_docs: bool = False  # whether the description is for those without the token, too


class HostRefused(Exception):  # noqa: N818
    """The host that is asked for is none of ours (421)."""


class OriginRefused(Exception):  # noqa: N818
    """A page of another site asks (403)."""


def check_asker(method: str, headers: Mapping[str, str], allowed_hosts: Collection[str]) -> None:
    """See that a request is not of a foreign page.

    Args:
        allowed_hosts: names in addition to those of loopback.
    Raises:
        HostRefused: with what to do.
        OriginRefused: with what to do.
    """
    host = headers.get("host", "")
    # Only a browser can be fooled, and every browser sends the header.
    if host and not is_own_host(host_name(host), allowed_hosts):
        raise HostRefused(
            f"'{host_name(host)}' is no name of this service; --allowed-host makes it one"
        )
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2].lower() != host.lower():
        raise OriginRefused(f"a page of {origin} may not ask; set a token for clients elsewhere")
    if method not in SAFE_METHODS and headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise OriginRefused("a page of another site may not ask; set a token for clients elsewhere")


def host_name(host: str) -> str:
    """The name in a ``Host`` header: it without the port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def is_own_host(name: str, allowed_hosts: Collection[str]) -> bool:
    """Whether a name is one of loopback, or allowed."""
    name = name.lower().rstrip(".")
    if name in allowed_hosts or name == LOOPBACK_NAME or name.endswith(f".{LOOPBACK_NAME}"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
