"""Asks a cluster's head who it is, before Ray is: Ray waits for minutes where no one answers.

A head speaks gRPC, and asks for a token or does not; what it says to one question shows all of it.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alo.errors import UsageError
from alo.executors.ray.address import CLIENT_PORT, Address

CONNECT_S = 6.0  # name and connection
ANSWER_S = 3.0
HEAD_PORT = 6379
# (method, request): a cluster's id, and a ping, which no one's state changes
OF_HEAD = ("/ray.rpc.NodeInfoGcsService/GetClusterId", b"")
OF_CLIENT = ("/ray.rpc.RayletDriver/ClusterInfo", b"\x08\x06")
REFUSED, UNKNOWN = "unauthenticated", "unimplemented"  # statuses of gRPC
MODE, TOKEN, TOKEN_FILE = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
ITS_TOKEN = (
    f"set {TOKEN} to the cluster's token, or {TOKEN_FILE} to the file that holds it "
    "(~/.ray/auth_token by itself)"
)


def check_head(address: Address, environ: Mapping[str, str]) -> bool:
    """See that a Ray cluster answers at an address, and takes our token; whether it asks for one.

    Raises:
        UsageError: no one does, or it is another kind of server, or the token is missing or wrong.
    """
    if problem := connect_problem(address.host, address.port, CONNECT_S):
        raise UsageError(
            f"no Ray cluster answers at {address.target}: {problem}",
            where=address.named_by,
            fix="see that its head runs there (ray start --head): ray:// has the port "
            f"{CLIENT_PORT}, RAY_ADDRESS=HOST:PORT the port {HEAD_PORT}, where the head names no "
            "other",
        )
    if _ask(address, address.is_client, "") != REFUSED:
        return False
    token = token_of(environ)
    if not token:
        raise UsageError(
            f"the Ray cluster at {address.target} asks for a token, and there is none here",
            where=address.named_by,
            fix=ITS_TOKEN,
        )
    if _ask(address, address.is_client, token) == REFUSED:
        raise UsageError(
            f"the Ray cluster at {address.target} does not take the token that is here",
            where=address.named_by,
            fix=ITS_TOKEN,
        )
    return True


def connect_problem(host: str, port: int, wait_s: float) -> str:
    """Why there is no connection to a port; empty where there is.

    The name of the host is looked up, too, which no socket has a timeout for.
    """
    found: list[str] = []

    def connect() -> None:
        try:
            socket.create_connection((host, port), wait_s).close()
            found.append("")
        except OSError as error:
            found.append(error.strerror or str(error))

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(wait_s)
    return found[0] if found else f"no answer within {wait_s:g} s"


def token_of(environ: Mapping[str, str]) -> str:
    """The token that Ray would use; empty: there is none."""
    if token := environ.get(TOKEN, "").strip():
        return token
    path = Path(environ.get(TOKEN_FILE) or "~/.ray/auth_token")
    try:
        return path.expanduser().read_text("utf-8").strip()
    except (OSError, ValueError, RuntimeError):
        return ""


def _ask(address: Address, is_client: bool, token: str) -> str:
    """The status with which the head answers.

    Raises:
        UsageError: it is no head, or one of the other kind.
    """
    status, details = _status(address.target, *(OF_CLIENT if is_client else OF_HEAD), token)
    if status == UNKNOWN:
        other, _ = _status(address.target, *(OF_HEAD if is_client else OF_CLIENT), token)
        if other != UNKNOWN:
            raise UsageError(
                f"the head of a Ray cluster answers at {address.target}, "
                + ("but not to ray://" if is_client else "for ray:// only"),
                where=address.named_by,
                fix=f"take the port of ray:// ({CLIENT_PORT} where the head names no other)"
                if is_client
                else f"write --computing ray://{address.target}",
            )
    if status in (UNKNOWN, "unavailable", "deadline exceeded"):
        raise UsageError(
            f"what answers at {address.target} is no Ray cluster: {details or status}",
            where=address.named_by,
            fix=f"see to the port: ray:// has {CLIENT_PORT}, RAY_ADDRESS=HOST:PORT {HEAD_PORT}, "
            "where the head names no other",
        )
    return status


def _status(target: str, method: str, request: bytes, token: str) -> tuple[str, str]:
    import grpc

    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    options: list[tuple[str, Any]] = [("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(target, options=options) as channel:
        try:
            channel.unary_unary(method)(request, timeout=ANSWER_S, metadata=metadata)
        except grpc.RpcError as error:
            return error.code().name.lower().replace("_", " "), str(error.details() or "")[:200]
    return "ok", ""
