"""Asks a service over HTTP, as its clients do."""

from __future__ import annotations

import http.client
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from typing import NamedTuple
from urllib.parse import quote

from alo.json_text import json_bytes, json_value
from alo.serve.address import ServiceAddress
from alo.serve.http_api.paths import encoded
from alo.ui.problems import FieldProblem, UiError

LOOK_S = 2.0  # for a service to say that it is there
ANSWER_S = 300.0  # for a request
MOST_ANSWER = 10_000_000  # bytes of an answer, without its outputs
PIECE = 1 << 16
REFUSALS = (400, 413, 415, 422, 429, 503, 504, 507)  # that are passed on as they are
FAILED = 500  # the asset has: the answer says how


class ServiceAwayError(UiError):
    """A service does not answer: it has ended, maybe with the request in hand."""

    def __init__(self, url: str) -> None:
        what = "the service does not answer: it has ended, or ends just now"
        fix = "send it again: to another service, or to a worker of the studio"
        super().__init__(503, what, where=url, fix=fix)


class Upload(NamedTuple):
    """A file that is sent."""

    name: str
    content: bytes


class Sent(NamedTuple):
    """What is sent: rows, or a table, or files."""

    rows: object = None  # a list of objects
    csv: str = ""
    files: Sequence[Upload] = ()
    args: Mapping[str, object] = {}

    def to_body(self) -> tuple[str, bytes, str]:
        """The query, the body, and its content type."""
        args = json_bytes(self.args).decode()
        if self.files:
            return "", *_form(self.files, args)
        if self.csv:
            query = f"?args={quote(args)}" if self.args else ""
            return query, self.csv.encode(), "text/csv; charset=utf-8"
        return "", json_bytes({"rows": self.rows, "args": self.args}), "application/json"


class Outcome(NamedTuple):
    """What a service has answered."""

    status: int
    content: Mapping[str, object]


class ServiceClient:
    """A service, as it is asked.

    Args:
        token: that it wants; empty: none.
    """

    def __init__(self, address: ServiceAddress, token: str) -> None:
        self.address, self._token = address, token
        self._asking: set[http.client.HTTPConnection] = set()

    @property
    def is_there(self) -> bool:
        """Whether the service that is meant answers where it says: no other one does."""
        try:
            with closing(self._connected(LOOK_S)) as connection:
                connection.request("GET", "/healthz")
                with connection.getresponse() as response:
                    content = json_value(response.read(MOST_ANSWER))
        except (OSError, http.client.HTTPException, ValueError):
            return False
        return isinstance(content, dict) and content.get("service") == self.address.name

    def infer(self, sent: Sent) -> Outcome:
        """Have an inference run.

        Raises:
            UiError: it is refused, the service is away, or it takes too long.
        """
        query, body, content_type = sent.to_body()
        headers = {"Content-Type": content_type, **self._headers}
        try:
            with self._asked() as connection:
                connection.request("POST", f"/v1/inference{query}", body, headers)
                with connection.getresponse() as response:
                    outcome = Outcome(response.status, _content(response.read(MOST_ANSWER)))
        except TimeoutError as error:
            what = f"the service has not answered within {ANSWER_S:g} s"
            raise UiError(504, what, where=self.address.url) from error
        except (OSError, http.client.HTTPException) as error:
            raise ServiceAwayError(self.address.url) from error
        if outcome.status not in (200, FAILED) or "status" not in outcome.content:
            raise _refusal(outcome)
        return outcome

    def output(self, request_id: str, name: str) -> Iterator[bytes]:
        """An output file in pieces.

        Raises:
            UiError: 404: it is not there any more; 503: the service is away.
        """
        connection = self._connected(ANSWER_S)
        try:
            path = f"/v1/requests/{encoded(request_id)}/outputs/{encoded(name)}"
            connection.request("GET", path, headers=self._headers)
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise ServiceAwayError(self.address.url) from error
        if response.status != 200:
            response.close()
            connection.close()
            raise UiError(404, "there is no such output, or the service keeps it no longer")
        return _pieces(connection, response)

    def hang_up(self) -> None:
        """Wait for no answer any more: who waits for one learns that the service is away."""
        for connection in list(self._asking):
            if connection.sock is not None:
                with suppress(OSError):  # it has ended by itself
                    connection.sock.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def _asked(self) -> Iterator[http.client.HTTPConnection]:
        with closing(self._connected(ANSWER_S)) as connection:
            self._asking.add(connection)
            try:
                yield connection
            finally:
                self._asking.discard(connection)

    @property
    def _headers(self) -> dict[str, str]:
        if not self._token:
            return {}
        shown = self._token.encode().decode("latin-1")  # a header holds bytes
        return {"Authorization": f"Bearer {shown}"}

    def _connected(self, limit_s: float) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(*self.address.reached_at, timeout=limit_s)


def _refusal(outcome: Outcome) -> UiError:
    """The answer of the service, as the studio says it."""
    error = outcome.content.get("error")
    what = str(error.get("message", "")) if isinstance(error, Mapping) else ""
    if outcome.status == 401:
        problem = FieldProblem("token", what or "it is missing or wrong")
        return UiError(422, "the service wants its token", fields=[problem])
    status = outcome.status if outcome.status in REFUSALS else 503
    unread = f"the answer of the service cannot be read; its status is {outcome.status}"
    return UiError(status, what or unread)


def _content(body: bytes) -> Mapping[str, object]:
    try:
        content = json_value(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _pieces(
    connection: http.client.HTTPConnection, response: http.client.HTTPResponse
) -> Iterator[bytes]:
    with closing(connection), response:
        while piece := response.read(PIECE):
            yield piece


def _form(files: Sequence[Upload], args: str) -> tuple[bytes, str]:
    """A form of files and args (RFC 7578), and its content type."""
    mark = os.urandom(16).hex()
    parts = [
        b'--%s\r\nContent-Disposition: form-data; name="files"; filename="%s"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n%s\r\n"
        % (mark.encode(), _quoted(file.name), file.content)
        for file in files
    ]
    head = f'--{mark}\r\nContent-Disposition: form-data; name="args"\r\n\r\n{args}\r\n'
    body = b"".join([*parts, head.encode(), f"--{mark}--\r\n".encode()])
    return body, f"multipart/form-data; boundary={mark}"


def _quoted(name: str) -> bytes:
    """A file's name as browsers write it in a form."""
    for sign, written in (('"', "%22"), ("\r", "%0D"), ("\n", "%0A")):
        name = name.replace(sign, written)
    return name.encode()
