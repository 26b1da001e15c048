"""Files behind HTTP, from servers that leave out or get wrong what servers in the wild do."""

from __future__ import annotations

import ssl
import sys
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from alo.data.location import LocationError
from alo.data.models import check_model_source, fetch_models
from alo.data.remote import faults
from alo.layout import Workspace

from ..wild_server import (
    DATE,
    RESET,
    Asked,
    Piece,
    WildServer,
    file_of,
    whole,
)
from .conftest import BODY, Serve, StageUrl, staged_in

pytestmark = pytest.mark.usefixtures("impatience")


@pytest.mark.parametrize("status", ["403 Forbidden", "404 Not Found", "405 No", "501 No", "200 OK"])
def test_a_server_is_asked_by_get_alone(
    workspace: Workspace, serve: Serve, stage_url: StageUrl, status: str
) -> None:
    server = serve(file_of(BODY, Last_Modified=DATE))
    server.other_methods = status

    stage_url(f"{server.url}/x.csv")

    assert staged_in(workspace) == {"x.csv": BODY}
    assert {asked.method for asked in server.asked} == {"GET"}


# Large files


# Connections that are cut


# Busy servers


# Redirects


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("is_relative", [True, False])
def test_redirects_are_followed_and_the_file_keeps_the_name_of_the_plan(
    workspace: Workspace, serve: Serve, stage_url: StageUrl, code: int, is_relative: bool
) -> None:
    other = serve(file_of(BODY, Last_Modified=DATE))

    def answer(asked: Asked) -> list[Piece]:
        if asked.path == "/there/y":
            return file_of(BODY, Last_Modified=DATE)(asked)
        to = "there/y" if is_relative else f"{other.url}/y"
        return whole(b"", f"{code} Moved", Location=to)

    server = serve(answer)

    stage_url(f"{server.url}/x.csv")

    assert staged_in(workspace) == {"x.csv": BODY}


def test_a_password_goes_to_its_own_server_only(serve: Serve, stage_url: StageUrl) -> None:
    other = serve(file_of(BODY))

    def answer(asked: Asked) -> list[Piece]:
        to = "/y" if asked.path == "/x" else f"http://localhost:{other.server_address[1]}/z"
        return whole(b"", "302 Found", Location=to)

    server = serve(answer)

    stage_url(server.url.replace("//", "//me:p%40ss@") + "/x")

    login = "Basic " + b64encode(b"me:p@ss").decode()
    assert {asked.headers.get("authorization") for asked in server.asked} == {login}
    assert {asked.headers.get("authorization") for asked in other.asked} == {None}
    assert "@" not in server.asked[0].headers["host"]


@pytest.mark.parametrize(
    ("to", "reported"),
    [
        ("/x.csv", "on and on"),
        ("file:///etc/passwd", "on and on, or to nowhere|not allowed"),
        ("ftp://127.0.0.1/x", "on and on, or to nowhere|no answer|not allowed"),
        (None, "to nowhere"),
    ],
)
def test_redirects_without_an_end_or_out_of_the_web_are_refused(
    workspace: Workspace, serve: Serve, stage_url: StageUrl, to: str | None, reported: str
) -> None:
    server = serve(lambda asked: whole(b"", "302 Found", Location=to))

    with pytest.raises(LocationError, match=reported):
        stage_url(f"{server.url}/x.csv")

    assert staged_in(workspace) == {}
    assert len(server.asked) < 20


def test_a_server_that_wants_its_cookie_back_gets_it(
    workspace: Workspace, serve: Serve, stage_url: StageUrl
) -> None:
    def answer(asked: Asked) -> list[Piece]:
        if "cookie" in asked.headers:
            return file_of(BODY)(asked)
        return whole(b"", "302 Found", Location=asked.path, Set_Cookie="seen=1")

    stage_url(f"{serve(answer).url}/x.csv")

    assert staged_in(workspace) == {"x.csv": BODY}


# Encodings


# Names


def test_what_is_asked_for_is_what_the_plan_has_written(serve: Serve, stage_url: StageUrl) -> None:
    server = serve(file_of(BODY))

    stage_url(f"{server.url}/a b/%2F/한?q=a%20b&c=d+e&sig=x%3D%3D/y=")

    assert server.asked[0].path == "/a%20b/%2F/%ED%95%9C?q=a%20b&c=d+e&sig=x%3D%3D/y="


# What is no file


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", None])
@pytest.mark.parametrize(
    "page", [b"<!DOCTYPE html><p>", b"\xef\xbb\xbf\n <html>", b"<HTML lang=ko>"]
)
def test_a_page_in_place_of_a_file_is_refused(
    workspace: Workspace, serve: Serve, stage_url: StageUrl, kind: str | None, page: bytes
) -> None:
    server = serve(lambda asked: whole(page, Content_Type=kind))

    for name in ("x.csv", "data/", "get?id=3"):
        with pytest.raises(LocationError, match="sent a web page"):
            stage_url(f"{server.url}/{name}")

    stage_url(f"{server.url}/x.html")
    assert staged_in(workspace) == {"x.html": page}


