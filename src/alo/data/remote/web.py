"""Ask an HTTP server for a file, by GET alone, and distinguish its answers and faults.

Not with obstore: its HTTP is WebDAV's, which asks by HEAD and knows no query; and not every server
answers HEAD, or says the same by it.
"""

from __future__ import annotations

import http.client
import os
import re
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import IO
from urllib import request as requests
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from alo.data.location import LocationError
from alo.data.remote.faults import BusyError, GoneError, ObjectStoreError, RefusedError
from alo.masking import masked
from alo.version import __version__

SILENCE_S = 60.0  # without a byte
HEADERS = {
    "User-Agent": f"alo/{__version__}",  # some refuse Python's own
    "Accept": "*/*",
    "Accept-Encoding": "identity",
}
CREDENTIALS = "Authorization"
NOT_THERE = (404, 410)
NO_RIGHT = (401, 403, 407, 451)
PASSING = (408, 425, 429, 500, 502, 503, 504)
KEPT_IN_URLS = "/%:@!$&'()*+,;=~?[]"  # what a URL's author has written for what it is
CA_BUNDLES = (
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)  # in addition to SSL_CERT_FILE, which Python reads
DEFAULT_PORTS = {"http": 80, "https": 443}


class NoSuchRangeError(ObjectStoreError):
    """416, or another code that a server gives for a range and not for the whole."""

    def __init__(self, what: str, is_empty: bool) -> None:
        super().__init__(what)
        self.is_empty = is_empty  # it says that there is no byte at all


@contextmanager
def opened(url: str, part: tuple[int, int] | None = None) -> Iterator[http.client.HTTPResponse]:
    """The server's answer to GET, with its body to be read inside.

    Args:
        part: first and last byte.
    Raises:
        ObjectStoreError: of the class that says what to make of it; also while the body is read.
    """
    request = _request(url)
    if part:
        request.add_header("Range", f"bytes={part[0]}-{part[1]}")
    shown = masked(url)
    try:
        with _opener().open(request, timeout=SILENCE_S) as response:
            yield response
    except HTTPError as error:
        with error:
            raise _fault_of(error, shown, is_part=part is not None) from error
    except URLError as error:
        raise _no_answer(error.reason, shown) from error
    except http.client.IncompleteRead as error:
        raise ObjectStoreError(f"{shown}: the connection was cut in the middle") from error
    except (http.client.HTTPException, OSError) as error:
        raise _no_answer(error, shown) from error


def _request(url: str) -> requests.Request:
    parts = urlsplit(url)
    try:
        host, port = parts.hostname or "", parts.port
        place = f"[{host}]" if ":" in host else host.encode("idna").decode()
    except ValueError as error:  # UnicodeError too
        raise LocationError(f"{url}: not the name of a server: {error}") from error
    place = f"{place}:{port}" if port else place
    path, query = _encoded(parts.path or "/"), _encoded(parts.query)
    request = requests.Request(urlunsplit((parts.scheme, place, path, query, "")))  # noqa: S310 - http or https: location.py
    for name, value in HEADERS.items():
        request.add_header(name, value)
    if parts.username is not None:
        from base64 import b64encode

        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_unredirected_header(CREDENTIALS, f"Basic {b64encode(login.encode()).decode()}")
    return request


def _encoded(text: str) -> str:
    """As a request may have it; what is encoded already stays."""
    text = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", text)
    return quote(text, safe=KEPT_IN_URLS, errors="surrogateescape")


class _Redirects(requests.HTTPRedirectHandler):
    """To wherever the server says, over HTTP; the password goes to its own server only."""

    def redirect_request(
        self,
        req: requests.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> requests.Request | None:
        code = 307 if code == 308 else code  # which Python 3.10 does not know
        request = super().redirect_request(req, fp, code, msg, headers, newurl)
        login = req.unredirected_hdrs.get(CREDENTIALS)
        if request and login and _origin(newurl) == _origin(req.full_url):
            request.add_unredirected_header(CREDENTIALS, login)
        return request

    http_error_308 = requests.HTTPRedirectHandler.http_error_302


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)


def _opener() -> requests.OpenerDirector:
    """Without the handlers of files and FTP, where a redirect must not lead."""
    opener = requests.OpenerDirector()
    for handler in (
        requests.ProxyHandler(),
        requests.HTTPHandler(),
        _Https(),
        requests.HTTPDefaultErrorHandler(),
        requests.HTTPErrorProcessor(),
        requests.HTTPCookieProcessor(),  # some send back to the same URL until they see theirs
        _Redirects(),
        requests.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


class _Https(requests.HTTPSHandler):
    """Reads whom to trust only when it is needed: that takes a tenth of a second."""

    def https_open(self, req: requests.Request) -> http.client.HTTPResponse:
        names = ("SSL_CERT_FILE", "SSL_CERT_DIR", *CA_BUNDLES)
        context = _trust(tuple(os.environ.get(name, "") for name in names))
        return self.do_open(http.client.HTTPSConnection, req, context=context)


@lru_cache(maxsize=1)
def _trust(named: tuple[str, ...]) -> ssl.SSLContext:
    context = ssl.create_default_context()  # which reads the first two
    for file in named[2:]:
        if os.path.isfile(file):
            context.load_verify_locations(file)
    if not context.cert_store_stats()["x509_ca"]:  # a slim container; a folder is not counted
        try:
            import certifi
        except ModuleNotFoundError:
            return context
        context.load_verify_locations(certifi.where())
    return context


def _fault_of(error: HTTPError, shown: str, *, is_part: bool) -> ObjectStoreError:
    code, said = error.code, f"the server said {error.code} {error.reason}".strip()
    if code in NOT_THERE:
        return GoneError(f"{shown} does not exist")
    if code in NO_RIGHT:
        return RefusedError(f"{shown}: no permission, or wrong credentials ({said})")
    if code in PASSING:
        pause = _pause_of(error.headers.get("Retry-After", ""))
        return (
            BusyError(f"{shown}: {said}", pause) if pause else ObjectStoreError(f"{shown}: {said}")
        )
    if code // 100 == 3:
        return RefusedError(f"{shown}: it sends on and on, or to nowhere ({said})")
    if is_part:
        return NoSuchRangeError(
            f"{shown}: {said}", error.headers.get("Content-Range") == "bytes */0"
        )
    return RefusedError(f"{shown}: {said}")


def _pause_of(text: str) -> float:
    """Seconds, from ``Retry-After``: a number, or a date; 0 where there is none to be read."""
    if re.fullmatch(r"\d{1,9}", text.strip()):
        return float(text)
    date = date_of(text)
    return max(0.0, date / 1e9 - time.time()) if date else 0.0


def date_of(text: str) -> int:
    """A date of HTTP in nanoseconds since 1970; 0 for one that cannot be read."""
    try:
        seconds = parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return 0
    return int(seconds) * 10**9 if 0 < seconds < 2**33 else 0


def _no_answer(reason: object, shown: str) -> ObjectStoreError:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return RefusedError(
            f"{shown}: the server's certificate is not trusted: {reason.verify_message}",
            "set SSL_CERT_FILE in the environment to the file of the authority that has signed it",
        )
    if isinstance(reason, TimeoutError):
        return ObjectStoreError(f"{shown}: no byte for {SILENCE_S:g} s")
    text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return ObjectStoreError(f"{shown}: no answer: {masked(text)}")
