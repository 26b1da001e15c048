"""What answers at an address is reported within seconds, whatever it is."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from alo.errors import UsageError
from alo.executors.ray.address import Address
from alo.executors.ray.probe import OF_CLIENT, OF_HEAD, check_head, connect_problem, token_of

grpc = pytest.importorskip("grpc")

Head = Callable[..., int]


@pytest.fixture
def start_head() -> Iterator[Head]:
    """Call it with a method and a token; returns the port of a server that asks for the token."""
    servers = []

    def start(method: str, token: str = "") -> int:
        def answer(request: bytes, context: Any) -> bytes:
            reported = dict(context.invocation_metadata()).get("authorization", "")
            if token and reported != f"Bearer {token}":
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "no")
            return b""

        class Methods(grpc.GenericRpcHandler):  # type: ignore[misc]
            def service(self, details: Any) -> Any:
                if details.method == method:
                    return grpc.unary_unary_rpc_method_handler(answer)
                return None

        server = grpc.server(ThreadPoolExecutor(2), handlers=[Methods()])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        servers.append(server)
        return int(port)

    yield start
    for server in servers:
        server.stop(None).wait()


def at(port: int, *, is_client: bool = False) -> Address:
    return Address("127.0.0.1", port, is_client, "--computing ray")


@pytest.mark.parametrize(("method", "is_client"), [(OF_HEAD[0], False), (OF_CLIENT[0], True)])
def test_a_cluster_without_a_token_is_told_from_one_with(
    start_head: Head, method: str, is_client: bool
) -> None:
    open_to_all, guarded = start_head(method), start_head(method, "secret")
    environ = {"RAY_AUTH_TOKEN": "secret"}

    assert not check_head(at(open_to_all, is_client=is_client), environ)
    assert check_head(at(guarded, is_client=is_client), environ)


def test_a_token_that_is_missing_or_wrong_is_told_as_such(start_head: Head, tmp_path: Any) -> None:
    port = start_head(OF_HEAD[0], "secret")
    nowhere = {"RAY_AUTH_TOKEN_PATH": str(tmp_path / "none")}

    with pytest.raises(UsageError, match="asks for a token, and there is none") as missing:
        check_head(at(port), nowhere)
    with pytest.raises(UsageError, match="does not take the token"):
        check_head(at(port), {"RAY_AUTH_TOKEN": "other"})

    assert "RAY_AUTH_TOKEN" in missing.value.fix


def test_the_port_of_the_other_kind_is_told_with_how_to_write_it(start_head: Head) -> None:
    head, client = start_head(OF_HEAD[0]), start_head(OF_CLIENT[0])

    with pytest.raises(UsageError, match="not to ray://"):
        check_head(at(head, is_client=True), {})
    with pytest.raises(UsageError) as caught:
        check_head(at(client), {})

    assert f"--computing ray://127.0.0.1:{client}" in caught.value.fix


def test_a_port_at_which_no_one_listens_is_refused_with_the_ports_of_a_head() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with pytest.raises(UsageError, match=f"no Ray cluster answers at 127.0.0.1:{port}") as caught:
        check_head(at(port), {})

    assert "10001" in caught.value.fix
    assert caught.value.exit_status == 2


def test_a_server_that_says_nothing_or_something_else_is_no_cluster() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(UsageError, match="is no Ray cluster"),
    ):
        check_head(at(silent.getsockname()[1], is_client=True), {})


def test_a_host_without_an_address_is_a_problem_of_its_connection() -> None:
    assert connect_problem("nobody.invalid", 1, 5.0)


def test_the_token_is_found_where_ray_looks_for_it(tmp_path: Any) -> None:
    file = tmp_path / "token"
    file.write_text("of the file\n")

    assert token_of({"RAY_AUTH_TOKEN": "of the variable"}) == "of the variable"
    assert token_of({"RAY_AUTH_TOKEN_PATH": str(file)}) == "of the file"
    assert token_of({"RAY_AUTH_TOKEN_PATH": str(tmp_path / "none")}) == ""
