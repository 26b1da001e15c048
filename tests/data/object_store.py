"""An S3 server (moto), a bucket in it, and a proxy before it that does harm on demand."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest

from alo.data.remote import faults
from alo.data.remote import object_store as stores

SOMEBODY = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=me/20240101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=unchecked",
    "x-amz-acl": "public-read",
}


class Proxy(ThreadingHTTPServer):
    """Stands between alo and the store; does harm on demand, and remembers what was asked."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, upstream: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), _Relay)
        self.upstream = upstream
        self.asked: list[str] = []  # "GET /bucket/key 0-99"
        self.harm: Callable[[str, int], str] = lambda what, count: ""  # called with its count
        self.headers: dict[str, str] = {}  # that take the place of the client's own
        self.payers: set[str] = set()
        self.unquotes_etags = False  # in listings, as Azure does
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def reads(self) -> list[str]:
        return [
            asked for asked in self.asked if asked.startswith("GET") and "list-type" not in asked
        ]

    def harm_for(self, what: str) -> str:
        with self._lock:
            self.asked.append(what)
            return self.harm(what, self.asked.count(what))

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no news here."""


class _Relay(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def log_message(self, *arguments: object) -> None:
        """Quiet."""

    def relay(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        part = self.headers.get("Range", "").removeprefix("bytes=")
        harm = self.server.harm_for(f"{self.command} {self.path} {part}".strip())
        if payer := self.headers.get("x-amz-request-payer"):
            self.server.payers.add(payer)
        if harm in ("403", "503"):
            self.send_response(int(harm))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        upstream = http.client.HTTPConnection(*self.server.upstream)
        headers = {name.title(): text for name, text in self.headers.items()}
        upstream.request(self.command, self.path, body, {**headers, **self.server.headers})
        answer = upstream.getresponse()
        content = answer.read()
        if self.server.unquotes_etags and b"<ETag>" in content:
            content = content.replace(b"&quot;", b"").replace(b'>"', b">").replace(b'"<', b"<")
        upstream.close()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "content-length", "date"):
                self.send_header(name, value)
        is_head = self.command == "HEAD"
        length = answer.headers["Content-Length"] if is_head else str(len(content))
        if harm == "shorter":  # an honest length of too little
            content = content[: len(content) // 2]
            length = str(len(content))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        if is_head:
            return
        if harm == "slow":
            for start in range(0, len(content), 1 + len(content) // 10):
                self.wfile.write(content[start : start + 1 + len(content) // 10])
                self.wfile.flush()
                time.sleep(0.02)
        elif harm in ("reset", "truncate"):
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            if harm == "reset":
                linger = b"\1\0\0\0\0\0\0\0"
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            self.connection.close()
        else:
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = relay


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def moto() -> Iterator[tuple[str, int]]:
    """An S3 server in a process of its own."""
    port = _free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield ("127.0.0.1", port)
    finally:
        process.kill()
        process.wait()


class Bucket:
    """A new bucket, filled and looked at from behind the proxy's back."""

    def __init__(self, server: tuple[str, int], name: str) -> None:
        self._server, self.name = server, name
        self._ask("PUT", f"/{name}")

    def put(self, key: str, content: bytes, **headers: str) -> None:
        self._ask("PUT", f"/{self.name}/{quote(key)}", content, headers)

    def put_in_parts(self, key: str, parts: Sequence[bytes]) -> None:
        path = f"/{self.name}/{quote(key)}"
        begun = self._ask("POST", f"{path}?uploads").decode()
        upload = begun.partition("<UploadId>")[2].partition("</UploadId>")[0]
        reported = ""
        for number, part in enumerate(parts, 1):
            self._ask("PUT", f"{path}?partNumber={number}&uploadId={upload}", part)
            etag = md5(part, usedforsecurity=False).hexdigest()
            reported += f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
        body = f"<CompleteMultipartUpload>{reported}</CompleteMultipartUpload>".encode()
        self._ask("POST", f"{path}?uploadId={upload}", body)

    def get(self, key: str) -> bytes:
        return self._ask("GET", f"/{self.name}/{quote(key)}")

    def keys(self) -> list[str]:
        listing = self._ask("GET", f"/{self.name}?list-type=2").decode()
        return [part.partition("</Key>")[0] for part in listing.split("<Key>")[1:]]

    def _ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = SOMEBODY
    ) -> bytes:
        connection = http.client.HTTPConnection(*self._server)
        connection.request(method, path, body, {**SOMEBODY, **headers})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        assert answer.status < 400, content
        return content


@pytest.fixture
def bucket(moto: tuple[str, int]) -> Bucket:
    return Bucket(moto, f"b{os.urandom(6).hex()}")


@pytest.fixture
def proxy(
    moto: tuple[str, int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Proxy]:
    """The endpoint as the environment names it; faults are over in no time."""
    server = Proxy(moto)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setitem(stores.RETRIES, "max_retries", 1)
    monkeypatch.setattr(faults, "FIRST_PAUSE_S", 0.001)
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
