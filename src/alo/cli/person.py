"""Who works at the command line, or has a command run by the studio."""

from __future__ import annotations

from contextlib import suppress

from alo.cli.withheld import take
from alo.ui.settings import PERSON_VARIABLE


def person() -> str:
    """User and host, what is not known left out; of a job of the studio, who has asked for it."""
    import getpass
    import socket

    if asked_by := take(PERSON_VARIABLE):
        return asked_by
    with suppress(KeyError, OSError):
        return f"{getpass.getuser()}@{socket.gethostname()}"
    return socket.gethostname()
