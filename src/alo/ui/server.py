"""The life of ``alo ui``: check, open the database, listen, serve until a signal."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from alo.database.opening import open_database
from alo.errors import UsageError
from alo.events.types import Listener
from alo.layout import Workspace
from alo.processes.signals import handled_by
from alo.ui.settings import Settings

if TYPE_CHECKING:
    import uvicorn


LOOPBACK = ("127.0.0.1", "::1", "localhost")
GRACE_S = 2  # for answers to go out; streams are cut then
KEEP_ALIVE_S = 30
CONNECTIONS = 1000  # open at once; the one that has waited longest for a request gives way
WAITING = 512  # that may wait to be accepted
ACCEPTS = 16  # at once
EXTRA = "pip install 'open-alo[ui]'"


class Started(NamedTuple):
    """A studio that listens."""

    url: str  # with what signs the owner in
    port: int
    pid: int


def serve_studio(
    workspace: Workspace,
    settings: Settings,
    listener: Listener,
    on_start: Callable[[Started], object],
) -> None:
    """Serve a project's studio until a signal.

    Args:
        on_start: called once it listens.
    Raises:
        UsageError: it cannot be served so: the address needs users, the port is taken, the
            database cannot be used, or the extra is not installed.
    """
    try:
        import uvicorn

        from alo.serve.http_api.limits import Limits, most_connections
        from alo.serve.http_api.protocol import CarefulServer, make_protocol
        from alo.ui.access.people import People
        from alo.ui.access.sign_in import SignIn
        from alo.ui.app import Application
        from alo.ui.studio import Studio
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the studio needs {error.name}, which is not installed here", fix=EXTRA
        ) from error
    is_loopback = settings.host in LOOPBACK
    if not settings.needs_sign_in and not is_loopback:
        raise UsageError(
            f"{settings.host} can be reached from other machines, so people have to sign in",
            fix="leave --no-sign-in out, or serve on 127.0.0.1",
        )
    database = open_database(workspace, settings.database_url)
    people = People(database)
    studio = Studio(workspace, database, settings, SignIn(people, settings.token))
    try:
        if not is_loopback and not settings.token and people.is_empty:
            raise UsageError(
                f"{settings.host} can be reached from other machines, and nobody may sign in yet",
                fix="alo ui users add NAME, or a token: --token or ALO_UI_TOKEN",
            )
        listening = _listen(settings)
        with listening:
            limits = Limits(connections=most_connections(CONNECTIONS))
            config = uvicorn.Config(
                Application(studio, listener),
                http=make_protocol(limits, _not_counted),
                loop="asyncio",
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="off",
                timeout_graceful_shutdown=GRACE_S,
                timeout_keep_alive=KEEP_ALIVE_S,
                backlog=ACCEPTS,
                proxy_headers=False,  # nothing depends on who the client is
            )
            server = CarefulServer(
                config, WAITING, _not_counted, lambda: None, lambda: True, listener
            )
            with studio.jobs.dispatching(listener):
                port: int = listening.getsockname()[1]
                on_start(Started(_url(settings, studio.sign_in.token, port), port, os.getpid()))
                _serve(server, listening)
    finally:
        studio.close()


def _not_counted(status: int, limit: str) -> None:
    """A refusal before there is a request: the client gets an answer, and nobody counts it."""


def _serve(server: uvicorn.Server, listening: socket.socket) -> None:
    # uvicorn raises the signals that have ended it once more: they have been heard.
    with handled_by(server.handle_exit):
        server.run(sockets=[listening])


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
        listening.listen(WAITING)
    except (OSError, OverflowError) as error:
        listening.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"the address {settings.host}:{settings.port} cannot be used: {reason}",
            fix="name another with --host and --port; --port 0 takes a free one",
        ) from error
    return listening


def _url(settings: Settings, token: str, port: int) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    query = f"?token={token}" if settings.needs_sign_in else ""
    return f"http://{host}:{port}{settings.base_path}/{query}"
