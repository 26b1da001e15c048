"""Who works at the command line."""

from __future__ import annotations

from contextlib import suppress


def person() -> str:
    """User and host; what is not known is left out."""
    import getpass
    import socket

    with suppress(KeyError, OSError):
        return f"{getpass.getuser()}@{socket.gethostname()}"
    return socket.gethostname()
