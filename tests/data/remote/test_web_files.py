"""Files behind HTTP, from servers that leave out or get wrong what servers in the wild do."""

from __future__ import annotations

import gzip
import os
import random
import ssl
import sys
import time
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import pytest

from alo.data.location import LocationError
from alo.data.locations import list_sources
from alo.data.models import check_model_source, fetch_models
from alo.data.remote import faults, fetching, web
from alo.data.staging import Staged, stage
from alo.errors import StagingError
from alo.layout import Workspace

from ..wild_server import (
    DATE,
    RESET,
    Answer,
    Asked,
    Piece,
    WildServer,
    chunked,
    file_of,
    head,
    whole,
    wild_server,
)

BODY = b"a,b\n" + b"1,2\n" * 100
Serve = Callable[..., WildServer]
StageUrl = Callable[..., Staged]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda *given: stack.enter_context(wild_server(*given))


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "FIRST_PAUSE_S", 0.001)
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def stage_url(workspace: Workspace) -> StageUrl:
    def run(*urls: str) -> Staged:
        sources = list_sources(workspace.home, urls, workspace.input("train"))
        return stage(workspace, "train", sources, lambda done, total: None)

    return run


def staged_in(workspace: Workspace) -> dict[str, bytes]:
    files = [path for path in workspace.input("train").rglob("*") if path.is_file()]
    return {path.name: path.read_bytes() for path in files}


@pytest.mark.parametrize("status", ["403 Forbidden", "404 Not Found", "405 No", "501 No", "200 OK"])
def test_a_server_is_asked_by_get_alone(
    workspace: Workspace, serve: Serve, stage_url: StageUrl, status: str
) -> None:
    server = serve(file_of(BODY, Last_Modified=DATE))
    server.other_methods = status

    stage_url(f"{server.url}/x.csv")

    assert staged_in(workspace) == {"x.csv": BODY}
    assert {asked.method for asked in server.asked} == {"GET"}


def without_parts(body: bytes, status: str) -> Answer:
    """A server that does not take a range."""

    def answer(asked: Asked) -> list[Piece]:
        return whole(b"no", status) if asked.part else whole(body, Last_Modified=DATE)

    return answer


LEFT_OUT: dict[str, Answer] = {
    "range ignored": lambda asked: whole(BODY, ETag='"1"', Last_Modified=DATE),
    "range refused": without_parts(BODY, "416 Range Not Satisfiable"),
    "range not implemented": without_parts(BODY, "501 Not Implemented"),
    "range not allowed": without_parts(BODY, "405 Method Not Allowed"),
    "range a bad request": without_parts(BODY, "400 Bad Request"),
    "no etag": file_of(BODY, Last_Modified=DATE),
    "no date": file_of(BODY, ETag='"1"'),
    "neither": file_of(BODY),
    "an unreadable date": file_of(BODY, Last_Modified="2025-01-01T00:00:00Z", ETag='"1"'),
    "a date of no calendar": file_of(BODY, Last_Modified="Thu, 99 Foo 9999 99:99:99 GMT"),
    "a date before 1970": file_of(BODY, Last_Modified="Wed, 01 Jan 1930 00:00:00 GMT"),
    "a date of year 1": file_of(BODY, Last_Modified="Mon, 01 Jan 0001 00:00:00 GMT"),
    "an empty etag": file_of(BODY, ETag='""'),
    "a weak etag": file_of(BODY, ETag='W/"1"'),
    "an etag without quotes": file_of(BODY, ETag="abc"),
    "a length of nothing": lambda asked: [head("200 OK"), BODY],
    "a length that is no number": lambda asked: [head("200 OK", Content_Length="many"), BODY],
    "chunks": lambda asked: [head("200 OK", Transfer_Encoding="chunked"), chunked(BODY, 99)],
    "chunks of a part": lambda asked: [
        head("206 OK", Transfer_Encoding="chunked", Content_Range=f"bytes 0-403/{len(BODY)}")
        if asked.part
        else head("200 OK", Transfer_Encoding="chunked"),
        chunked(BODY),
    ],
    "a part of an unknown whole": lambda asked: whole(
        BODY, "206 Partial Content" if asked.part else "200 OK", Content_Range="bytes 0-403/*"
    ),
    "a part without its range": lambda asked: whole(BODY, "206 OK" if asked.part else "200 OK"),
    "no reason beside the status": lambda asked: whole(BODY, "200"),
    "slow": lambda asked: [head("200 OK", Content_Length=len(BODY)), BODY[:50], 0.1, BODY[50:]],
    "a reset after all is there": lambda asked: [*whole(BODY), 0.05],
}


