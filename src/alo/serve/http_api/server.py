"""The life of ``alo serve``: prepare, boot the workers, listen, serve until a signal."""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING

from alo.engine.request import RunRequest
from alo.engine.run import OneAtATime
from alo.errors import ServeError, UsageError
from alo.events.types import Listener, SettingUp
from alo.processes.signals import handled_by
from alo.serve.http_api.guard import Access
from alo.serve.http_api.limits import Limits, most_connections
from alo.serve.service import prepare

if TYPE_CHECKING:
    import uvicorn

OPEN, DEFAULT_LIMITS = Access(), Limits()
LOOPBACK = ("127.0.0.1", "::1", "localhost")
CONNECTIONS = 2048  # that may wait to be accepted
ACCEPTS = 16  # at once, so that those that give way have done so before descriptors run out
GRACE_S = 3  # for answers to go out, once the requests in hand are done


def serve_http(
    request: RunRequest,
    host: str,
    port: int,
    listener: Listener,
    *,
    access: Access = OPEN,
    limits: Limits = DEFAULT_LIMITS,
    queue_url: str = "",
    alarm_secret: str = "",
) -> None:
    """Serve until a signal.

    Args:
        access: another address than loopback needs a token.
        queue_url: of a Redis whose loops do the work; empty: workers of our own.
        alarm_secret: that signs what the URL of the plan's alarm is sent.
    Raises:
        UsageError: the address needs a token, or the extra is not installed.
        ServeError: the pipeline cannot be warmed up, or the port is taken.
    """
    if host not in LOOPBACK and not access.token:
        raise UsageError(
            f"{host} can be reached from other machines, so clients need a token",
            fix="give one with --token or ALO_TOKEN, or serve on 127.0.0.1",
        )
    try:
        import uvicorn

        from alo.serve.http_api.app import Application
        from alo.serve.http_api.protocol import CarefulServer, make_protocol
        from alo.serve.http_api.service import HttpService
    except ModuleNotFoundError as error:
        raise UsageError(
            f"serving over HTTP needs {error.name}, which is not installed here",
            fix="pip install 'open-alo[serve]'",
        ) from error
    # A form that is none is refused and counted; a line for each would let clients fill the log.
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
    listener = OneAtATime(listener)
    listening = _open(host, port)
    service = prepare(request, "serve", listener, has_workers=not queue_url)
    try:
        limits = limits._replace(connections=most_connections(limits.connections))
        served = HttpService(service, limits, queue_url, listener, alarm_secret)
        config = uvicorn.Config(
            Application(served, access),
            http=make_protocol(limits, served.metrics.count_refusal),
            loop="asyncio",
            log_config=None,
            access_log=False,
            proxy_headers=False,  # nothing depends on who the client is
            backlog=ACCEPTS,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
            lifespan="off",
        )
        served.start()
        try:
            server = CarefulServer(
                config,
                CONNECTIONS,
                served.metrics.count_refusal,
                served.pool.end_soon,
                lambda: served.pool.is_drained,
                listener,
            )
            url = _url_of(host, listening)
            listening.listen(CONNECTIONS)  # whoever reads the next line may connect
            served.listens_at(url, wants_token=bool(access.token))
            listener(SettingUp(f"serving at {url}, described at {url}/docs"))
            _serve(server, listening)
        finally:
            served.stop()
    finally:
        listening.close()
        service.folder.remove()


def _serve(server: uvicorn.Server, listening: socket.socket) -> None:
    # uvicorn takes some of them, and raises those once more when it has ended; there is still
    # something to put in order.
    with handled_by(server.handle_exit):
        server.run(sockets=[listening])


def _open(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio sends answers at once (TCP_NODELAY).
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise ServeError(
            f"the address {host}:{port} cannot be served on: {reason}",
            fix="name another with --host and --port; --port 0 takes a free one",
        ) from error
    return listening


def _url_of(host: str, listening: socket.socket) -> str:
    port: int = listening.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
