"""A file behind HTTP is staged whole or not at all, whatever its server leaves out."""

from __future__ import annotations

import gzip
import os
import random
import zlib
from datetime import datetime, timezone
from email.utils import format_datetime

import pytest

from alo.data.location import LocationError
from alo.data.locations import list_sources
from alo.data.remote import fetching
from alo.data.staging import stage
from alo.errors import StagingError
from alo.layout import Workspace

from ..wild_server import (
    DATE,
    RESET,
    Answer,
    Asked,
    Piece,
    chunked,
    file_of,
    head,
    whole,
)
from .conftest import BODY, Serve, StageUrl, staged_in

pytestmark = pytest.mark.usefixtures("impatience")


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
    "no reason next to the status": lambda asked: whole(BODY, "200"),
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


def test_an_encoding_that_is_not_known_is_reported(serve: Serve, stage_url: StageUrl) -> None:
    server = serve(lambda asked: whole(b"???", Content_Encoding="br"))

    with pytest.raises(LocationError, match=r"x\.csv: the server sends it as 'br'"):
        stage_url(f"{server.url}/x.csv")


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