@pytest.mark.parametrize("answer", LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_a_server_leaves_out_costs_no_file(
    workspace: Workspace, serve: Serve, stage_url: StageUrl, answer: Answer
) -> None:
    server = serve(answer)

    staged = stage_url(f"{server.url}/x.csv")
    again = stage_url(f"{server.url}/x.csv")

    assert staged_in(workspace) == {"x.csv": BODY}
    assert staged.data_id == again.data_id
    assert staged.size == len(BODY)


@pytest.mark.parametrize("headers", [{"ETag": '"1"'}, {"Last_Modified": DATE}, {"ETag": 'W/"1"'}])
def test_what_is_unchanged_is_not_fetched_again(
    serve: Serve, stage_url: StageUrl, headers: dict[str, str]
) -> None:
    server = serve(file_of(BODY, **headers))

    counts = [stage_url(f"{server.url}/x.csv").copied for _ in range(2)]

    assert counts == [1, 0]


def test_what_nothing_says_to_be_unchanged_is_fetched_each_time(
    workspace: Workspace, serve: Serve, stage_url: StageUrl
) -> None:
    server = serve(file_of(b"1,2\n"))
    stage_url(f"{server.url}/x.csv")
    server.answer = file_of(b"3,4\n")  # of the same size

    stage_url(f"{server.url}/x.csv")

    assert staged_in(workspace) == {"x.csv": b"3,4\n"}


@pytest.mark.parametrize("is_part", [True, False])
def test_an_empty_file_is_one(
    workspace: Workspace, serve: Serve, stage_url: StageUrl, is_part: bool
) -> None:
    server = serve(file_of(b"") if is_part else lambda asked: whole(b"", ETag='"0"'))

    stage_url(f"{server.url}/x.csv")

    assert staged_in(workspace) == {"x.csv": b""}


# Large files


LARGE = random.Random(0).randbytes(100_000)  # noqa: S311 - no secret


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "PART", 30_000)


def wrong_part(asked: Asked) -> list[Piece]:
    """Another range than was asked for, but for the first bytes."""
    if asked.part and asked.part[0]:
        return whole(LARGE[:100], "206 OK", Content_Range="bytes 0-99/100000", ETag='"1"')
    return file_of(LARGE, ETag='"1"')(asked)


def many_parts(asked: Asked) -> list[Piece]:
    if asked.part and asked.part[0]:
        return whole(LARGE[:100], "206 OK", Content_Type="multipart/byteranges; boundary=x")
    return file_of(LARGE, ETag='"1"')(asked)


PARTS: dict[str, tuple[Answer, bool]] = {
    "an etag": (file_of(LARGE, ETag='"1"'), True),
    "a date": (file_of(LARGE, Last_Modified=DATE), True),
    "a weak etag": (file_of(LARGE, ETag='W/"1"', Last_Modified=DATE), False),
    "neither": (file_of(LARGE), False),
    "another part": (wrong_part, False),
    "many parts at once": (many_parts, False),
    "no parts": (lambda asked: whole(LARGE, ETag='"1"'), False),
    "chunks": (lambda asked: [head("200 OK", Transfer_Encoding="chunked"), chunked(LARGE)], False),
    "no length": (lambda asked: [head("200 OK"), LARGE], False),
}


@pytest.mark.parametrize(("answer", "in_parts"), PARTS.values(), ids=PARTS)
def test_a_large_file_comes_in_parts_where_the_server_can_vouch_for_them(
    workspace: Workspace,
    serve: Serve,
    stage_url: StageUrl,
    small_parts: None,
    answer: Answer,
    in_parts: bool,
) -> None:
    server = serve(answer)

    stage_url(f"{server.url}/x.bin")

    assert staged_in(workspace) == {"x.bin": LARGE}
    assert any(asked.part is None for asked in server.asked) is not in_parts
    assert not [path for path in workspace.internal.rglob("*") if ".partial" in path.name]


def test_servers_behind_one_name_may_have_an_etag_each(
    workspace: Workspace, serve: Serve, stage_url: StageUrl, small_parts: None
) -> None:
    numbers = iter(range(1000))
    server = serve(
        lambda asked: file_of(LARGE, ETag=f'"{next(numbers)}"', Last_Modified=DATE)(asked)
    )

    stage_url(f"{server.url}/x.bin")

    assert staged_in(workspace) == {"x.bin": LARGE}