@pytest.mark.parametrize("body", [b"a,b\n", b"<table>", b""])
def test_a_file_that_is_only_called_a_page_is_taken(
    workspace: Workspace, serve: Serve, stage_url: StageUrl, body: bytes
) -> None:
    server = serve(lambda asked: whole(body, Content_Type="text/html"))  # as PHP says by itself

    stage_url(f"{server.url}/x.csv")

    assert staged_in(workspace) == {"x.csv": body}


@pytest.mark.parametrize(
    ("status", "reported"),
    [
        ("404 Not Found", "does not exist"),
        ("410 Gone", "does not exist"),
        ("401 Unauthorized", "no permission, or wrong credentials"),
        ("403 Forbidden", "no permission, or wrong credentials"),
        ("202 Accepted", "said 202 Accepted"),
        ("204 No Content", "said 204 No Content"),
        ("418 I'm a teapot", "said 418 I'm a teapot"),
        ("505 HTTP Version Not Supported", "said 505"),
        ("500 Internal Server Error", "said 500"),
    ],
)
def test_what_the_server_says_is_reported_without_the_password(
    serve: Serve, stage_url: StageUrl, status: str, reported: str
) -> None:
    server = serve(lambda asked: whole(b"", status))
    url = server.url.replace("//", "//me:SECRET@")

    with pytest.raises(LocationError, match=reported) as caught:
        stage_url(f"{url}/x.csv?token=SECRET")

    assert "/x.csv" in caught.value.what
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("answer", [[b""], [b"SSH-2.0-x\r\n\r\n"], [RESET], [b"\x15\x03\x01" * 9]])
def test_what_is_no_http_server_is_reported(
    serve: Serve, stage_url: StageUrl, monkeypatch: pytest.MonkeyPatch, answer: list[Piece]
) -> None:
    monkeypatch.setattr(faults, "TRIES", 2)

    with pytest.raises(LocationError, match=r"x\.csv: no answer: "):
        stage_url(f"{serve(lambda asked: answer).url}/x.csv")


@pytest.mark.parametrize("host", ["127.0.0.1:9", "no-such-host.invalid", "x" * 300, "a..b"])
def test_a_server_that_is_not_there_is_reported(
    stage_url: StageUrl, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setattr(faults, "TRIES", 2)

    with pytest.raises(LocationError, match=r"no answer: |not the name of a server"):
        stage_url(f"http://{host}/x.csv")


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 127.0.0.1, signed by itself."""
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now, address = datetime.now(timezone.utc), x509.IPAddress(ip_address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + private)
    return file


@pytest.fixture
def tls_server(serve: Serve, certificate: Path) -> WildServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return serve(file_of(BODY, Last_Modified=DATE), context)


def test_a_certificate_that_no_one_vouches_for_is_reported_with_what_to_do(
    tls_server: WildServer, stage_url: StageUrl
) -> None:
    with pytest.raises(LocationError, match=r"certificate is not trusted: self.signed") as caught:
        stage_url(f"{tls_server.url}/x.csv")

    assert "SSL_CERT_FILE" in caught.value.fix


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_an_authority_of_the_users_own_is_trusted(
    workspace: Workspace,
    serve: Serve,
    tls_server: WildServer,
    stage_url: StageUrl,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    monkeypatch.setenv(variable, str(certificate))
    plain = serve(lambda asked: whole(b"", "301 Moved", Location=f"{tls_server.url}/x.csv"))

    stage_url(f"{plain.url}/x.csv")  # and a redirect may lead to another scheme

    assert staged_in(workspace) == {"x.csv": BODY}


# Beyond data


def test_a_model_may_have_a_signed_url(
    serve: Serve, tmp_path: Path, make_tar: Callable[..., object]
) -> None:
    archive = make_tar().file("train/m", b"abc").done()  # type: ignore[attr-defined]
    server = serve(file_of(archive.read_bytes(), ETag='"1"'))

    source = check_model_source(tmp_path, f"{server.url}/get?file=model.tar.gz&sig=x")
    fetch_models(source, tmp_path / "models")

    assert (tmp_path / "models/train/m").read_bytes() == b"abc"


def test_http_needs_no_extra(
    workspace: Workspace, serve: Serve, stage_url: StageUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)

    stage_url(f"{serve(file_of(BODY)).url}/x.csv")

    assert staged_in(workspace) == {"x.csv": BODY}


def test_the_proxy_of_the_environment_is_asked(
    workspace: Workspace, serve: Serve, stage_url: StageUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(file_of(BODY))
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)

    stage_url("http://files.invalid/x.csv")

    assert staged_in(workspace) == {"x.csv": BODY}
    assert {asked.path for asked in proxy.asked} == {"http://files.invalid/x.csv"}
