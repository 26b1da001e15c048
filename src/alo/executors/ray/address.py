"""Which cluster runs go to, by ``--computing`` and ``RAY_ADDRESS``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from alo.errors import UsageError

RAY = "ray"
SCHEME = "ray://"
VARIABLE = "RAY_ADDRESS"
LOCAL, AUTO = "local", "auto"  # as Ray reads them: a cluster of our own, and the one that runs here
CLIENT_PORT = 10001  # of ray://, where none is named


@dataclass(frozen=True, slots=True)
class Address:
    """Where a cluster's head is."""

    host: str = ""  # empty: a cluster of our own
    port: int = 0
    is_client: bool = False  # ray://: from outside of the cluster
    named_by: str = ""  # how it was said, for errors

    @property
    def is_own(self) -> bool:
        """Whether there is no cluster yet."""
        return not self.host

    @property
    def target(self) -> str:
        """Host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def text(self) -> str:
        """As Ray takes it."""
        return f"{SCHEME}{self.target}" if self.is_client else self.target


def is_ray(name: str) -> bool:
    """Whether ``--computing`` names a Ray cluster."""
    return name == RAY or name.startswith(SCHEME)


def address_of(name: str, environ: Mapping[str, str]) -> Address:
    """The address of the cluster.

    Args:
        name: ``ray`` or ``ray://HOST:PORT``.
        environ: says with ``RAY_ADDRESS`` where ``ray`` is.
    Raises:
        UsageError: it is no address.
    """
    if name != RAY:
        return _parsed(name, f"--computing {name}")
    said = environ.get(VARIABLE, "").strip()
    if said in ("", LOCAL):
        return Address()
    return _parsed(said, f"{VARIABLE}={said}")


def _parsed(said: str, named_by: str) -> Address:
    is_client = said.startswith(SCHEME)
    if said == AUTO:
        said = _running_here(named_by)
    try:
        parts = urlsplit(said if is_client else f"//{said}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if is_client and port is None:
        port = CLIENT_PORT
    if not host or not port:
        raise UsageError(
            f"{named_by}: it is no address of a Ray cluster",
            fix=f"write ray://HOST:PORT (the port of ray:// is {CLIENT_PORT} where the head names "
            "no other), or HOST:PORT in RAY_ADDRESS on a machine of the cluster",
        )
    return Address(host, port, is_client, named_by)


def _running_here(named_by: str) -> str:
    """What ``ray start`` has noted on this machine."""
    try:
        with open("/tmp/ray/ray_current_cluster", encoding="utf-8") as file:  # noqa: S108 - Ray's
            return file.read().strip()
    except OSError as error:
        raise UsageError(
            f"{named_by}: no Ray cluster was started on this machine",
            fix="name its head: HOST:PORT, or ray://HOST:PORT",
        ) from error