@pytest.mark.parametrize("size", [100, 100_000])
@pytest.mark.parametrize("headers", [{"ETag": '"{}"'}, {"Last_Modified": "{}"}])
def test_a_file_that_is_replaced_after_the_look_is_found(
    workspace: Workspace,
    serve: Serve,
    small_parts: None,
    size: int,
    headers: dict[str, str],
) -> None:
    def of(day: int) -> Answer:
        date = format_datetime(datetime(2025, 1, day, tzinfo=timezone.utc), usegmt=True)
        named = {name: form.format(date) for name, form in headers.items()}
        return file_of(bytes([day]) * size, **named)

    server = serve(of(1))
    sources = list_sources(workspace.home, [f"{server.url}/x"], workspace.input("train"))
    server.answer = of(2)

    with pytest.raises(StagingError, match="was replaced meanwhile"):
        stage(workspace, "train", sources, lambda done, total: None)

    assert staged_in(workspace) == {}


# Connections that are cut


def cut(body: bytes, how: str, at: int) -> list[Piece]:
    packed = gzip.compress(body)
    if how == "length":
        return [head("200 OK", Content_Length=len(body), ETag='"1"'), body[:at]]
    if how == "chunks":
        sent = chunked(body, 100)[: at + 20]
        return [head("200 OK", Transfer_Encoding="chunked", ETag='"1"'), sent]
    if how == "gzip":
        sent = packed[: len(packed) * at // len(body)]
        return [head("200 OK", Content_Encoding="gzip", ETag='"1"'), sent]
    return [head("200 OK", Content_Length=len(body), ETag='"1"'), body[:at], 0.02, RESET]


@pytest.mark.parametrize("how", ["length", "chunks", "gzip", "reset"])
@pytest.mark.parametrize("at", [0, 300, 403])
@pytest.mark.parametrize("for_ever", [True, False])
def test_a_file_that_is_cut_short_is_never_staged(
    workspace: Workspace, serve: Serve, stage_url: StageUrl, how: str, at: int, for_ever: bool
) -> None:
    tries: list[Asked] = []

    def answer(asked: Asked) -> list[Piece]:
        if asked.part:
            return whole(BODY, "206 OK", Content_Range="bytes 0-403/404", ETag='"1"')
        tries.append(asked)
        return cut(BODY, how, at) if for_ever or len(tries) < 3 else whole(BODY, ETag='"1"')

    server = serve(answer)

    if for_ever:
        with pytest.raises(StagingError, match=r"cannot stage .*x\.csv"):
            stage_url(f"{server.url}/x.csv")
        assert staged_in(workspace) == {}
    else:
        stage_url(f"{server.url}/x.csv")
        assert staged_in(workspace) == {"x.csv": BODY}


def test_where_nothing_says_how_long_a_file_is_it_has_to_come_twice_the_same(
    workspace: Workspace, serve: Serve, stage_url: StageUrl
) -> None:
    lengths = iter([404, 404, 200, 404, 404])  # a look, a whole, a cut one, two whole ones
    server = serve(lambda asked: [head("200 OK"), BODY[: next(lengths)]])

    stage_url(f"{server.url}/x.csv")

    assert staged_in(workspace) == {"x.csv": BODY}


def test_a_file_without_a_length_that_is_another_each_time_is_refused(
    workspace: Workspace, serve: Serve, stage_url: StageUrl
) -> None:
    server = serve(lambda asked: [head("200 OK"), os.urandom(9)])

    with pytest.raises(StagingError, match="is another one each time"):
        stage_url(f"{server.url}/x.csv")

    assert staged_in(workspace) == {}


def test_a_server_that_falls_silent_is_told(
    serve: Serve, stage_url: StageUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "SILENCE_S", 0.05)
    monkeypatch.setattr(faults, "TRIES", 2)
    server = serve(lambda asked: [0.3])

    with pytest.raises(LocationError, match=r"no byte for 0\.05 s"):
        stage_url(f"{server.url}/x.csv")


# Busy servers


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Busy", "500 Oh", "504 Gateway"])
@pytest.mark.parametrize("after", [None, "0", "soon", DATE])
def test_a_busy_server_is_asked_again_when_it_says(
    workspace: Workspace, serve: Serve, stage_url: StageUrl, status: str, after: str | None
) -> None:
    seen: list[Asked] = []

    def answer(asked: Asked) -> list[Piece]:
        seen.append(asked)
        is_busy = len(seen) in (1, 3)
        return whole(b"", status, Retry_After=after) if is_busy else file_of(BODY)(asked)

    server = serve(answer)

    stage_url(f"{server.url}/x.csv")

    assert staged_in(workspace) == {"x.csv": BODY}
    assert len(seen) == 4


def test_a_busy_server_is_left_alone_as_long_as_it_says(serve: Serve, stage_url: StageUrl) -> None:
    seen: list[float] = []

    def answer(asked: Asked) -> list[Piece]:
        seen.append(time.monotonic())
        is_busy = len(seen) == 1
        return whole(b"", "503 Busy", Retry_After="1") if is_busy else file_of(BODY)(asked)

    stage_url(f"{serve(answer).url}/x.csv")

    assert seen[1] - seen[0] >= 1


@pytest.mark.parametrize("is_date", [True, False])
def test_a_server_that_wants_more_patience_than_there_is_is_told(
    serve: Serve, stage_url: StageUrl, is_date: bool
) -> None:
    date = datetime.now(timezone.utc) + timedelta(hours=1)
    after = format_datetime(date, usegmt=True) if is_date else "3600"
    server = serve(lambda asked: whole(b"", "429 Too Many Requests", Retry_After=after))

    with pytest.raises(LocationError, match="429 Too Many Requests") as caught:
        stage_url(f"{server.url}/x.csv")

    assert len(server.asked) == 1
    assert "to be left alone for 3,6" in caught.value.fix.replace("3,59", "3,6")


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
    ("to", "told"),
    [
        ("/x.csv", "on and on"),
        ("file:///etc/passwd", "on and on, or to nowhere|not allowed"),
        ("ftp://127.0.0.1/x", "on and on, or to nowhere|no answer|not allowed"),
        (None, "to nowhere"),
    ],
)
def test_redirects_without_an_end_or_out_of_the_web_are_refused(
    workspace: Workspace, serve: Serve, stage_url: StageUrl, to: str | None, told: str
) -> None:
    server = serve(lambda asked: whole(b"", "302 Found", Location=to))

    with pytest.raises(LocationError, match=told):
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


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate"])
def test_an_encoding_that_was_not_asked_for_is_undone(
    workspace: Workspace, serve: Serve, stage_url: StageUrl, encoding: str
) -> None:
    body = b"1,2\n" * 1_000_000
    packed = (
        zlib.compress(body)
        if encoding == "deflate"
        else gzip.compress(body[:99]) + gzip.compress(body[99:])
    )
    server = serve(lambda asked: whole(packed, Content_Encoding=encoding, ETag='"1"'))

    stage_url(f"{server.url}/x.csv")

    assert staged_in(workspace) == {"x.csv": body}
    assert {asked.headers["accept-encoding"] for asked in server.asked} == {"identity"}
    assert stage_url(f"{server.url}/x.csv").copied == 0


