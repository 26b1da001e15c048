from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import redis

from alo.errors import UsageError
from alo.serve.redis_queue.url import connect, find_url, whole_url

from ...support.waiting import wait_until
from ..conftest import RedisServer


@pytest.mark.parametrize(
    ("text", "db", "url"),
    [
        ("edge:6379", 2, "redis://edge:6379/2"),
        ("redis://edge:6379", 3, "redis://edge:6379/3"),
        ("redis://edge:6379/1", 3, "redis://edge:6379/1"),
        (
            "rediss://u:p@edge:6379?ssl_cert_reqs=none",
            1,
            "rediss://u:p@edge:6379/1?ssl_cert_reqs=none",
        ),
        ("unix:///run/redis.sock", 2, "unix:///run/redis.sock?db=2"),
        ("redis+sentinel://a:1,b:2/main", 4, "redis+sentinel://a:1,b:2/main/4"),
        ("redis+sentinel://a:1,b:2/main/5", 4, "redis+sentinel://a:1,b:2/main/5"),
    ],
)
def test_places_become_whole_urls(text: str, db: int, url: str) -> None:
    assert whole_url(text, db) == url


@pytest.mark.parametrize("text", ["edge", "http://edge:1", "me:secret@edge", ":6379"])
def test_what_is_no_place_is_refused_without_its_secret(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        whole_url(text)

    assert "secret" not in str(caught.value)


def test_the_option_wins_then_the_environment_then_the_metadata(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pipeline = "pipeline: [{type: inference}]"
    edge = "edgeapp_interface: {redis_server_uri: 'c:3', redis_db_number: 7}"
    system = tmp_path / "metadata.yaml"
    system.write_text(f"{pipeline}\n{edge}\n")
    monkeypatch.setenv("ALO_REDIS_URL", "b:2")

    assert find_url("a:1", str(system)) == "redis://a:1/0"
    assert find_url("", str(system)) == "redis://b:2/0"
    monkeypatch.delenv("ALO_REDIS_URL")
    assert find_url("", str(system)) == "redis://c:3/7"
    with pytest.raises(UsageError, match="nothing says where Redis is"):
        find_url("", "")


def test_clients_come_with_password_user_and_database(redis_server: RedisServer) -> None:
    redis_server.client.acl_setuser(
        "me", enabled=True, passwords=["+p w"], commands=["+@all"], keys=["*"], channels=["*"]
    )

    client = connect(f"redis://me:p%20w@127.0.0.1:{redis_server.port}/3")
    client.set("here", "1")

    assert redis.Redis(port=redis_server.port, db=3).get("here") == b"1"


def answers(ask: Callable[..., object], *args: object) -> bool:
    try:
        return bool(ask(*args))
    except redis.RedisError:
        return False


def test_a_unix_socket_will_do(redis_server: RedisServer, tmp_path: Path) -> None:
    # The path of a socket has at most 107 bytes, and that of a temporary folder may have more.
    folder = TemporaryDirectory(prefix="alo-", dir="/tmp")
    place = Path(folder.name, "redis.sock")
    process = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", str(place), "--save", ""],
        stdout=subprocess.DEVNULL,
        cwd=tmp_path,
    )
    try:
        wait_until(place.exists)
        wait_until(lambda: answers(connect(whole_url(f"unix://{place}", 1)).ping))
    finally:
        process.kill()
        process.wait()
        folder.cleanup()


def test_a_master_is_found_through_sentinel(redis_server: RedisServer, tmp_path: Path) -> None:
    import socket as sockets

    with sockets.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = tmp_path / "sentinel.conf"
    config.write_text(f"port {port}\nsentinel monitor main 127.0.0.1 {redis_server.port} 1\n")
    process = subprocess.Popen(
        ["redis-server", str(config), "--sentinel"], stdout=subprocess.DEVNULL, cwd=tmp_path
    )
    try:
        client = connect(f"redis+sentinel://127.0.0.1:{port}/main/2")
        wait_until(lambda: answers(client.set, "here", "1"))
        assert redis.Redis(port=redis_server.port, db=2).get("here") == b"1"
    finally:
        process.kill()
        process.wait()


def test_tls_will_do(redis_server: RedisServer, tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed here")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    make += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    make += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["redis-server", "--port", "0", "--tls-port", str(port), "--save", ""]
    command += ["--tls-cert-file", str(certificate), "--tls-key-file", str(key)]
    command += ["--tls-auth-clients", "no"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=tmp_path)
    try:
        client = connect(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={certificate}")

        def is_there() -> bool:
            if process.poll() is not None:
                pytest.skip("this redis-server is built without TLS")
            return answers(client.ping)

        wait_until(is_there)
    finally:
        process.kill()
        process.wait()


def test_without_the_extra_the_error_says_what_to_install(
    make_solution: Callable[..., Path], alo: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden/redis.py").write_text("raise ModuleNotFoundError(name='redis')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "hidden")}
    home = make_solution(inference={"inference": ""})

    done = alo("run", "--loop", "--redis", "localhost:1", cwd=home, env=environment)

    assert done.returncode == 2
    assert "pip install 'open-alo[loop]'" in done.stderr


@pytest.mark.parametrize(
    "url", ["redis+sentinel://a:1", "redis+sentinel://a:b/main", "redis://a:b"]
)
def test_a_url_that_makes_no_sense_is_refused_with_the_forms_that_do(url: str) -> None:
    with pytest.raises(UsageError, match="is not where a Redis is") as raised:
        connect(url)

    assert "redis+sentinel://host:port,host:port/master" in raised.value.fix


def test_metadata_that_names_no_redis_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ALO_REDIS_URL", raising=False)
    (tmp_path / "metadata.yaml").write_text("pipeline: [{type: inference}]\n")

    with pytest.raises(UsageError, match="nothing says where Redis is"):
        find_url("", str(tmp_path / "metadata.yaml"))