def test_a_packed_file_that_is_called_encoded_stays_packed(
    workspace: Workspace, serve: Serve, stage_url: StageUrl
) -> None:
    packed = gzip.compress(BODY)
    server = serve(file_of(packed, Content_Encoding="gzip", Content_Type="text/csv"))

    stage_url(f"{server.url}/x.csv.gz")

    assert staged_in(workspace) == {"x.csv.gz": packed}


def test_an_encoding_that_is_not_known_is_told(serve: Serve, stage_url: StageUrl) -> None:
    server = serve(lambda asked: whole(b"???", Content_Encoding="br"))

    with pytest.raises(LocationError, match=r"x\.csv: the server sends it as 'br'"):
        stage_url(f"{server.url}/x.csv")


# Names


@pytest.mark.parametrize(
    ("path", "disposition", "name"),
    [
        ("/x.csv", 'attachment; filename="y.csv"', "x.csv"),
        ("/x.csv?v=2", None, "x.csv"),
        ("/get", 'attachment; filename="y.csv"', "y.csv"),
        ("/get", "attachment;filename=y.csv", "y.csv"),
        ("/get", 'attachment; filename="a\\"b.csv"', 'a"b.csv'),
        ("/get", "attachment; filename*=UTF-8''%ED%95%9C.csv; filename=x.csv", "한.csv"),
        ("/get", 'attachment; filename="한글.csv"', "한글.csv"),
        ("/get", 'attachment; filename="../../etc/y.csv"', "y.csv"),
        ("/get", 'attachment; filename="C:\\\\dir\\\\y.csv"', "y.csv"),
        ("/get", 'attachment; filename=".."', "get"),
        ("/get", "attachment", "get"),
        ("/get", "inline; filename*=nonsense''%FF", "get"),
        ("/get.php?file=data/y.csv", None, "y.csv"),
        ("/get.php?id=3", 'attachment; filename="y.csv"', "y.csv"),
        ("/get?file=y.csv&other=z.csv", None, "get"),
        ("/get?id=3&format=csv", None, "get"),
        ("/?file=y.csv", None, "y.csv"),
        ("/api/get/?file=y.csv", None, "y.csv"),
        ("/%ED%95%9C%20%EA%B8%80.csv", None, "한 글.csv"),
        ("/한 글.csv", None, "한 글.csv"),
        ("/%C7%D1.csv", None, "\udcc7\udcd1.csv"),
        ("/a%2Fb.csv", None, "a_b.csv"),
        ("/100%.csv", None, "100%.csv"),
        ("/a+b.csv", None, "a+b.csv"),
        ("/x.csv#part", None, "x.csv"),
        ("/x.csv/", None, "x.csv"),
    ],
)
def test_a_file_has_the_name_of_its_url_or_of_its_server(
    workspace: Workspace,
    serve: Serve,
    stage_url: StageUrl,
    path: str,
    disposition: str | None,
    name: str,
) -> None:
    server = serve(file_of(BODY, Content_Disposition=disposition, Last_Modified=DATE))

    stage_url(server.url + path)

    assert staged_in(workspace) == {name: BODY}
    assert all(asked.path.isascii() and "#" not in asked.path for asked in server.asked)


def test_what_is_asked_for_is_what_the_plan_has_written(serve: Serve, stage_url: StageUrl) -> None:
    server = serve(file_of(BODY))

    stage_url(f"{server.url}/a b/%2F/한?q=a%20b&c=d+e&sig=x%3D%3D/y=")

    assert server.asked[0].path == "/a%20b/%2F/%ED%95%9C?q=a%20b&c=d+e&sig=x%3D%3D/y="


def test_two_files_of_one_program_have_a_name_each(
    workspace: Workspace, serve: Serve, stage_url: StageUrl
) -> None:
    server = serve(lambda asked: file_of(asked.path.encode())(asked))

    stage_url(f"{server.url}/get?file=a.csv", f"{server.url}/get?file=b.csv")

    assert set(staged_in(workspace)) == {"a.csv", "b.csv"}
    with pytest.raises(LocationError, match=r"have the same last name 'get'"):
        stage_url(f"{server.url}/get?id=1", f"{server.url}/get?id=2")


@pytest.mark.parametrize("name", ["a" * 256, "a%00b", ".."])
def test_a_name_that_no_file_can_have_is_refused(
    serve: Serve, stage_url: StageUrl, name: str
) -> None:
    with pytest.raises(LocationError, match=r"a file's has at most|not a name|names no"):
        stage_url(f"{serve(file_of(BODY)).url}/{name}")


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
    ("status", "told"),
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
def test_what_the_server_says_is_told_without_the_password(
    serve: Serve, stage_url: StageUrl, status: str, told: str
) -> None:
    server = serve(lambda asked: whole(b"", status))
    url = server.url.replace("//", "//me:SECRET@")

    with pytest.raises(LocationError, match=told) as caught:
        stage_url(f"{url}/x.csv?token=SECRET")

    assert "/x.csv" in caught.value.what
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("answer", [[b""], [b"SSH-2.0-x\r\n\r\n"], [RESET], [b"\x15\x03\x01" * 9]])
def test_what_is_no_http_server_is_told(
    serve: Serve, stage_url: StageUrl, monkeypatch: pytest.MonkeyPatch, answer: list[Piece]
) -> None:
    monkeypatch.setattr(faults, "TRIES", 2)

    with pytest.raises(LocationError, match=r"x\.csv: no answer: "):
        stage_url(f"{serve(lambda asked: answer).url}/x.csv")


@pytest.mark.parametrize("host", ["127.0.0.1:9", "no-such-host.invalid", "x" * 300, "a..b"])
def test_a_server_that_is_not_there_is_told(
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


def test_a_certificate_that_no_one_vouches_for_is_told_with_what_to_do(
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
